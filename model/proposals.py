"""Photo to regions.

`SelectiveSearch` is the R-CNN of the paper with no weights but the CNN's: class-independent proposals (Uijlings et al.
2013), each scored by the CNN's classifier, overlapping ones suppressed, the best 19 kept, and the whole photo.
`Consensus` ranks the same proposals by how many others agree with them. `Grid` looks at nothing and costs nothing.
`FasterRcnn` (model.faster_rcnn) is a trained detector.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision.ops import box_iou

from model.backbone import Backbone, FeatureMap
from model.best_boxes import LARGEST, SMALLEST, best_boxes
from model.boxes import grid_boxes
from model.exceptions import CheckpointError
from model.faster_rcnn import FASTER_RCNN, load_faster_rcnn

SEARCH_SIDE = 160  # pixels of the shorter side when searching: 0.1 s a photo on one thread instead of 1 s


class RegionProposer(Protocol):
    """A photo's regions. Thread-safe.

    Attributes:
        name: as in configurations and checkpoints.
        weights: tells its weights from others; empty where it has none.
    """

    name: str
    weights: str

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return R boxes, float32 (R, 4), best first, the whole photo last."""
        ...


class Grid:
    """19 fixed windows and the whole photo."""

    name = "grid"
    weights = ""

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return the windows of `grid_boxes`."""
        return grid_boxes(feature_map.width, feature_map.height)


class SelectiveSearch:
    """Selective search, scored by the CNN's classifier."""

    name = "selective-search"
    weights = ""

    overlap = 0.5  # IoU above which the lower-scored of two boxes is dropped

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return the 19 best boxes and the whole photo; grid windows fill up where the search finds too few."""

        def best_class(boxes: npt.NDArray[np.float32]) -> Tensor:
            pooled = "pooled" in backbone.kinds  # the cheaper kind
            features = feature_map.pool(boxes) if pooled else backbone.crop(feature_map, boxes)  # (N, F)
            return backbone.class_scores(features).amax(dim=1)  # (N,)

        return _best_found(photo, feature_map, best_class, self.overlap)


class Consensus:
    """Selective search, ranked by agreement.

    The search makes hundreds of boxes from four segmentations. Where a thing is, they agree: a box's score is the sum
    over all boxes of how much their overlap (IoU) with it exceeds a half. No weights are asked.
    """

    name = "consensus"
    weights = ""

    overlap = 0.5  # IoU above which the lower-scored of two boxes is dropped, and above which boxes agree

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return the 19 best boxes and the whole photo; grid windows fill up where the search finds too few."""

        def agreement(boxes: npt.NDArray[np.float32]) -> Tensor:
            found = torch.from_numpy(boxes)
            total: Tensor = (box_iou(found, found) - self.overlap).clamp(min=0).sum(dim=1)  # (N,)
            return total

        return _best_found(photo, feature_map, agreement, self.overlap)


def search_boxes(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Run the fast selective search on a small copy of an upright RGB photo.

    Returns:
        Boxes, float32 (N, 4), pixels of the photo, in the same order for the same photo; without those below 1 % and
        above 95 % of its area.
    """
    height, width, _ = photo.shape
    scale = min(1.0, SEARCH_SIDE / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if min(size) < 16:  # the segmentation needs some pixels
        return np.empty((0, 4), dtype=np.float32)
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    search.switchToSelectiveSearchFast()
    found = np.asarray(search.process(), dtype=np.float32).reshape(-1, 4)
    left, top, wide, tall = found[np.lexsort(found.T)].T  # the search returns them in random order
    boxes = np.stack([left, top, left + wide, top + tall], axis=1)  # (N, 4)
    share = wide * tall / (size[0] * size[1])
    to_photo = np.asarray([width / size[0], height / size[1]] * 2, dtype=np.float32)
    kept: npt.NDArray[np.float32] = boxes[(share >= SMALLEST) & (share < LARGEST)] * to_photo
    return kept


def _best_found(
    photo: npt.NDArray[np.uint8], feature_map: FeatureMap, score: Callable[[npt.NDArray[np.float32]], Tensor],
    overlap: float,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Search, score what is found, and keep the best; where nothing is found, the grid."""
    found = search_boxes(photo)
    grid = grid_boxes(feature_map.width, feature_map.height)
    return best_boxes(found, score(found), overlap, grid) if len(found) else grid


SEARCHES: dict[str, type[Consensus] | type[Grid] | type[SelectiveSearch]] = {
    Consensus.name: Consensus,
    Grid.name: Grid,
    SelectiveSearch.name: SelectiveSearch,
}
"""The proposers that need no weights of their own."""

PROPOSERS = (*SEARCHES, *FASTER_RCNN)


def load_proposer(name: str, weights: Path | None = None) -> RegionProposer:
    """Return the proposer of a name.

    Args:
        name: one of PROPOSERS.
        weights: file of its weights; None: torchvision's own, for those that have some.

    Raises:
        CheckpointError: no proposer has that name, or its weights cannot be had.
    """
    if name in FASTER_RCNN:
        return load_faster_rcnn(name, weights)
    if name not in SEARCHES:
        raise CheckpointError(f"no region proposer is called {name!r}; there are {', '.join(sorted(PROPOSERS))}")
    return SEARCHES[name]()
