"""Photo to regions and their CNN features: proposer and backbone wired together.

Kinds of features, by name:

- "pooled": the CNN's last map averaged under the box. Cheap, and it sees far beyond the box.
- "cropped": the box cut out of an earlier map, and the CNN's last stages run on that alone, as Fast R-CNN does
  (Girshick 2015). It sees the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from model.backbone import Backbone, FeatureMap
from model.boxes import GEOMETRY, box_geometry
from model.exceptions import CheckpointError
from model.proposals import RegionProposer

KINDS = ("pooled", "cropped")  # the later, the less do they see beyond their region


@dataclass(frozen=True)
class RegionFeatures:
    """The regions of one photo.

    Attributes:
        boxes: float32 (R, 4), pixels of the upright photo, the whole photo last.
        features: CNN features, kind after kind, with the box's geometry behind them, float32 (R, kinds * F + 5).
    """

    boxes: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]


class RegionExtractor:
    """Photo -> boxes -> features. Thread-safe."""

    def __init__(self, proposer: RegionProposer, backbone: Backbone, kinds: Sequence[str]) -> None:
        """Wire the parts.

        Raises:
            CheckpointError: there is no such kind of features, or the backbone cannot make it.
        """
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise CheckpointError(f"no kind of region features is called {unknown}; there are {', '.join(KINDS)}")
        missing = [kind for kind in kinds if kind not in backbone.kinds]
        if missing:
            able = ",".join(backbone.kinds)
            raise CheckpointError(f"{backbone.name} makes no {missing[0]} features: train with --set features={able}")
        self._proposer = proposer
        self._backbone = backbone
        self._kinds = tuple(kinds)

    @property
    def name(self) -> str:
        """Name what the features depend on, as a folder name."""
        proposer, backbone = self._proposer, self._backbone
        parts = [
            proposer.name, proposer.weights, backbone.name, backbone.weights, backbone.preprocessing,
            "+".join(self._kinds),
        ]  # fmt: skip
        return "_".join(filter(None, parts))

    @property
    def narrowest(self) -> slice:
        """Return where the CNN features stand that see least beyond their region: cropped ones if there are."""
        kind, size = max(map(KINDS.index, self._kinds)), self._backbone.feature_size
        start = self._kinds.index(KINDS[kind]) * size
        return slice(start, start + size)

    @property
    def feature_size(self) -> int:
        """Return the numbers of a region, kinds * F + 5."""
        return len(self._kinds) * self._backbone.feature_size + GEOMETRY

    def extract(self, photo: npt.NDArray[np.uint8]) -> RegionFeatures:
        """Find and describe the regions of an upright RGB photo, uint8 (height, width, 3)."""
        feature_map = self._backbone.feature_map(photo)
        return self._features(feature_map, self._proposer.propose(photo, feature_map, self._backbone))

    def describe(self, photo: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32]) -> RegionFeatures:
        """Describe given boxes of an upright RGB photo as its regions.

        Args:
            photo: uint8 (height, width, 3).
            boxes: float32 (N, 4), pixels, all within the photo, N at least 1.

        Returns:
            R is N + 1: the whole photo is last.
        """
        feature_map = self._backbone.feature_map(photo)
        whole = np.array([[0, 0, feature_map.width, feature_map.height]], dtype=np.float32)
        return self._features(feature_map, np.concatenate([boxes, whole]))

    def _features(self, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> RegionFeatures:
        """Describe boxes, the last of which is the whole photo."""
        described = [self._describe(kind, feature_map, boxes) for kind in self._kinds]  # each (R, F)
        geometry = box_geometry(boxes, feature_map.width, feature_map.height)
        return RegionFeatures(boxes, np.concatenate([*described, geometry], axis=1))

    def _describe(self, kind: str, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if kind == "pooled":
            return feature_map.pool(boxes).numpy()
        if feature_map.values is None:
            return self._backbone.crop(feature_map, boxes).numpy()
        cropped = self._backbone.crop(feature_map, boxes[:-1])
        whole = feature_map.values.mean(dim=(1, 2))[None]  # the whole photo needs no second run
        return torch.cat([cropped, whole]).numpy()
