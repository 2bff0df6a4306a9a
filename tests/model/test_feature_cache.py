from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from model.backbones import load_backbone
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
    folder.mkdir(exist_ok=True)
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


def test_unreadable_photos_are_counted_the_first_named_and_the_others_kept(tmp_path: Path) -> None:
    images, extractor = photos(tmp_path), MeanColour()
    whole = images[1].path.read_bytes()
    images[1].path.write_bytes(whole[:50])
    images[2].path.unlink()
    with pytest.raises(DatasetError, match=r"2 of 3 photos .*blue\.png is cut short or damaged; .*--skip-missing"):
        FeatureCache(tmp_path / "cache", images, extractor).fill()
    images[1].path.write_bytes(whole)
    with pytest.raises(DatasetError, match=r"1 of 3 photos .*white\.png does not exist"):
        FeatureCache(tmp_path / "cache", images, extractor).fill()
    assert extractor.calls == 2  # red once, blue once


def test_photos_of_the_same_names_in_another_folder_are_their_own(tmp_path: Path) -> None:
    images, extractor = photos(tmp_path), MeanColour()
    FeatureCache(tmp_path / "cache", images, extractor).fill()
    others = [DatasetImage(tmp_path / "other" / image.path.name, "dev", ("x",)) for image in images]
    (tmp_path / "other").mkdir()
    for image in others:
        Image.new("RGB", (9, 9), (1, 2, 3)).save(image.path)
    cache = FeatureCache(tmp_path / "cache", others, extractor)
    cache.fill()
    assert cache.features[:, 0].tolist() == [[1, 2, 3]] * 3


def filled(tmp_path: Path, extractor: RegionExtractor) -> FeatureCache:
    cache = FeatureCache(tmp_path / "cache", photos(tmp_path), extractor)
    cache.fill()
    return cache


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hashes.json", b""),
        ("hashes.json", b'["ab'),
        ("hashes.json", b"\xff\xfe"),
        ("hashes.json", b'{"a": 1}'),
        ("hashes.json", b'["a", "b"]'),
        ("features.npy", b""),
        ("features.npy", b"no array"),
        ("boxes.npy", None),
    ],
)
def test_a_damaged_cache_is_made_anew(tmp_path: Path, name: str, content: bytes | None) -> None:
    extractor = MeanColour()
    filled(tmp_path, extractor)
    (path,) = (tmp_path / "cache").rglob(name)
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    assert filled(tmp_path, extractor).features[:, 0].tolist() == [[255, 0, 0], [0, 0, 255], [255, 255, 255]]
    assert extractor.calls == 6
    filled(tmp_path, extractor)
    assert extractor.calls == 6


class Named(MeanColour):
    """An extractor of another setting."""

    name = "grid_mean-288px"


class Wider(MeanColour):
    """An extractor that gives more features under the same name."""

    feature_size = 4

    def extract(self, photo: npt.NDArray[np.uint8]) -> RegionFeatures:
        found = super().extract(photo)
        return RegionFeatures(found.boxes, np.pad(found.features, ((0, 0), (0, 1)), constant_values=7))


@pytest.mark.parametrize("kind", [Named, Wider])
def test_features_of_another_setting_are_never_taken(tmp_path: Path, kind: type[MeanColour]) -> None:
    filled(tmp_path, MeanColour())
    extractor = kind()
    cache = filled(tmp_path, extractor)
    assert extractor.calls == 3
    assert cache.features.shape == (3, 20, extractor.feature_size)
    assert (cache.features[:, :, :3] == filled(tmp_path / "again", MeanColour()).features).all()


class Interrupted(MeanColour):
    """The second photo is a Ctrl-C."""

    def extract(self, photo: npt.NDArray[np.uint8]) -> RegionFeatures:
        if self.calls == 1:
            raise KeyboardInterrupt
        return super().extract(photo)


def test_an_interrupted_extraction_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        FeatureCache(tmp_path / "cache", photos(tmp_path), Interrupted()).fill(workers=1)
    extractor = MeanColour()
    filled(tmp_path, extractor)
    assert extractor.calls == 2


def test_two_that_fill_at_once_extract_each_photo_once(tmp_path: Path) -> None:
    images, extractor = photos(tmp_path), MeanColour()
    caches = [FeatureCache(tmp_path / "cache", images, extractor) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(FeatureCache.fill, caches))
    assert extractor.calls == 3
    assert (caches[0].features == caches[1].features).all()


def test_proposer_backbone_weights_preprocessing_and_kinds_are_part_of_the_name() -> None:
    assert Grid.name == "grid"
    backbone = load_backbone("efficientnet-lite2")
    described = f"efficientnet-lite2_{backbone.weights}_{backbone.preprocessing}"
    grid, search = (RegionExtractor(kind(), backbone, ["pooled"]).name for kind in (Grid, SelectiveSearch))
    assert grid == f"grid_{described}_pooled"
    assert search == f"selective-search_{described}_pooled"
    both = RegionExtractor(Grid(), backbone, ["pooled", "cropped"]).name
    assert both == f"grid_{described}_pooled+cropped"
