"""Photo to feature map by a CNN trained on ImageNet; boxes to features by RoI align. The CNNs: model.backbones."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision.ops import roi_align

SHORTER_SIDE = 288  # pixels the CNN sees
LONGEST = 3  # shorter sides: beyond 3 : 1 the photo is squeezed
STEP = 32  # pixels: the CNN's stride; each new shape costs torch memory for its own plans, so there are 19, not 577


@dataclass(frozen=True)
class FeatureMap:
    """What the CNN made of one photo.

    Attributes:
        values: activations before global pooling, float32 (F, h, w); None of a CNN that ends in fully connected layers.
        early: activations that the last stages make its features from, float32 (C, h', w'); None of a CNN whose last
            stages cannot run on boxes.
        width: of the photo, pixels.
        height: of the photo, pixels.
    """

    values: Tensor | None
    early: Tensor | None
    width: int
    height: int

    def pool(self, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Average the map under each box (RoI align); boxes (N, 4) in pixels to features float32 (N, F)."""
        assert self.values is not None, "see Backbone.kinds"
        return torch.flatten(self._align(self.values, boxes, 1, -1), 1)

    def cut(self, boxes: npt.NDArray[np.float32], cells: int, samples: int) -> Tensor:
        """Resample the early map under each box (RoI align).

        Args:
            boxes: (N, 4), pixels.
            cells: of the result, each way.
            samples: averaged in a cell, each way.

        Returns:
            float32 (N, C, cells, cells).
        """
        assert self.early is not None, "see Backbone.kinds"
        return self._align(self.early, boxes, cells, samples)

    def _align(self, values: Tensor, boxes: npt.NDArray[np.float32], cells: int, samples: int) -> Tensor:
        _, rows, columns = values.shape
        to_map = torch.tensor([columns / self.width, rows / self.height] * 2)
        scaled = torch.from_numpy(boxes) * to_map
        aligned: Tensor = roi_align(values[None], [scaled], cells, sampling_ratio=samples, aligned=True)
        return aligned


class Backbone(Protocol):
    """A CNN by name. Thread-safe.

    Attributes:
        name: as in configurations and checkpoints.
        weights: tells its weights from others.
        preprocessing: names what is done to a photo before the CNN; features of two differ.
        kinds: of region features that it can make, see model.region_features.
        feature_size: F.
    """

    name: str
    weights: str
    preprocessing: str
    kinds: tuple[str, ...]
    feature_size: int

    def feature_map(self, photo: npt.NDArray[np.uint8]) -> FeatureMap:
        """Run the CNN over an upright RGB photo, uint8 (height, width, 3)."""
        ...

    def crop(self, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Cut boxes (N, 4), pixels, out of the early map and run the last stages on each: features float32 (N, F)."""
        ...

    def class_scores(self, features: Tensor) -> Tensor:
        """Classify features (N, F) of either kind by the CNN's own classifier: probabilities (N, classes)."""
        ...


@dataclass(frozen=True)
class Preprocessing:
    """A photo as a CNN wants it.

    Attributes:
        mean: of red, green and blue, 0 to 255: becomes 0.
        spread: of red, green and blue: becomes 1.
    """

    mean: tuple[float, float, float]
    spread: tuple[float, float, float]

    @property
    def name(self) -> str:
        """Name what is done, as part of a folder name."""
        numbers = ["-".join(f"{value:.4g}" for value in values) for values in (self.mean, self.spread)]
        return f"{SHORTER_SIDE}px-step{STEP}-mean{numbers[0]}-spread{numbers[1]}"

    def batch(self, photo: npt.NDArray[np.uint8]) -> Tensor:
        """Resize and normalise a photo: float32 (1, 3, H, W), channels last in memory."""
        values = torch.from_numpy(resize_photo(photo)).float()  # (H, W, 3)
        return ((values - torch.tensor(self.mean)) / torch.tensor(self.spread)).permute(2, 0, 1)[None]


def shares_of_255(mean: tuple[float, ...], spread: tuple[float, ...]) -> Preprocessing:
    """Return the preprocessing whose mean and spread are given on a scale from 0 to 1, as libraries do."""
    red, green, blue = (255 * value for value in mean)
    return Preprocessing((red, green, blue), (255 * spread[0], 255 * spread[1], 255 * spread[2]))


def resize_photo(photo: npt.NDArray[np.uint8], side: int = SHORTER_SIDE) -> npt.NDArray[np.uint8]:
    """Scale a photo's shorter side to `side`, its longer to the nearest STEP, at most LONGEST sides."""
    height, width, _ = photo.shape
    scale = side / min(height, width)
    size = tuple(min(LONGEST * side, STEP * round(length * scale / STEP)) for length in (width, height))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, size, interpolation=method), dtype=np.uint8)
