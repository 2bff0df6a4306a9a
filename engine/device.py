"""Where vectors are multiplied and looked up: the processor, or a GPU that both FAISS and torch find.

FAISS's own indexes and k-means are put on the GPU here. What searches look up is in torch_look_ups for the GPU, and in
kernels for the processor.
"""

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import torch

from engine.device_names import DeviceName
from engine.exceptions import NoDevice

CPU = torch.device("cpu")


def choose_device(name: DeviceName) -> torch.device:
    """Return the processor or the GPU; "auto" is the GPU where there is one.

    Raises:
        NoDevice: the GPU was asked for, and there is none.
    """
    there = faiss.get_num_gpus() > 0 and torch.cuda.is_available()
    if name == "cuda" and not there:
        raise NoDevice("no GPU was found that both FAISS and torch can use; take the device cpu or auto")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def placed(index: Any, device: torch.device) -> Any:
    """Put a FAISS index on the device."""
    return index if device.type == "cpu" else faiss.index_cpu_to_gpus_list(index, gpus=[0])


def kmeans(
    vectors: npt.NDArray[np.float32], count: int, iterations: int, seed: int, device: torch.device
) -> npt.NDArray[np.float32]:
    """Return the means of `count` clusters of vectors, float32 (count, D); at least as many vectors are needed."""
    means = faiss.Kmeans(
        vectors.shape[1],
        count,
        niter=iterations,
        seed=seed,
        gpu=device.type != "cpu",
        min_points_per_centroid=1,
        max_points_per_centroid=len(vectors),
    )
    means.train(vectors)
    return np.ascontiguousarray(means.centroids)


def best_in_each(products: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Return the largest numbers of each run of rows.

    Args:
        products: float32 (n, Q).
        starts: int64 (I,), where each run begins; a run ends where the next begins, the last one with the rows.

    Returns:
        float32 (I, Q).
    """
    if products.device.type == "cpu":
        return torch.from_numpy(np.maximum.reduceat(products.numpy(), starts, axis=0))
    return torch.segment_reduce(products.contiguous(), "max", offsets=_ends(products, starts))


def sum_of_each(numbers: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Return the sum of each run of numbers, float32 (n,) to (I,); runs as for `best_in_each`."""
    if numbers.device.type == "cpu":
        return torch.from_numpy(np.add.reduceat(numbers.numpy(), starts))
    return torch.segment_reduce(numbers, "sum", offsets=_ends(numbers, starts))


def _ends(numbers: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    return torch.from_numpy(np.append(starts, len(numbers))).to(numbers.device)
