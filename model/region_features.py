"""Photo to regions and their CNN features: proposer and backbone wired together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.backbone import Backbone
from model.boxes import box_geometry
from model.proposals import RegionProposer

GEOMETRY = 5  # numbers that say where a box lies


@dataclass(frozen=True)
class RegionFeatures:
    """The regions of one photo.

    Attributes:
        boxes: float32 (R, 4), pixels of the upright photo, the whole photo last.
        features: CNN features with the box's geometry behind them, float32 (R, F + 5).
    """

    boxes: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]


class RegionExtractor:
    """Photo -> boxes -> features. Thread-safe."""

    def __init__(self, proposer: RegionProposer, backbone: Backbone) -> None:
        """Wire the parts."""
        self._proposer = proposer
        self._backbone = backbone

    @property
    def name(self) -> str:
        """Name what the features depend on, as a folder name."""
        return f"{self._proposer.name}_{self._backbone.name}_{self._backbone.preprocessing}"

    @property
    def feature_size(self) -> int:
        """Return F + 5."""
        return self._backbone.feature_size + GEOMETRY

    def extract(self, photo: npt.NDArray[np.uint8]) -> RegionFeatures:
        """Find and describe the regions of an upright RGB photo, uint8 (height, width, 3)."""
        feature_map = self._backbone.feature_map(photo)
        boxes = self._proposer.propose(photo, feature_map, self._backbone)
        pooled = feature_map.pool(boxes).numpy()  # (R, F)
        geometry = box_geometry(boxes, feature_map.width, feature_map.height)
        return RegionFeatures(boxes, np.concatenate([pooled, geometry], axis=1))
