"""From many scored boxes to the R regions of a photo."""

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import nms

from model.boxes import REGIONS

SMALLEST, LARGEST = 0.01, 0.95  # shares of the photo's area between which a box is of use


def best_boxes(
    boxes: npt.NDArray[np.float32], scores: torch.Tensor, overlap: float, grid: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Suppress overlapping boxes, keep the best, fill up with the grid; the grid's last box is the whole photo.

    Args:
        boxes: (N, 4), pixels.
        scores: of each, (N,), higher is better.
        overlap: IoU above which the lower-scored of two boxes is dropped.
        grid: (R, 4), pixels.

    Returns:
        float32 (R, 4), best first, the whole photo last.
    """
    kept = nms(torch.from_numpy(boxes), scores, overlap)[: REGIONS - 1]
    return np.concatenate([boxes[kept.numpy()], grid[len(kept) :]])
