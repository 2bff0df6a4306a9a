"""Matrices in eight bits: each row as whole numbers from -127 to 127 and one scale."""

from collections.abc import Mapping

import torch
from torch import Tensor

SCALE = ".scale"  # behind the name of the matrix that it is of


def in_eight_bits(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with every floating-point matrix in eight bits, its rows' scales beside it; others as they are."""
    found = dict(weights)
    for name, matrix in weights.items():
        if matrix.ndim == 2 and matrix.is_floating_point():
            scale = matrix.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127  # (rows, 1)
            found[name], found[name + SCALE] = (matrix / scale).round().to(torch.int8), scale
    return found


def restored(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undo `in_eight_bits`, but for its rounding: at most half a scale.

    >>> weights = {"a": torch.tensor([[1.27, -0.5], [0.0, 0.0]])}
    >>> restored(in_eight_bits(weights))["a"]
    tensor([[ 1.2700, -0.5000],
            [ 0.0000,  0.0000]])
    """
    scales = {name for name in weights if name.endswith(SCALE) and name.removesuffix(SCALE) in weights}
    return {
        name: value * weights[name + SCALE] if name + SCALE in scales else value
        for name, value in weights.items()
        if name not in scales
    }
