"""Inverted lists: which items have a fragment at each centroid, and how many.

list_items.npy     int32 (P,)          the items of each centroid, ascending, each once
list_counts.npy    uint8 (P,)          its fragments there, 255 where there are more
list_offsets.npy   int64 (C + 1,)      list c is offsets[c]:offsets[c + 1]

Both terms of a score are estimated from the lists of the best centroids alone.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.array_files import open_array
from engine.exceptions import IndexDamaged
from engine.fragments import runs
from engine.resources import Resources
from engine.row_files import RowFile

AT_ONCE = 500_000
"""Fragments that are inverted at a time: 20 MB of work beside the lists themselves."""


ENTRIES = 2**18
"""Best products in memory at a time, a megabyte: of small collections all vectors of a query are taken at once."""


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
        self._device = resources.device
        if len(self._offsets) != centroids + 1 or not self._offsets[-1] == len(self._items) == len(self._counts):
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def query_term(self, table: npt.NDArray[np.float32], part: float) -> torch.Tensor:
        """Add up each item's best centroids, one for each of a query's vectors, as far as the lists looked at say.

        An item that is in none of the lists of a vector gets the product of the best centroid that was not looked at,
        the most that it can have.

        Args:
            table: the query's products with the centroids, float32 (Q, C).
            part: of the lists that are looked at for each vector, those of the largest products.

        Returns:
            float32 (I,).

        Source: the missing similarity of Lee et al. 2023 (XTR).
        """
        words = max(1, min(len(table), ENTRIES // max(1, self._count)))
        buffer = torch.empty(words, self._count, device=self._device)
        total = torch.zeros(self._count, device=self._device)
        for first in range(0, len(table), words):
            rows = table[first : first + words]
            total += self._best(rows, part, buffer[: len(rows)].zero_())
        return total

    def stored_term(self, best: npt.NDArray[np.float32], part: float, sizes: npt.NDArray[np.float32]) -> torch.Tensor:
        """Add up the value of each fragment's centroid by item, as far as the lists looked at say.

        A fragment in another list counts as the mean of those: the best values decide between the best items.

        Args:
            best: the value of each centroid, float32 (C,).
            part: of the lists that are looked at, those of the largest values.
            sizes: fragments of each item, float32 (I,).

        Returns:
            float32 (I,).
        """
        unseen = _unseen(part, len(best))
        parted = np.argpartition(best, min(unseen, len(best) - 1))
        rest, seen = parted[:unseen], parted[unseen:]
        begins, entries = self._offsets[seen], self._offsets[seen + 1] - self._offsets[seen]
        rest_entries = self._offsets[rest + 1] - self._offsets[rest]
        mean = float(np.average(best[rest], weights=rest_entries)) if rest_entries.any() else 0.0
        gains = self._on_device(np.repeat(best[seen] - np.float32(mean), entries)) * self._counts.take(begins, entries)
        items = self._items.take(begins, entries).long()
        total = self._on_device(sizes) * mean
        return total.scatter_add_(0, items, gains)

    def _best(self, table: npt.NDArray[np.float32], part: float, best: torch.Tensor) -> torch.Tensor:
        """Add up each item's best centroids for some of the query's vectors, by way of zeros (q, I), float32 (I,)."""
        unseen = _unseen(part, table.shape[1])
        parted = np.argpartition(table, min(unseen, table.shape[1] - 1), axis=1)
        seen, products = parted[:, unseen:], np.take_along_axis(table, parted, axis=1)
        least = products[:, :unseen].max(axis=1) if unseen else products.min(axis=1)  # (q,)
        begins = self._offsets[seen]
        sizes = self._offsets[seen + 1] - begins  # (q, probes)
        items = self._items.take(begins.ravel(), sizes.ravel())
        rows = np.repeat(self._count * np.arange(len(table)), sizes.sum(axis=1))
        gains = np.repeat((products[:, unseen:] - least[:, None]).ravel(), sizes.ravel())
        best.view(-1).scatter_reduce_(0, items + self._on_device(rows), self._on_device(gains), "amax")
        return (best.sum(0) if len(best) > 1 else best[0]) + float(least.sum())

    def _on_device(self, array: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        return self._items.array.nbytes + self._counts.array.nbytes + self._offsets.nbytes


def _unseen(part: float, lists: int) -> int:
    return lists - min(lists, max(1, math.ceil(part * lists)))


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
