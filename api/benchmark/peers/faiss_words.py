"""FAISS flat search: the nearest stored vectors of every word, then exact scores of the items that have them."""

from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

NEAREST = 1000  # vectors of each word


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """Write a flat index."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "vectors.faiss"))


class Engine:
    """Holds all vectors; see worker.Engine."""

    def __init__(self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
        self._index = faiss.read_index(str(folder / "vectors.faiss"))
        self._vectors = vectors  # mapped: the index has its own copy in memory
        self._offsets = offsets
        self._items = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        _, rows = self._index.search(query, min(NEAREST, len(self._items)))
        items = np.unique(self._items[rows])
        counts = self._offsets[items + 1] - self._offsets[items]
        starts = np.cumsum(counts) - counts
        chosen = np.repeat(self._offsets[items] - starts, counts) + np.arange(counts.sum())
        scores = np.maximum.reduceat(query @ self._vectors[chosen].T, starts, axis=1).sum(0)
        found: list[int] = items[np.argsort(-scores)[:k]].tolist()
        return found
