from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from model.backbone import FeatureMap
from model.backbones import load_backbone
from model.best_boxes import best_boxes
from model.boxes import REGIONS, grid_boxes
from model.exceptions import CheckpointError
from model.faster_rcnn import FASTER_RCNN, FasterRcnn
from model.proposals import load_proposer
from model.region_features import RegionExtractor

LITE = load_backbone("efficientnet-lite2")
SMALL = "faster-rcnn-mobilenet"


def random_network(name: str) -> Any:
    torch.manual_seed(0)
    return FASTER_RCNN[name][0](weights=None, weights_backbone=None)


def propose(detector: FasterRcnn, height: int, width: int) -> torch.Tensor:
    photo = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return torch.from_numpy(detector.propose(photo, FeatureMap(None, None, width, height), LITE))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "detector.pth"
    torch.save(random_network(SMALL).state_dict(), path)
    return path


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (10, 2000), (120, 160), (500, 300)])
def test_any_photo_has_twenty_boxes_within_it_the_last_the_whole(size: tuple[int, int], weights: Path) -> None:
    height, width = size
    detector = load_proposer(SMALL, weights)
    assert isinstance(detector, FasterRcnn)
    boxes = propose(detector, height, width)
    assert boxes.shape == (REGIONS, 4)
    assert (boxes >= 0).all()
    assert (boxes <= torch.tensor([width, height, width, height]) + 1e-3).all()
    assert boxes[-1].tolist() == [0, 0, width, height]
    assert (boxes == propose(detector, height, width)).all()


def test_the_large_network_proposes_boxes_too() -> None:
    boxes = propose(FasterRcnn("faster-rcnn", "random", random_network("faster-rcnn")), 90, 120)
    assert boxes.shape == (REGIONS, 4)


def test_what_torchvision_s_own_call_detects_comes_first_without_doubles() -> None:
    network = random_network(SMALL).eval()
    network.roi_heads.score_thresh = 0.0  # random weights are sure of nothing
    photo = np.random.default_rng(0).integers(0, 255, (320, 448, 3), dtype=np.uint8)  # the network's own size
    with torch.inference_mode():
        detected = network([torch.from_numpy(photo).permute(2, 0, 1) / 255])[0]["boxes"]
    shares = (detected[:, 2:] - detected[:, :2]).prod(dim=1) / (320 * 448)
    expected: list[torch.Tensor] = []
    for box in detected[(shares >= 0.01) & (shares < 0.95)]:
        if all(box_iou(box[None], other[None]) <= 0.5 for other in expected):
            expected.append(box)
    assert 2 <= len(expected) < len(detected)
    boxes = torch.from_numpy(
        FasterRcnn(SMALL, "random", network).propose(photo, FeatureMap(None, None, 448, 320), LITE)
    )
    first = min(len(expected), REGIONS - 1)
    torch.testing.assert_close(boxes[:first], torch.stack(expected)[:first], atol=1e-2, rtol=0)


def test_where_nothing_is_detected_proposals_fill_up_before_the_grid(weights: Path) -> None:
    detector = load_proposer(SMALL, weights)
    assert isinstance(detector, FasterRcnn)
    detector._network.roi_heads.score_thresh = 1.0
    grid = torch.from_numpy(grid_boxes(160, 120))
    boxes = propose(detector, 120, 160)
    assert not (boxes[0] == grid).all(dim=1).any()
    assert box_iou(boxes[:1], boxes[1:2]).max() <= 0.5


def test_a_proposer_that_finds_nothing_leaves_the_grid() -> None:
    grid = grid_boxes(60, 40)
    assert (best_boxes(np.empty((0, 4), dtype=np.float32), torch.empty(0), 0.5, grid) == grid).all()


def test_the_detector_s_weights_are_part_of_a_cache_s_name(weights: Path) -> None:
    detector = load_proposer(SMALL, weights)
    extractor = RegionExtractor(detector, LITE, ["pooled"])
    assert extractor.name.startswith(f"{SMALL}_{detector.weights}_efficientnet-lite2_{LITE.weights}_")


def test_weights_of_the_other_detector_are_refused(weights: Path) -> None:
    with pytest.raises(CheckpointError, match="holds the weights of another network than faster-rcnn: "):
        load_proposer("faster-rcnn", weights)


@pytest.mark.parametrize("name", sorted(FASTER_RCNN))
def test_a_failed_download_says_how_to_name_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"fetch https://\S+\.pth elsewhere and name the file by DVSA_PROPOSER_W"):
        load_proposer(name)
