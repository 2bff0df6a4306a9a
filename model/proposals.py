"""Photo to regions.

`SelectiveSearch` is the R-CNN of the paper with no weights but the CNN's: class-independent proposals (Uijlings et al.
2013), each scored by the CNN's classifier, overlapping ones suppressed, the best 19 kept, and the whole photo.
`Grid` looks at nothing and costs nothing.
"""

from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import nms

from model.backbone import Backbone, FeatureMap
from model.boxes import REGIONS, grid_boxes
from model.exceptions import CheckpointError


class RegionProposer(Protocol):
    """A photo's regions. Thread-safe."""

    name: str

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return R boxes, float32 (R, 4), best first, the whole photo last."""
        ...


class Grid:
    """19 fixed windows and the whole photo."""

    name = "grid"

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return the windows of `grid_boxes`."""
        return grid_boxes(feature_map.width, feature_map.height)


class SelectiveSearch:
    """Selective search, scored by the CNN's classifier."""

    name = "selective-search"

    search_side = 160  # pixels of the shorter side when searching: 0.1 s a photo on one thread instead of 1 s
    overlap = 0.5  # IoU above which the lower-scored of two boxes is dropped
    smallest = 0.01  # share of the photo's area under which a box is dropped

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return the 19 best boxes and the whole photo; grid windows fill up where the search finds too few."""
        found = self._search(photo)
        grid = grid_boxes(feature_map.width, feature_map.height)
        if not len(found):
            return grid
        scores = backbone.class_scores(feature_map.pool(found)).amax(dim=1)  # (N,)
        kept = nms(torch.from_numpy(found), scores, self.overlap)[: REGIONS - 1]
        return np.concatenate([found[kept.numpy()], grid[len(kept) :]])

    def _search(self, photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        height, width, _ = photo.shape
        scale = min(1.0, self.search_side / min(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        if min(size) < 16:  # the segmentation needs some pixels
            return np.empty((0, 4), dtype=np.float32)
        search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
        search.setBaseImage(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        search.switchToSelectiveSearchFast()
        left, top, wide, tall = np.asarray(search.process(), dtype=np.float32).reshape(-1, 4).T
        boxes = np.stack([left, top, left + wide, top + tall], axis=1)  # (N, 4)
        share = wide * tall / (size[0] * size[1])
        to_photo = np.asarray([width / size[0], height / size[1]] * 2, dtype=np.float32)
        kept: npt.NDArray[np.float32] = boxes[(share >= self.smallest) & (share < 0.95)] * to_photo
        return kept


PROPOSERS: dict[str, type[Grid] | type[SelectiveSearch]] = {
    Grid.name: Grid,
    SelectiveSearch.name: SelectiveSearch,
}


def load_proposer(name: str) -> RegionProposer:
    """Return the proposer of a name.

    Raises:
        CheckpointError: no proposer has that name.
    """
    if name not in PROPOSERS:
        raise CheckpointError(f"no region proposer is called {name!r}; there are {', '.join(sorted(PROPOSERS))}")
    return PROPOSERS[name]()
