"""This program's own index, asked at the effort that its setting names."""

from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, Fragments, ScoreTerms
from engine.ranking import best_items

AT_ONCE = 250  # items of a piece
WORDS = ScoreTerms(query=True, stored=False, reduction="sum")  # all that the peers can do


def build(vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path) -> None:
    """Make the index; ids are places."""
    numbers = range(0, len(offsets) - 1, AT_ONCE)
    items = Fragments(np.arange(len(offsets) - 1), offsets, vectors)
    pieces = (items.take(np.arange(first, min(first + AT_ONCE, len(items)))) for first in numbers)
    FaissFragmentIndex.create(folder / "index", vectors.shape[1], pieces)


class Engine:
    """See worker.Engine."""

    def __init__(
        self, vectors: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], folder: Path, setting: str
    ) -> None:
        self._index = FaissFragmentIndex.open(folder / "index")
        self._effort = cast(Effort, setting)

    def search(self, query: npt.NDArray[np.float32], k: int) -> list[int]:
        """See worker.Engine."""
        found: list[int] = best_items(self._index, query, WORDS, k, self._effort)[0].tolist()
        return found
