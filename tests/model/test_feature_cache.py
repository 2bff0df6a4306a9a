from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from model.backbone import EfficientNetLite2
from model.dataset import DatasetImage
from model.exceptions import DatasetError
from model.feature_cache import FeatureCache
from model.proposals import Grid, SelectiveSearch
from model.region_features import RegionExtractor, RegionFeatures


class MeanColour(RegionExtractor):
    """Counts its photos; a region's features are the photo's mean colour."""

    name = "grid_mean"
    feature_size = 3

    def __init__(self) -> None:
        self.calls = 0

    def extract(self, photo: npt.NDArray[np.uint8]) -> RegionFeatures:
        self.calls += 1
        features = np.tile(photo.mean(axis=(0, 1), dtype=np.float32), (20, 1))
        return RegionFeatures(np.zeros((20, 4), dtype=np.float32), features)


def photos(folder: Path) -> list[DatasetImage]:
    colours = ("red", "blue", "white")
    for colour in colours:
        Image.new("RGB", (9, 9), colour).save(folder / f"{colour}.png")
    return [DatasetImage(folder / f"{colour}.png", "dev", ("x",)) for colour in colours]


def test_features_are_made_once_and_again_only_for_a_changed_photo(tmp_path: Path) -> None:
    images, extractor = photos(tmp_path), MeanColour()
    FeatureCache(tmp_path / "cache", images, extractor).fill()
    assert extractor.calls == 3
    Image.new("RGB", (9, 9), "black").save(tmp_path / "blue.png")
    cache = FeatureCache(tmp_path / "cache", images, extractor)
    cache.fill()
    assert extractor.calls == 4
    assert cache.features[:, 0].tolist() == [[255, 0, 0], [0, 0, 0], [255, 255, 255]]


def test_unreadable_photo_is_named(tmp_path: Path) -> None:
    images = photos(tmp_path)
    images[1].path.write_bytes(b"nonsense")
    with pytest.raises(DatasetError, match=r"blue\.png is not a photo"):
        FeatureCache(tmp_path / "cache", images, MeanColour()).fill()


def test_proposer_backbone_and_preprocessing_are_part_of_the_name() -> None:
    assert Grid.name == "grid"
    backbone = EfficientNetLite2()
    grid, search = RegionExtractor(Grid(), backbone).name, RegionExtractor(SelectiveSearch(), backbone).name
    assert grid == f"grid_efficientnet-lite2_{backbone.preprocessing}"
    assert search == f"selective-search_efficientnet-lite2_{backbone.preprocessing}"
