"""Faster R-CNN of torchvision as a region proposer (Ren et al. 2015), trained on COCO."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torchvision.models import detection

from model.backbone import Backbone, FeatureMap, resize_photo
from model.best_boxes import LARGEST, SMALLEST, best_boxes
from model.boxes import grid_boxes
from model.network_weights import put_weights, torchvision_weights
from model.weight_files import PROPOSER_VARIABLE

FASTER_RCNN: dict[str, tuple[Any, Any]] = {
    "faster-rcnn": (
        detection.fasterrcnn_resnet50_fpn_v2,
        detection.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
    ),
    "faster-rcnn-mobilenet": (
        detection.fasterrcnn_mobilenet_v3_large_320_fpn,
        detection.FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1,
    ),
}
"""Network and the weights that are downloaded where no file is named. The second is small and sees 320 pixels."""


class FasterRcnn:
    """What the detector finds, surest first; behind it what its proposal network finds, then the grid."""

    overlap = 0.5  # IoU above which the less sure of two boxes is dropped, whatever their classes

    def __init__(self, name: str, weights: str, network: Any) -> None:
        """Wrap a network with its weights, which `weights` tells from others."""
        self.name, self.weights = name, weights
        self._network = network.eval()
        (self._side,) = network.transform.min_size

    def propose(
        self, photo: npt.NDArray[np.uint8], feature_map: FeatureMap, backbone: Backbone
    ) -> npt.NDArray[np.float32]:
        """Return the 19 best boxes and the whole photo."""
        size = np.asarray([feature_map.width, feature_map.height] * 2, dtype=np.float32)
        shares = self._find(photo)  # (N, 4)
        area = (shares[:, 2] - shares[:, 0]) * (shares[:, 3] - shares[:, 1])
        boxes = shares[(area >= SMALLEST) & (area < LARGEST)] * size
        order = torch.arange(len(boxes), 0, -1, dtype=torch.float32)
        return best_boxes(boxes, order, self.overlap, grid_boxes(feature_map.width, feature_map.height))

    @torch.inference_mode()
    def _find(self, photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return detections and then proposals, each surest first, as shares of width and height, float32 (N, 4)."""
        network = self._network
        values = torch.from_numpy(resize_photo(photo, self._side)).permute(2, 0, 1) / 255  # (3, H, W)
        images, _ = network.transform([values])
        maps = network.backbone(images.tensors)
        proposals, _ = network.rpn(images, maps)
        (detections,), _ = network.roi_heads(maps, proposals, images.image_sizes)
        height, width = images.image_sizes[0]
        found = torch.cat([detections["boxes"], proposals[0]]) / torch.tensor([width, height] * 2)
        return np.asarray(found.clamp(0, 1).numpy(), dtype=np.float32)


def load_faster_rcnn(name: str, weights: Path | None) -> FasterRcnn:
    """Return a detector.

    Args:
        name: one of FASTER_RCNN.
        weights: file of its weights; None: torchvision's own.

    Raises:
        CheckpointError: the weights cannot be had or are not of this network.
    """
    build, origin = FASTER_RCNN[name]
    state = torchvision_weights(weights, origin, name, PROPOSER_VARIABLE)
    network = build(weights=None, weights_backbone=None)
    return FasterRcnn(name, put_weights(network, state, name, weights), network)
