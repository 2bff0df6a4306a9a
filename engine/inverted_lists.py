"""Inverted lists: which items have a fragment at each centroid, and how many.

list_items.npy     int32 (P,)          the items of each centroid, ascending, each once
list_counts.npy    uint8 (P,)          its fragments there, 255 where there are more
list_offsets.npy   int64 (C + 1,)      list c is offsets[c]:offsets[c + 1]

Both terms of a score are estimated from the lists of the best centroids alone.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.array_files import open_array
from engine.codebook import Table
from engine.cores import share_out
from engine.exceptions import IndexDamaged
from engine.fragments import runs
from engine.kernels import choose_lists, list_by_query, list_by_stored, rank_lists
from engine.kernels.sharing import Board
from engine.resources import Resources
from engine.row_files import RowFile
from engine.torch_look_ups import best_of_lists, sums_of_lists

Numbers = npt.NDArray[np.float32]

AT_ONCE = 500_000
"""Fragments that are inverted at a time: 20 MB of work beside the lists themselves."""

BLOCK = 2**17
"""Items whose scores are added up at a time: as many as a core has near it."""

BLOCKS = 4  # at least, so that threads that do not begin together end together

AT_LEAST = 10_000  # items that another thread is woken for


class InvertedLists:
    """The items of each centroid; read only."""

    def __init__(self, path: Path, count: int, centroids: int, resources: Resources) -> None:
        """Open what `write_lists` wrote, for I items and C centroids.

        Raises:
            IndexDamaged: files are missing or hold something else.
        """
        self._items = RowFile(path / "list_items.npy", np.int32, 1, resources)
        self._counts = RowFile(path / "list_counts.npy", np.uint8, 1, resources)
        self._offsets: npt.NDArray[np.int64] = open_array(path / "list_offsets.npy", np.int64, 1)
        self._count = count
        self._compiled = resources.compiled
        offsets = self._offsets
        whole = len(offsets) == centroids + 1 and offsets[0] == 0 and (np.diff(offsets) >= 0).all()
        if not whole or not offsets[-1] == len(self._items) == len(self._counts):
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def query_term(self, table: Table, part: float) -> Numbers:
        """Add up each item's best centroids, one for each of a query's vectors, as far as the lists looked at say.

        An item that is in none of the lists of a vector gets the product of the best centroid that was not looked at,
        the most that it can have.

        Args:
            table: the query's vectors.
            part: of the lists that are looked at for each vector, those of the largest products.

        Returns:
            float32 (I,).

        Source: the missing similarity of Lee et al. 2023 (XTR).
        """
        count = looked_at(part, len(table.products))
        lists, gains = np.empty((table.asked, count), np.int32), np.empty((table.asked, count), np.float32)
        least = np.empty(table.asked, np.float32)
        share_out(table.asked, partial(rank_lists, table.products, lists, gains, least))
        if not self._compiled:
            begins, ends = self._offsets[lists], self._offsets[lists + 1]
            given = self._items.take(begins.ravel(), (ends - begins).ravel())
            gained: Numbers = best_of_lists(given, ends - begins, gains, self._count).cpu().numpy()
            return gained + np.float32(least.sum())
        scores = np.empty(self._count, np.float32)
        offsets, lists, items = self._read(lists, self._items)
        self._share_out(partial(list_by_query, offsets, lists, gains, least, items, scores))
        return scores

    def stored_term(self, best: Numbers, part: float, sizes: Numbers, mean: bool) -> Numbers:
        """Add up the value of each fragment's centroid by item, or take the mean, as far as the lists looked at say.

        A fragment in another list counts as the mean of those: the best values decide between the best items.

        Args:
            best: the value of each centroid, float32 (C,).
            part: of the lists that are looked at, those of the largest values.
            sizes: fragments of each item, float32 (I,).
            mean: whether the mean over the fragments is asked for, not the sum.

        Returns:
            float32 (I,).
        """
        lists = np.empty(looked_at(part, len(best)), np.int32)
        gains = np.empty(len(lists), np.float32)
        rest = np.array([choose_lists(best, self._offsets, lists, gains)], np.float32)
        if not self._compiled:
            begins, counts = self._offsets[lists], self._offsets[lists + 1] - self._offsets[lists]
            given = self._items.take(begins, counts), self._counts.take(begins, counts)
            gained: Numbers = sums_of_lists(*given, counts, gains, self._count).cpu().numpy()
            return gained / sizes + rest if mean else gained + rest * sizes
        scores = np.empty(self._count, np.float32)
        _, _, times = self._read(lists, self._counts)
        offsets, lists, items = self._read(lists, self._items)
        self._share_out(partial(list_by_stored, offsets, lists, gains, items, times, sizes, rest, mean, scores))
        return scores

    @property
    def mapped(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.uint8]] | None:
        """Offsets, items and counts, where the budget has room for all of them."""
        if not (self._items.mapped and self._counts.mapped):
            return None
        return self._offsets, self._items.array, self._counts.array

    def _read(
        self, lists: npt.NDArray[np.int32], file: RowFile
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[Any]]:
        """Rows of a file that hold these lists, and by which offsets and numbers they are found in them."""
        if file.mapped:
            return self._offsets, lists, file.array
        begins = self._offsets[lists].ravel()
        counts = self._offsets[lists + 1].ravel() - begins
        offsets = np.concatenate([[0], np.cumsum(counts)])
        rows, _ = file.part(begins, counts)
        return offsets, np.arange(lists.size, dtype=np.int32).reshape(lists.shape), rows

    def _share_out(self, work: Callable[[int, Board], None]) -> None:
        """Share the items among threads, block by block; `work` tells lists that are not sound."""
        if not share_out(self._count, partial(work, block(self._count)), AT_LEAST):
            raise IndexError("a list holds an item that there is not")

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        return self._items.array.nbytes + self._counts.array.nbytes + self._offsets.nbytes


def block(count: int) -> int:
    """Return how many of so many items have their scores added up at a time."""
    return min(BLOCK, -(-count // BLOCKS))


def looked_at(part: float, lists: int) -> int:
    """Return how many lists a part of them is."""
    return min(lists, max(1, math.ceil(part * lists)))


def write_lists(path: Path, codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], centroids: int) -> None:
    """Invert and write into an existing folder, in two passes over parts of the codes.

    Args:
        path: the folder.
        codes: the centroid of each fragment, int32 (N,).
        offsets: int64 (I + 1,); item i has the fragments offsets[i]:offsets[i + 1].
        centroids: C.
    """
    sizes = np.zeros(centroids, np.int64)
    for lists, _, _ in _sorted_pairs(codes, offsets):
        sizes += np.bincount(lists, minlength=centroids)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    inverted, counts, ends = np.empty(bounds[-1], np.int32), np.empty(bounds[-1], np.uint8), bounds[:-1].copy()
    for lists, items, fragments in _sorted_pairs(codes, offsets):
        new = np.bincount(lists, minlength=centroids)
        before = np.cumsum(new) - new
        places = np.arange(len(lists)) + np.repeat(ends - before, new)
        inverted[places], counts[places] = items, np.minimum(fragments, 255)
        ends += new
    np.save(path / "list_items.npy", inverted)
    np.save(path / "list_counts.npy", counts)
    np.save(path / "list_offsets.npy", bounds)


def _sorted_pairs(
    codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]]:
    """The centroids and items of some items' fragments, sorted by both, each pair once, and how often it came.

    Items come in ascending parts.
    """
    for first, last in runs(offsets, AT_ONCE):
        part = codes[offsets[first] : offsets[last]]
        items = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(offsets[first : last + 1]))
        order = np.argsort(part, kind="stable")
        lists, items = part[order], items[order]
        once = np.ones(len(lists), bool)
        once[1:] = (items[1:] != items[:-1]) | (lists[1:] != lists[:-1])
        yield lists[once], items[once], np.diff(np.flatnonzero(np.append(once, True)))
