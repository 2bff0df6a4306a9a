"""Boxes: the fixed grid, and the geometry of a box as numbers."""

import numpy as np
import numpy.typing as npt

REGIONS = 20  # R of the paper: 19 regions and the whole photo
GEOMETRY = 5  # numbers that say where a box lies

# (rows, columns, height, width) of evenly spread windows, sizes as shares of the photo.
_WINDOWS = (
    (3, 3, 0.4, 0.4),
    (2, 2, 0.6, 0.6),
    (2, 1, 0.55, 1.0),
    (1, 2, 1.0, 0.55),
    (1, 1, 0.5, 0.5),
    (1, 1, 0.75, 0.75),
)


def grid_boxes(width: int, height: int) -> npt.NDArray[np.float32]:
    """Return 19 overlapping windows at three sizes and, last, the whole photo.

    Returns:
        Boxes, float32 (20, 4), pixels.

    >>> grid_boxes(100, 50)[[0, 19]].tolist()
    [[0.0, 0.0, 40.0, 20.0], [0.0, 0.0, 100.0, 50.0]]
    """
    shares = []
    for rows, columns, tall, wide in _WINDOWS:
        for top in np.linspace(0, 1 - tall, rows) if rows > 1 else [(1 - tall) / 2]:
            for left in np.linspace(0, 1 - wide, columns) if columns > 1 else [(1 - wide) / 2]:
                shares.append((left, top, left + wide, top + tall))
    shares.append((0.0, 0.0, 1.0, 1.0))
    return np.asarray(shares, dtype=np.float32) * np.asarray([width, height, width, height], dtype=np.float32)


def box_geometry(boxes: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
    """Return where each box lies: its four edges and its area as shares of the photo, float32 (R, 5)."""
    scaled = boxes / np.asarray([width, height, width, height], dtype=np.float32)
    area = (scaled[:, 2] - scaled[:, 0]) * (scaled[:, 3] - scaled[:, 1])
    return np.concatenate([scaled, area[:, None]], axis=1).astype(np.float32)
