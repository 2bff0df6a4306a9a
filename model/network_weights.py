"""Weights of pretrained networks: read from a file or from torchvision, put into a network, and told apart."""

import hashlib
import pickle
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from model.exceptions import CheckpointError

_UNREADABLE = (EOFError, IndexError, KeyError, OSError, RuntimeError, SafetensorError, ValueError)
"""What torch and safetensors raise for a file that is not there, cut short, or something else."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict, PyTorch's `.pth` or, by its suffix, safetensors.

    Raises:
        CheckpointError: the file is not there, cut short, or holds something else.
    """
    if not path.is_file():
        raise CheckpointError(f"the weights {path} are not there")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (*_UNREADABLE, pickle.UnpicklingError) as error:
        raise CheckpointError(f"the weights {path} are cut short or no file of weights; fetch them again") from error
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise CheckpointError(f"{path} holds no weights: expected a state dict, tensors by their names")
    return dict(state)


def torchvision_weights(file: Path | None, weights: Any, name: str, variable: str) -> dict[str, Tensor]:
    """Return weights of a file, or those that torchvision knows, downloaded where it has not kept them.

    Args:
        file: read instead, where one is named.
        weights: member of one of torchvision's weights enums.
        name: of the network, for the error.
        variable: that may name a file instead, for the error.

    Raises:
        CheckpointError: the file cannot be read; they cannot be downloaded, or what was kept is damaged.
    """
    if file is not None:
        return read_weights(file)
    try:
        with redirect_stdout(sys.stderr):  # standard output is for results
            state = weights.get_state_dict(progress=True, check_hash=True, map_location="cpu", weights_only=True)
    except (*_UNREADABLE, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"torchvision has no weights of {name} here and cannot download them ({reason}): "
            f"fetch {weights.url} elsewhere and name the file by {variable}"
        ) from error
    return dict(state)


def put_weights(network: nn.Module, state: Mapping[str, Tensor], name: str, file: Path | None) -> str:
    """Load weights into a network.

    Args:
        network: of the architecture that the weights are of.
        state: its state dict.
        name: of the network, for the error.
        file: that the state was read from, for the error; None: torchvision gave it.

    Returns:
        What tells these weights from others: the start of a SHA-256 of all tensors, hex.

    Raises:
        CheckpointError: they are of another architecture.
    """
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        ours = {key: value.shape for key, value in network.state_dict().items()}
        theirs = {key: value.shape for key, value in state.items()}
        other = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
        raise CheckpointError(
            f"{file or 'what torchvision keeps'} holds the weights of another network than {name}: "
            f"{len(other):,} tensors are missing, unknown or of another shape, the first is {other[0]!r}"
        ) from error
    return _identity(network)


def _identity(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().numpy().data)
    return digest.hexdigest()[:12]
