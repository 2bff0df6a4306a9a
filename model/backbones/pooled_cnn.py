"""CNNs that end in a global average: both kinds of features are the mean of the last map, over a box."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from model.backbone import FeatureMap, Preprocessing


@dataclass(frozen=True)
class Stages:
    """A CNN in parts.

    Attributes:
        early: photos (N, 3, H, W) to the early map (N, C, h', w').
        late: that map, or what is cut out of it, to the last map (N, F, h, w); None where `early` already makes it.
        classify: features (N, F) to logits (N, classes).
        feature_size: F.
        cells: of the early map that a box is resampled to, each way.
    """

    early: Callable[[Tensor], Tensor]
    late: Callable[[Tensor], Tensor] | None
    classify: Callable[[Tensor], Tensor]
    feature_size: int
    cells: int


def in_turn(*layers: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the function that runs layers one after another."""

    def run(values: Tensor) -> Tensor:
        for layer in layers:
            values = layer(values)
        return values

    return run


class PooledCnn:
    """A CNN that ends in a global average, as a Backbone. Frozen."""

    def __init__(
        self, name: str, weights: str, network: nn.Module, stages: Stages, preprocessing: Preprocessing
    ) -> None:
        """Wrap a network with its weights.

        Args:
            name: of the backbone.
            weights: tells them from others.
            network: whose parts the stages are.
            stages: the parts.
            preprocessing: what its weights were trained with.
        """
        network.eval().to(memory_format=torch.channels_last)
        self.name, self.weights = name, weights
        self.feature_size = stages.feature_size
        self.preprocessing = preprocessing.name + (f"-crop{stages.cells}" if stages.late else "")
        self.kinds: tuple[str, ...] = ("pooled", "cropped") if stages.late else ("pooled",)
        self._stages, self._preprocessing = stages, preprocessing

    @torch.inference_mode()
    def feature_map(self, photo: npt.NDArray[np.uint8]) -> FeatureMap:
        """Scale the shorter side to 288 pixels and run the convolutions."""
        height, width, _ = photo.shape
        early = self._stages.early(self._preprocessing.batch(photo))  # (1, C, h', w')
        if self._stages.late is None:
            return FeatureMap(early[0], None, width, height)
        return FeatureMap(self._stages.late(early)[0], early[0], width, height)

    @torch.inference_mode()
    def crop(self, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Run the last stages on each box, cut out of the early map at `cells` x `cells`."""
        assert self._stages.late is not None, "see kinds"
        cut = feature_map.cut(boxes, self._stages.cells, 2)  # (N, C, cells, cells)
        return self._stages.late(cut.contiguous(memory_format=torch.channels_last)).mean(dim=(2, 3))

    @torch.inference_mode()
    def class_scores(self, features: Tensor) -> Tensor:
        """Classify features by the CNN's last layer."""
        return self._stages.classify(features).softmax(dim=1)  # (N, classes)
