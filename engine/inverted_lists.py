"""Inverted lists: which items have a fragment at each centroid.

list_items.npy     int32 (P,)          the items of each centroid, ascending, each once
list_offsets.npy   int64 (C + 1,)      list c is offsets[c]:offsets[c + 1]
"""

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
        self._offsets: npt.NDArray[np.int64] = open_array(path / "list_offsets.npy", np.int64, 1)
        self._count = count
        self._device = resources.device
        if len(self._offsets) != centroids + 1 or self._offsets[-1] != len(self._items):
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def term(self, table: npt.NDArray[np.float32], probes: int) -> torch.Tensor:
        """Add up each item's best centroids, one for each of a query's vectors, as far as the lists looked at say.

        An item that is in none of the lists of a vector gets the product of the best centroid that was not looked at,
        the most that it can have.

        Args:
            table: the query's products with the centroids, float32 (Q, C).
            probes: how many lists are looked at for each vector, those of the largest products.

        Returns:
            float32 (I,).

        Source: the missing similarity of Lee et al. 2023 (XTR).
        """
        words = max(1, min(len(table), ENTRIES // max(1, self._count)))
        buffer = torch.empty(words, self._count, device=self._device)
        total = torch.zeros(self._count, device=self._device)
        for first in range(0, len(table), words):
            part = table[first : first + words]
            total += self._best(part, probes, buffer[: len(part)].zero_())
        return total

    def _best(self, table: npt.NDArray[np.float32], probes: int, best: torch.Tensor) -> torch.Tensor:
        """Add up each item's best centroids for some of the query's vectors, by way of zeros (q, I), float32 (I,)."""
        unseen = max(0, table.shape[1] - probes)
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
        """Bytes of both arrays."""
        return self._items.array.nbytes + self._offsets.nbytes


def write_lists(path: Path, codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], centroids: int) -> None:
    """Invert and write into an existing folder, in two passes over parts of the codes.

    Args:
        path: the folder.
        codes: the centroid of each fragment, int32 (N,).
        offsets: int64 (I + 1,); item i has the fragments offsets[i]:offsets[i + 1].
        centroids: C.
    """
    sizes = np.zeros(centroids, np.int64)
    for lists, _ in _sorted_pairs(codes, offsets):
        sizes += np.bincount(lists, minlength=centroids)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    inverted, ends = np.empty(bounds[-1], np.int32), bounds[:-1].copy()
    for lists, items in _sorted_pairs(codes, offsets):
        counts = np.bincount(lists, minlength=centroids)
        before = np.cumsum(counts) - counts
        inverted[np.arange(len(lists)) + np.repeat(ends - before, counts)] = items
        ends += counts
    np.save(path / "list_items.npy", inverted)
    np.save(path / "list_offsets.npy", bounds)


def _sorted_pairs(
    codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """The centroids and items of some items' fragments, sorted by both, each pair once; items in ascending parts."""
    for first, last in runs(offsets, AT_ONCE):
        part = codes[offsets[first] : offsets[last]]
        items = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(offsets[first : last + 1]))
        order = np.argsort(part, kind="stable")
        lists, items = part[order], items[order]
        once = np.ones(len(lists), bool)
        once[1:] = (items[1:] != items[:-1]) | (lists[1:] != lists[:-1])
        yield lists[once], items[once]
