"""Fragments in memory: each its centroid's number and its residual in few bytes.

    codes.npy          int32 (N,)          the centroid of each fragment
    residuals.npy      uint8 (N, B)
    list_*.npy         the items of each centroid, see inverted_lists

Three ways to score without the exact vectors, all of products that nobody normalises:

    listed     every fragment is its centroid, and of those only the best are looked at, by their lists: of all items.
    coarse     every fragment is its centroid: a look-up in the table of the query's products with the centroids.
    refined    every fragment is its centroid and what its bytes stand for.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.array_files import ArrayWriter
from engine.codebook import Codebook
from engine.device import CPU, best_looked_up, sum_of_each
from engine.exceptions import IndexDamaged
from engine.fragments import ScoreTerms, runs
from engine.inverted_lists import InvertedLists, write_lists
from engine.resources import Resources
from engine.row_files import RowFile
from engine.scoring import joined_terms
from engine.stored_fragments import StoredFragments

SOME = 2**17  # fragments of chosen items whose centroids are looked up at a time
DECODED = 2**13  # fragments whose residuals are: larger temporary arrays are memory that the system clears each time


class CompressedFragments:
    """The items of a `StoredFragments`, compressed; read only."""

    def __init__(self, path: Path, offsets: npt.NDArray[np.int64], codebook: Codebook, resources: Resources) -> None:
        """Open what `compress` wrote.

        Args:
            path: the folder.
            offsets: int64 (I + 1,), of the stored items.
            codebook: that they were compressed with.
            resources: what searches may use.

        Raises:
            IndexDamaged: files are missing, hold something else or do not fit the stored items.
        """
        self._offsets = offsets
        self._codebook = codebook
        self._device = resources.device
        self._lists = InvertedLists(path, len(offsets) - 1, len(codebook), resources)
        self._codes = RowFile(path / "codes.npy", np.int32, 1, resources)
        self._residuals = RowFile(path / "residuals.npy", np.uint8, 2, resources)
        size = (offsets[-1], codebook.quantizer.size)
        if self._codes.array.shape != size[:1] or self._residuals.array.shape != size:
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def query_term(self, table: npt.NDArray[np.float32], part: float) -> npt.NDArray[np.float32]:
        """Add up each item's best centroids, one for each of the query's vectors, float32 (I,), by the best lists.

        Args:
            table: the query's products with the centroids, float32 (Q, C).
            part: of the lists that are looked at for each of the query's vectors; see InvertedLists.query_term.
        """
        return self._lists.query_term(table, part).cpu().numpy()

    def stored_term(
        self, best: npt.NDArray[np.float32], part: float, sizes: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Add up the value of each fragment's centroid, float32 (C,), by item, by the best lists, float32 (I,).

        Args:
            best: the value of each centroid.
            part: of the lists that are looked at; see InvertedLists.stored_term.
            sizes: fragments of each item, float32 (I,).
        """
        return self._lists.stored_term(best, part, sizes).cpu().numpy()

    def query_term_of(
        self, products: npt.NDArray[np.float32], numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Add up the best of an item's centroids, one for each of the query's vectors, float32 (n,).

        Args:
            products: of the centroids with the query, float32 (C, q).
            numbers: the items' places, one at least.
        """
        table = self._on_device(products)
        return self._looked_up(numbers, lambda codes, starts: best_looked_up(table, codes, starts).sum(1))

    def stored_term_of(self, best: npt.NDArray[np.float32], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Add up the value of each fragment's centroid, float32 (C,), of the items at these places, float32 (n,)."""
        table = self._on_device(best)
        return self._looked_up(numbers, lambda codes, starts: sum_of_each(table.index_select(0, codes), starts))

    def _looked_up(
        self,
        numbers: npt.NDArray[np.int64],
        look: Callable[[torch.Tensor, npt.NDArray[np.int64]], torch.Tensor],
    ) -> npt.NDArray[np.float32]:
        """Look up the centroids of items, some at a time: `look` is given theirs, and where each item begins."""
        begins = self._offsets[numbers]
        counts = self._offsets[numbers + 1] - begins
        found = torch.empty(len(numbers))
        for first, last in runs(np.concatenate([[0], np.cumsum(counts)]), SOME):
            codes = self._codes.take(begins[first:last], counts[first:last])
            found[first:last] = look(codes, np.cumsum(counts[first:last]) - counts[first:last]).cpu()
        return found.numpy()

    def refined_scores(
        self,
        tables: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]],
        terms: ScoreTerms,
        numbers: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float32]:
        """Score the items at these places by centroids and residuals, float32 (n,).

        Args:
            tables: the query, some rows at a time, and their products with the centroids; see Codebook.tables.
            terms: which terms the score has.
            numbers: the items' places, one at least.
        """
        counts = self._offsets[numbers + 1] - self._offsets[numbers]
        total, stored = torch.zeros(len(numbers)), torch.zeros(len(numbers))
        looked_up = [
            (self._on_device(self._codebook.quantizer.tables(rows)), self._on_device(products))
            for rows, products in tables
        ]
        for first, last in runs(np.concatenate([[0], np.cumsum(counts)]), DECODED):
            here = self._offsets[numbers[first:last]], counts[first:last]
            residuals, codes = self._residuals.take(*here), self._codes.take(*here)
            starts = np.cumsum(here[1]) - here[1]
            best = torch.full((len(codes),), -torch.inf, device=self._device)
            for patterns, centroids in looked_up:
                products = self._codebook.quantizer.products(residuals, patterns)
                products += centroids.index_select(0, codes)  # (n, up to Q)
                if terms.query:
                    rows = torch.arange(len(codes), device=self._device)
                    total[first:last] += best_looked_up(products, rows, starts).sum(1).cpu()
                if terms.stored:
                    best = torch.maximum(best, products.amax(1))
            if terms.stored:
                stored[first:last] = sum_of_each(best, starts).cpu()
        asked = sum(len(rows) for rows, _ in tables)
        return joined_terms(total.numpy(), stored.numpy(), terms, asked, counts.astype(np.float32))

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        return self._codes.array.nbytes + self._residuals.array.nbytes + self._lists.memory_bytes()

    def bytes_touched(self, lists: float) -> int:
        """About the bytes that scores of all items read and write when they look at so many times all lists."""
        return round(self._lists.memory_bytes() * lists) + 8 * (len(self._offsets) - 1)

    def _on_device(self, array: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)


def compress(path: Path, stored: StoredFragments, codebook: Codebook, device: torch.device = CPU) -> None:
    """Compress stored items into an existing folder; holds the codes, four bytes a fragment."""
    codes = [np.empty(0, np.int32)]
    with ArrayWriter(path / "residuals.npy", np.uint8, (codebook.quantizer.size,)) as residuals:
        for block, encoded in codebook.encode(stored.blocks(), device):
            codes.append(block)
            residuals.append(encoded)
    joined = np.concatenate(codes)
    np.save(path / "codes.npy", joined)
    write_lists(path, joined, stored.offsets, len(codebook))
