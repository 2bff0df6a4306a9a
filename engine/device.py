"""Where vectors are multiplied and looked up: the processor, or a GPU that both FAISS and torch find.

Indexes hold what they look up as tensors of one device; the same lines of code run on either. FAISS's own indexes and
k-means are put on the GPU here.
"""

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import torch

from engine.device_names import DeviceName
from engine.exceptions import NoDevice

CPU = torch.device("cpu")

SHORT = 64
"""Rows of a run up to which all runs advance together, a row at a time: several times as fast as run after run."""


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


def best_looked_up(table: torch.Tensor, rows: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Return the largest numbers of each run of rows of a table, as best_in_each(table[rows], starts) does.

    Args:
        table: float32 (n, Q).
        rows: of the table, int32 or int64 (m,), one at least.
        starts: int64 (I,), where each run of `rows` begins; none is empty.

    Returns:
        float32 (I, Q).
    """
    sizes = np.diff(starts, append=len(rows))
    if table.device.type != "cpu" or sizes.max() > SHORT:
        return best_in_each(table.index_select(0, rows), starts)
    order = np.argsort(-sizes, kind="stable")  # the longest first, so that those with one more row are always in front
    begins = torch.from_numpy(starts[order])
    longer = np.searchsorted(-sizes[order], -np.arange(1, sizes.max()))
    best = table.index_select(0, rows.index_select(0, begins))
    for place, count in enumerate(longer.tolist(), start=1):
        front = best[:count]
        torch.maximum(front, table.index_select(0, rows.index_select(0, begins[:count] + place)), out=front)
    found = torch.empty_like(best)
    found[torch.from_numpy(order)] = best
    return found


def sum_of_each(numbers: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Return the sum of each run of numbers, float32 (n,) to (I,); runs as for `best_in_each`."""
    if numbers.device.type == "cpu":
        return torch.from_numpy(np.add.reduceat(numbers.numpy(), starts))
    return torch.segment_reduce(numbers, "sum", offsets=_ends(numbers, starts))


def _ends(numbers: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    return torch.from_numpy(np.append(starts, len(numbers))).to(numbers.device)
