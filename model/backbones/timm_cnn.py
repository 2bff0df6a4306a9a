"""CNNs of timm by name, `timm:resnet18.a1_in1k`, with weights from a file."""

from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.config import resolve_model_data_config
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import ResNet
from torch import Tensor

from model.backbone import SHORTER_SIDE, STEP, shares_of_255
from model.backbones.pooled_cnn import PooledCnn, Stages, in_turn
from model.exceptions import CheckpointError
from model.network_weights import put_weights, read_weights
from model.weight_files import BACKBONE_VARIABLE

TIMM = "timm:"
CELLS = 8  # of a map of stride 16: 128 pixels of the photo that the CNN sees, a third of its width
EARLY_STRIDE = 16  # pixels


def load_timm_cnn(name: str, weights: Path | None) -> PooledCnn:
    """Return a CNN of timm.

    Args:
        name: `timm:` and its name in timm, which may say the weights: `timm:resnet18.a1_in1k`.
        weights: file of its weights.

    Raises:
        CheckpointError: timm has no such CNN, or the weights are missing or not of this network.
    """
    known = name.removeprefix(TIMM)
    if not timm.is_model(known):
        raise CheckpointError(f"no backbone is called {name!r}: timm has no model {known!r}")
    try:
        network: Any = timm.create_model(known, pretrained=False).eval()
    except RuntimeError as error:  # weights of a name that it does not have
        raise CheckpointError(f"no backbone is called {name!r}: {error}") from error
    stages = timm_stages(network)
    if not _makes_maps(network, stages):
        raise CheckpointError(f"{name} is not a CNN with a classifier that takes photos of any shape; name one that is")
    if weights is None:
        where = network.pretrained_cfg.get("hf_hub_id") or known
        raise CheckpointError(f"{name} needs a file of its weights, those of {where}: name it by {BACKBONE_VARIABLE}")
    identity = put_weights(network, read_weights(weights), name, weights)
    config = resolve_model_data_config(network)
    return PooledCnn(name, identity, network, stages, shares_of_255(config["mean"], config["std"]))


def timm_stages(network: Any) -> Stages:
    """Cut a network of timm in parts: EfficientNets and ResNets at stride 16, others nowhere."""

    def classify(features: Tensor) -> Tensor:
        logits: Tensor = network.forward_head(features[:, :, None, None])
        return logits

    parts = _parts(network)
    late = in_turn(*parts[1]) if parts else None
    early = in_turn(*parts[0]) if parts else network.forward_features
    return Stages(early, late, classify, network.num_features, CELLS)


def _parts(network: Any) -> tuple[list[Any], list[Any]] | None:
    """Return the layers up to EARLY_STRIDE and those behind it."""
    if not isinstance(network, EfficientNet | ResNet):
        return None
    stages: list[Any] = network.feature_info
    early = [info["module"] for info in stages if info["reduction"] <= EARLY_STRIDE]
    if isinstance(network, EfficientNet):
        cut = int(early[-1].removeprefix("blocks.")) + 1
        blocks = list(network.blocks)
        return [network.conv_stem, network.bn1, *blocks[:cut]], [*blocks[cut:], network.conv_head, network.bn2]
    cut = int(early[-1].removeprefix("layer"))
    layers = [network.layer1, network.layer2, network.layer3, network.layer4]
    return [network.conv1, network.bn1, network.act1, network.maxpool, *layers[:cut]], layers[cut:]


@torch.inference_mode()
def _makes_maps(network: Any, stages: Stages) -> bool:
    """Whether a network makes a map (F, h, w) of a photo that is not square, and has classes."""
    photo = torch.zeros(1, 3, SHORTER_SIDE, SHORTER_SIDE + STEP)
    try:
        values = network.forward_features(photo)
    except (AssertionError, RuntimeError):  # networks of one size of photo
        return False
    return bool(network.num_classes > 0 and values.ndim == 4 and values.shape[1] == stages.feature_size)
