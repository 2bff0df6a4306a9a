"""Fragments in memory: each its centroid's number and its residual in few bytes.

    codes.npy          int32 (N,)          the centroid of each fragment
    residuals.npy      uint8 (N, B)
    list_*.npy         the items of each centroid, see inverted_lists

Two ways to score without the exact vectors, both of products that nobody normalises:

    coarse     every fragment is its centroid: a look-up in the table of the query's products with centroids.
               The query's term is a maximum over an item's fragments, which the lists of the best centroids give;
               the stored term is a sum over all of them, one look-up each.
    refined    every fragment is its centroid and what its bytes stand for, for the best items of the coarse scores.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from engine.array_files import ArrayWriter
from engine.codebook import Codebook
from engine.device import CPU, best_in_each, sum_of_each
from engine.exceptions import IndexDamaged
from engine.fragments import ScoreTerms, runs
from engine.inverted_lists import InvertedLists, write_lists
from engine.resources import Resources
from engine.row_files import RowFile
from engine.scoring import joined_terms
from engine.stored_fragments import ROWS, StoredFragments

LOOKED_UP = 2**20  # fragments of all items whose centroids are looked up at a time
SOME = 2**14  # fragments of chosen items: with 64 products each 4 MB, which stay in the cache


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

    def query_term(self, table: npt.NDArray[np.float32], probes: int) -> npt.NDArray[np.float32]:
        """Add up each item's best centroids, one for each of the query's vectors, float32 (I,).

        Args:
            table: the query's products with the centroids, float32 (Q, C).
            probes: lists looked at for each of the query's vectors; see InvertedLists.term.
        """
        return self._lists.term(table, probes).cpu().numpy()

    def stored_term(self, best: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Add up the value of each fragment's centroid, float32 (C,), by item, float32 (I,)."""
        table = self._on_device(best)[:, None]  # numpy's own form of it is slow to look up in
        total = torch.empty(len(self._offsets) - 1, device=self._device)
        for first, last in runs(self._offsets, LOOKED_UP):
            begin = self._offsets[first]
            codes = self._codes.part(int(begin), int(self._offsets[last]))
            starts = self._on_device((self._offsets[first:last] - begin).astype(np.int32))
            total[first:last] = F.embedding_bag(codes, table, starts, mode="sum")[:, 0]  # (i, 1) -> (i,)
        return total.cpu().numpy()

    def query_term_of(
        self, products: npt.NDArray[np.float32], numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Add up the best of an item's centroids, one for each of the query's vectors, float32 (n,).

        Args:
            products: of the centroids with the query, float32 (C, q).
            numbers: the items' places, one at least.
        """
        table = self._on_device(products)
        return self._looked_up(numbers, lambda codes, starts: best_in_each(table.index_select(0, codes), starts).sum(1))

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
        for first, last in runs(np.concatenate([[0], np.cumsum(counts)]), ROWS):
            here = self._offsets[numbers[first:last]], counts[first:last]
            residuals, codes = self._residuals.take(*here), self._codes.take(*here)
            starts = np.cumsum(here[1]) - here[1]
            best = torch.full((len(codes),), -torch.inf, device=self._device)
            for patterns, centroids in looked_up:
                products = self._codebook.quantizer.products(residuals, patterns)
                products += centroids.index_select(0, codes)  # (n, up to Q)
                if terms.query:
                    total[first:last] += best_in_each(products, starts).sum(1).cpu()
                if terms.stored:
                    best = torch.maximum(best, products.amax(1))
            if terms.stored:
                stored[first:last] = sum_of_each(best, starts).cpu()
        asked = sum(len(rows) for rows, _ in tables)
        return joined_terms(total.numpy(), stored.numpy(), terms, asked, counts.astype(np.float32))

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        return self._codes.array.nbytes + self._residuals.array.nbytes + self._lists.memory_bytes()

    def bytes_touched(self, query_vectors: int, terms: ScoreTerms, part: float) -> int:
        """About the bytes that coarse scores read and write when they look at that part of the lists."""
        items = len(self._offsets) - 1
        looked_at = round(self._lists.memory_bytes() * part) + 8 * items
        return terms.query * query_vectors * looked_at + terms.stored * (self._codes.array.nbytes + 4 * items)

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
