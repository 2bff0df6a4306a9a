"""Times additions to an index and deletions from it."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from api.benchmark.made_items import MadeItems
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments

CHANGED = 1000  # items added, and items deleted, at most
NONE = np.empty(0, np.int64)


def time_changes(index: FaissFragmentIndex, recipe: MadeItems, path: Path) -> dict[str, float]:
    """Return the seconds that adding and deleting up to a thousand items take; the index stays as it is.

    Args:
        index: of items that the recipe made.
        recipe: makes the items that come.
        path: a folder of the same file system for the changed index; it is gone afterwards.
    """
    count = min(CHANGED, len(index))
    pieces, last = MadeItems(recipe.real, recipe.seed + 1).pieces(count), index.ids().max()
    come = [Fragments(piece.ids + last, piece.offsets, piece.vectors) for piece in pieces]
    go = np.random.default_rng(recipe.seed).choice(index.ids(), count, replace=False)
    return {
        "changed_items": count,
        "add_seconds": _timed(index, path, NONE, come),
        "delete_seconds": _timed(index, path, go, []),
    }


def _timed(index: FaissFragmentIndex, path: Path, removed: npt.NDArray[np.int64], added: Sequence[Fragments]) -> float:
    try:
        began = time.perf_counter()
        index.revise(path, removed, added)
        return round(time.perf_counter() - began, 4)
    finally:
        shutil.rmtree(path, ignore_errors=True)
