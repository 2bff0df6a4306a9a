"""Torch brute force: every vector in memory, one matrix product, the best of each item."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """There is nothing to build."""


class Engine:
    """Holds all vectors; see worker.Engine."""

    def __init__(self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
        self._vectors = torch.from_numpy(np.array(vectors))  # (N, D)
        self._counts = torch.from_numpy(np.diff(offsets))
        self._items = torch.repeat_interleave(torch.arange(len(offsets) - 1), self._counts)

    @torch.inference_mode()
    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        products = torch.from_numpy(query) @ self._vectors.T  # (Q, N)
        items, sizes = len(self._counts), self._counts.unique()
        if len(sizes) == 1:
            best = products.view(len(query), items, int(sizes)).amax(2)  # (Q, I)
        else:
            places = self._items.expand(len(query), -1)
            best = products.new_full((len(query), items), -torch.inf).scatter_reduce_(1, places, products, "amax")
        found: list[int] = best.sum(0).topk(min(k, items)).indices.tolist()
        return found
