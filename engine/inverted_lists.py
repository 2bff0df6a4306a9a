"""Inverted lists: which items have a fragment at each centroid."""

from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.array_files import open_array
from engine.exceptions import IndexDamaged


class InvertedLists:
    """The items of each centroid.

    Args:
        items: places of items, int32 (P,), list after list; an item is in a list once.
        offsets: int64 (C + 1,); list c is offsets[c]:offsets[c + 1].
        count: I, the number of items.
    """

    def __init__(self, items: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], count: int) -> None:
        self._items = items
        self._offsets = offsets
        self._count = count

    @classmethod
    def of(cls, codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], centroids: int) -> Self:
        """Invert.

        Args:
            codes: the centroid of each fragment, int32 (N,).
            offsets: int64 (I + 1,); item i has the fragments offsets[i]:offsets[i + 1].
            centroids: C.
        """
        order = np.argsort(codes, kind="stable")
        items = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))[order]
        lists = codes[order]
        first = np.ones(len(items), bool)
        first[1:] = (items[1:] != items[:-1]) | (lists[1:] != lists[:-1])
        bounds = np.searchsorted(lists[first], np.arange(centroids + 1)).astype(np.int64)
        return cls(items[first], bounds, len(offsets) - 1)

    def best(self, products: npt.NDArray[np.float32], probes: int) -> npt.NDArray[np.float32]:
        """Return each item's largest product of those of its centroids.

        Items that are in none of the lists looked at get the product of the best centroid that was not looked at, the
        most that they can have.

        Args:
            products: of a query's vector with the centroids, float32 (C,).
            probes: how many lists are looked at, those of the largest products.

        Returns:
            float32 (I,).

        Source: the missing similarity of Lee et al. 2023 (XTR).
        """
        unseen = max(0, len(products) - probes)
        parted = np.argpartition(products, unseen) if unseen else np.arange(len(products))
        least = products[parted[:unseen]].max() if unseen else -np.inf
        order = parted[unseen:][np.argsort(products[parted[unseen:]])]  # the largest last
        best = np.full(self._count, least, np.float32)
        found = np.concatenate([self._items[self._offsets[c] : self._offsets[c + 1]] for c in order])
        best[found] = np.repeat(products[order], np.diff(self._offsets)[order])  # of equal places the last one stays
        return best

    def memory_bytes(self) -> int:
        """Bytes of both arrays."""
        return self._items.nbytes + self._offsets.nbytes

    def write(self, path: Path) -> None:
        """Write into an existing folder."""
        np.save(path / "list_items.npy", self._items)
        np.save(path / "list_offsets.npy", self._offsets)

    @classmethod
    def read(cls, path: Path, count: int, centroids: int) -> Self:
        """Read what `write` wrote, for I items and C centroids.

        Raises:
            IndexDamaged: files are missing or hold something else.
        """
        items = open_array(path / "list_items.npy", np.int32, 1)
        offsets = open_array(path / "list_offsets.npy", np.int64, 1)
        if len(offsets) != centroids + 1 or offsets[-1] != len(items):
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")
        return cls(items, offsets, count)
