"""The backbones by name: EfficientNet-Lite, torchvision's AlexNet, VGG16 and ResNet-50, and timm's CNNs."""

from pathlib import Path

from model.backbone import Backbone
from model.backbones.efficientnet_lite import EFFICIENTNET_LITE, load_efficientnet_lite
from model.backbones.timm_cnn import TIMM, load_timm_cnn
from model.backbones.torchvision_cnn import TORCHVISION, load_torchvision_cnn
from model.exceptions import CheckpointError

BACKBONES = (*EFFICIENTNET_LITE, *TORCHVISION)


def load_backbone(name: str, weights: Path | None = None) -> Backbone:
    """Return the backbone of a name.

    Args:
        name: one of BACKBONES, or `timm:` and the name of a CNN in timm.
        weights: file of its weights; None: those of its package, or torchvision's own, which it may download.

    Raises:
        CheckpointError: no backbone has that name, or its weights cannot be had.
    """
    if name in EFFICIENTNET_LITE:
        return load_efficientnet_lite(name, weights)
    if name in TORCHVISION:
        return load_torchvision_cnn(name, weights)
    if name.startswith(TIMM):
        return load_timm_cnn(name, weights)
    raise CheckpointError(f"no backbone is called {name!r}; there are {', '.join(BACKBONES)} and {TIMM}NAME")
