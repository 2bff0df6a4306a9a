"""Fragments in memory: each its centroid's number and its residual in few bytes.

    codes.npy          int32 (N,)          the centroid of each fragment
    residuals.npy      uint8 (N, B)
    list_items.npy     int32 (P,)          the items of each centroid
    list_offsets.npy   int64 (C + 1,)

Two ways to score without the exact vectors, both of products that nobody normalises:

    coarse     every fragment is its centroid: a look-up in the table of the query's products with centroids.
               The query's term is a maximum over an item's fragments, which the lists of the best centroids give;
               the stored term is a sum over all of them, one look-up each.
    refined    every fragment is its centroid and what its bytes stand for, for the best items of the coarse scores.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from engine.array_files import ArrayWriter, open_array
from engine.codebook import Codebook
from engine.exceptions import IndexDamaged
from engine.fragments import ScoreTerms, rows_of, runs
from engine.inverted_lists import InvertedLists
from engine.scoring import joined_terms
from engine.stored_fragments import ROWS, StoredFragments


class CompressedFragments:
    """The items of a `StoredFragments`, compressed; read only."""

    def __init__(self, path: Path, offsets: npt.NDArray[np.int64], codebook: Codebook) -> None:
        """Open what `compress` wrote.

        Args:
            path: the folder.
            offsets: int64 (I + 1,), of the stored items.
            codebook: that they were compressed with.

        Raises:
            IndexDamaged: files are missing, hold something else or do not fit the stored items.
        """
        self._offsets = offsets
        self._codebook = codebook
        self._codes: npt.NDArray[np.int32] = open_array(path / "codes.npy", np.int32, 1)
        self._residuals: npt.NDArray[np.uint8] = open_array(path / "residuals.npy", np.uint8, 2)
        self._lists = InvertedLists.read(path, len(offsets) - 1, len(codebook))
        size = (offsets[-1], codebook.quantizer.size)
        if self._codes.shape != size[:1] or self._residuals.shape != size:
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def query_term(self, table: npt.NDArray[np.float32], probes: int) -> npt.NDArray[np.float32]:
        """Add up each item's best centroids, one for each of the query's vectors, float32 (I,).

        Args:
            table: the query's products with the centroids, float32 (Q, C).
            probes: lists looked at for each of the query's vectors; the others count by the best of them.
        """
        total = np.zeros(len(self._offsets) - 1, np.float32)
        for products in table:
            total += self._lists.best(products, probes)
        return total

    def stored_term(self, best: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Add up the value of each fragment's centroid, float32 (C,), by item, float32 (I,)."""
        codes, starts = torch.from_numpy(self._codes), torch.from_numpy(self._offsets[:-1].astype(np.int32))
        summed = F.embedding_bag(codes, torch.from_numpy(best)[:, None], starts, mode="sum")[:, 0]  # (I, 1) -> (I,)
        total: npt.NDArray[np.float32] = summed.numpy()
        return total

    def refined_scores(
        self, query: npt.NDArray[np.float32], terms: ScoreTerms, numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Score the items at these places by centroids and residuals, float32 (n,).

        Args:
            query: float32 (Q, D).
            terms: which terms the score has.
            numbers: the items' places, one at least.
        """
        rows, offsets = rows_of(self._offsets, numbers)
        total = np.zeros(len(numbers), np.float32)
        best = np.full(len(rows), -np.inf, np.float32)
        quantizer = self._codebook.quantizer
        for part, table in self._codebook.tables(query):
            centroids, patterns = np.ascontiguousarray(table.T), quantizer.tables(part)
            for first, last in runs(offsets, ROWS):
                here = slice(offsets[first], offsets[last])
                products = quantizer.products(self._residuals[rows[here]], patterns)
                products = np.ascontiguousarray((products + centroids[self._codes[rows[here]]]).T)  # (up to Q, n)
                if terms.query:
                    starts = offsets[first:last] - offsets[first]
                    total[first:last] += np.maximum.reduceat(products, starts, axis=1).sum(axis=0)
                if terms.stored:
                    np.maximum(best[here], products.max(axis=0), out=best[here])
        return joined_terms(total, np.add.reduceat(best, offsets[:-1]), terms, len(query), np.diff(offsets))

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        return self._codes.nbytes + self._residuals.nbytes + self._lists.memory_bytes()

    def bytes_touched(self, query_vectors: int, terms: ScoreTerms, part: float) -> int:
        """About the bytes that coarse scores read and write when they look at that part of the lists."""
        items = len(self._offsets) - 1
        looked_at = round(self._lists.memory_bytes() * part) + 8 * items
        return terms.query * query_vectors * looked_at + terms.stored * (self._codes.nbytes + 4 * items)


def compress(path: Path, stored: StoredFragments, codebook: Codebook) -> None:
    """Compress stored items into an existing folder; holds the codes, four bytes a fragment."""
    codes = [np.empty(0, np.int32)]
    with ArrayWriter(path / "residuals.npy", np.uint8, (codebook.quantizer.size,)) as residuals:
        for block, encoded in codebook.encode(stored.blocks()):
            codes.append(block)
            residuals.append(encoded)
    joined = np.concatenate(codes)
    np.save(path / "codes.npy", joined)
    InvertedLists.of(joined, stored.offsets, len(codebook)).write(path)
