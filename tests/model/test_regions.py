from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from model.backbone import Backbone, FeatureMap
from model.backbones import load_backbone
from model.boxes import REGIONS, grid_boxes
from model.exceptions import CheckpointError
from model.photo import load_photo
from model.proposals import SEARCHES, load_proposer
from model.region_features import KINDS, RegionExtractor

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "photos"


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("efficientnet-lite2")


def noise(height: int, width: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("proposer", sorted(SEARCHES))
@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (100, 150), (300, 200)])
def test_any_photo_has_twenty_regions_within_it_the_last_the_whole(
    proposer: str, size: tuple[int, int], backbone: Backbone
) -> None:
    height, width = size
    regions = RegionExtractor(load_proposer(proposer), backbone, KINDS).extract(noise(height, width))
    assert regions.boxes.shape == (REGIONS, 4)
    assert regions.features.shape == (REGIONS, 2 * 1280 + 5)
    assert np.isfinite(regions.features).all()
    assert (regions.boxes >= 0).all()
    assert (regions.boxes <= np.array([width, height, width, height]) + 1e-3).all()
    assert regions.boxes[-1].tolist() == [0, 0, width, height]


@pytest.mark.parametrize("proposer", ["consensus", "selective-search"])
def test_the_search_finds_the_square_on_a_plain_ground(proposer: str, backbone: Backbone) -> None:
    photo = np.full((200, 300, 3), 90, dtype=np.uint8)
    photo[50:120, 100:200] = (250, 200, 10)
    boxes = RegionExtractor(load_proposer(proposer), backbone, ["pooled"]).extract(photo).boxes
    assert (np.abs(boxes - [100, 50, 200, 120]).max(axis=1) < 6).any()


def test_pooling_a_box_averages_the_map_under_it() -> None:
    values = torch.zeros(1, 4, 4)
    values[:, :, 2:] = 1.0  # the right half
    feature_map = FeatureMap(values, values, width=40, height=40)
    boxes = np.array([[20, 0, 40, 40], [0, 0, 40, 40]], dtype=np.float32)
    assert feature_map.pool(boxes).flatten().tolist() == pytest.approx([1.0, 0.5], abs=0.07)


def test_weights_and_preprocessing_fit_so_that_a_german_shepherd_is_recognised(backbone: Backbone) -> None:
    photo = load_photo(EXAMPLES / "german-shepherd.jpg")
    height, width, _ = photo.shape
    whole = backbone.feature_map(photo).pool(grid_boxes(width, height)[-1:])
    assert int(backbone.class_scores(whole).argmax()) == 235  # ImageNet's number of the breed


def test_class_scores_are_probabilities(backbone: Backbone) -> None:
    photo = np.full((300, 300, 3), 255, dtype=np.uint8)
    features = backbone.feature_map(photo).pool(grid_boxes(300, 300))
    scores = backbone.class_scores(features)
    assert scores.shape == (REGIONS, 1000)
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(REGIONS))


def test_regions_of_the_same_photo_are_the_same_each_time(backbone: Backbone) -> None:
    photo = load_photo(EXAMPLES / "german-shepherd.jpg")
    extractor = RegionExtractor(load_proposer("consensus"), backbone, KINDS)
    first, second = extractor.extract(photo), extractor.extract(photo)
    assert (first.boxes == second.boxes).all()
    assert (first.features == second.features).all()


def test_a_cropped_box_is_described_by_what_is_in_it_alone(backbone: Backbone) -> None:
    """The far half of the photo changes: the pooled features of the near corner change more than the cropped ones."""
    photo = np.full((320, 640, 3), 90, dtype=np.uint8)
    photo[:, :320] = noise(320, 320)
    other = photo.copy()
    other[:, 480:] = 250 - noise(320, 160)
    box = np.array([[0, 0, 160, 160]], dtype=np.float32)
    maps = [backbone.feature_map(each) for each in (photo, other)]
    pooled = [feature_map.pool(box) for feature_map in maps]
    cropped = [backbone.crop(feature_map, box) for feature_map in maps]
    assert cropped[0].shape == (1, 1280)
    change = [float((new - old).norm() / old.norm()) for old, new in (pooled, cropped)]
    assert change[1] < change[0]


def test_unknown_names_are_refused(backbone: Backbone) -> None:
    with pytest.raises(CheckpointError, match="no kind of region features is called"):
        RegionExtractor(load_proposer("grid"), backbone, ["chopped"])
    with pytest.raises(CheckpointError, match="no region proposer is called 'eyes'"):
        load_proposer("eyes")
