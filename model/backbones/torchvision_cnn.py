"""torchvision's ResNet-50, AlexNet and VGG16 (the CNNs of R-CNN and of the paper's time)."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision import models

from model.backbone import Backbone, FeatureMap, Preprocessing, shares_of_255
from model.backbones.pooled_cnn import PooledCnn, Stages, in_turn
from model.network_weights import put_weights, torchvision_weights
from model.weight_files import BACKBONE_VARIABLE

TORCHVISION: dict[str, Any] = {
    "resnet50": models.ResNet50_Weights.IMAGENET1K_V2,
    "alexnet": models.AlexNet_Weights.IMAGENET1K_V1,
    "vgg16": models.VGG16_Weights.IMAGENET1K_V1,
}
"""The weights that are downloaded where no file is named."""

CONV5_CELLS = {"alexnet": 13, "vgg16": 14}  # of conv5's map of a photo of 224 pixels, which the last pooling takes
RESNET_CELLS = 14  # of the map of stride 16, as of a photo of 224 pixels


def load_torchvision_cnn(name: str, weights: Path | None) -> Backbone:
    """Return a CNN of torchvision.

    Args:
        name: one of TORCHVISION.
        weights: file of its weights; None: torchvision's own.

    Raises:
        CheckpointError: the weights cannot be had or are not of this network.
    """
    origin = TORCHVISION[name]
    state = torchvision_weights(weights, origin, name, BACKBONE_VARIABLE)
    network = models.get_model(name, weights=None)
    identity = put_weights(network, state, name, weights)
    presets = origin.transforms()
    preprocessing = shares_of_255(presets.mean, presets.std)
    if name in CONV5_CELLS:
        return FullyConnectedCnn(name, identity, network, preprocessing)
    return PooledCnn(name, identity, network, _resnet_stages(network), preprocessing)


def _resnet_stages(network: Any) -> Stages:
    early = in_turn(
        network.conv1, network.bn1, network.relu, network.maxpool, network.layer1, network.layer2, network.layer3
    )
    return Stages(early, network.layer4, network.fc, network.fc.in_features, RESNET_CELLS)


class FullyConnectedCnn:
    """AlexNet or VGG16 as in Fast R-CNN: fc6 and fc7 run on conv5 under the box. F = 4096, frozen.

    The feature is the activation right before the classifier (Karpathy and Fei-Fei 2015, section 3.1). A mean of
    conv5 means nothing to fc6, so there are no pooled features.
    """

    kinds: tuple[str, ...] = ("cropped",)

    def __init__(self, name: str, weights: str, network: Any, preprocessing: Preprocessing) -> None:
        """Wrap a network with its weights, see PooledCnn."""
        network.eval().to(memory_format=torch.channels_last)
        self.name, self.weights = name, weights
        self._cells = CONV5_CELLS[name]
        self.preprocessing = f"{preprocessing.name}-crop{self._cells}"
        self._convolutions, self._last_pooling = network.features[:-1], network.features[-1]
        self._connected, self._classifier = network.classifier[:-1], network.classifier[-1]
        self.feature_size: int = self._classifier.in_features
        self._preprocessing = preprocessing

    @torch.inference_mode()
    def feature_map(self, photo: npt.NDArray[np.uint8]) -> FeatureMap:
        """Scale the shorter side to 288 pixels and run the convolutions."""
        height, width, _ = photo.shape
        conv5 = self._convolutions(self._preprocessing.batch(photo))  # (1, C, h', w')
        return FeatureMap(None, conv5[0], width, height)

    @torch.inference_mode()
    def crop(self, feature_map: FeatureMap, boxes: npt.NDArray[np.float32]) -> Tensor:
        """Run the last pooling, fc6 and fc7 on each box, cut out of conv5 at the size that the network knows."""
        cut = feature_map.cut(boxes, self._cells, 1)  # (N, C, cells, cells)
        pooled = self._last_pooling(cut)  # (N, C, 6, 6) or (N, C, 7, 7)
        features: Tensor = self._connected(torch.flatten(pooled, 1))
        return features

    @torch.inference_mode()
    def class_scores(self, features: Tensor) -> Tensor:
        """Classify features by the last layer."""
        scores: Tensor = self._classifier(features).softmax(dim=1)  # (N, 1000)
        return scores
