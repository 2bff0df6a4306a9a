"""Fragments in memory: each its centroid's number and its residual in few bytes.

    centroids.npy      float32 (C, D)
    codes.npy          int32 (N,)             the centroid of each fragment
    patterns.npy       float32 (B, 256, 4)    what a byte of a residual stands for
    residuals.npy      uint8 (N, B)
    list_items.npy     int32 (P,)             the items of each centroid
    list_offsets.npy   int64 (C + 1,)

Two ways to score without the exact vectors, both of products that nobody normalises:

    coarse     every fragment is its centroid: a look-up in the table of the query's products with centroids.
               The query's term is a maximum over an item's fragments, which the lists of the best centroids give;
               the stored term is a sum over all of them, one look-up each.
    refined    every fragment is its centroid and its decoded residual, for the best items of the coarse scores.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from engine.array_files import ArrayWriter, open_array
from engine.codebook import Codebook, codebook_size, sample, train_codebook
from engine.exceptions import IndexDamaged
from engine.fragments import ScoreTerms, rows_of, runs_of
from engine.inverted_lists import InvertedLists
from engine.residuals import SAMPLE, ResidualQuantizer
from engine.scoring import PRODUCTS_AT_ONCE, reduce_products
from engine.stored_fragments import ROWS, StoredFragments

QUERY_ROWS = 64  # vectors of a query whose table is in memory at a time: 2 MB with 8,192 centroids


class CompressedFragments:
    """The items of a `StoredFragments`, compressed; read only.

    Attributes:
        centroids: float32 (C, D).
        quantizer: of the residuals.
    """

    def __init__(self, path: Path, offsets: npt.NDArray[np.int64], dimension: int) -> None:
        """Open what `compress` wrote.

        Args:
            path: the folder.
            offsets: int64 (I + 1,), of the stored items.
            dimension: D.

        Raises:
            IndexDamaged: files are missing, hold something else or do not fit the stored items.
        """
        self._offsets = offsets
        centroids = open_array(path / "centroids.npy", np.float32, 2)
        self._codes: npt.NDArray[np.int32] = open_array(path / "codes.npy", np.int32, 1)
        self._residuals: npt.NDArray[np.uint8] = open_array(path / "residuals.npy", np.uint8, 2)
        self.quantizer = ResidualQuantizer.read(path / "patterns.npy", dimension)
        self._lists = InvertedLists.read(path, len(offsets) - 1, len(centroids))
        size = (offsets[-1], self.quantizer.size)
        if centroids.shape[1] != dimension or self._codes.shape != size[:1] or self._residuals.shape != size:
            raise IndexDamaged(f"the files in {path} do not fit together; index the collection again with --rebuild")
        self.centroids = centroids

    def fits(self, fragments: int) -> bool:
        """Say whether a collection of that many fragments would get about as many centroids."""
        return 2 / 3 <= codebook_size(fragments) / len(self.centroids) <= 3 / 2

    def coarse_scores(self, query: npt.NDArray[np.float32], terms: ScoreTerms, probes: int) -> npt.NDArray[np.float32]:
        """Score every item by its centroids, float32 (I,).

        Args:
            query: float32 (Q, D).
            terms: which terms the score has.
            probes: lists looked at for each of the query's vectors; the others count by the best of them.
        """
        mean = terms.reduction == "mean"
        total = np.zeros(len(self._offsets) - 1, np.float32)
        best = np.full(len(self.centroids), -np.inf, np.float32)
        for first in range(0, len(query), QUERY_ROWS):
            table = query[first : first + QUERY_ROWS] @ self.centroids.T  # (up to QUERY_ROWS, C)
            np.maximum(best, table.max(axis=0), out=best)
            if terms.query:
                for products in table:
                    total += self._lists.best(products, probes)
        if terms.query and mean:
            total /= len(query)
        if terms.stored:
            summed = self._summed(best)
            total += summed / np.diff(self._offsets) if mean else summed
        return total

    def refined_scores(
        self, query: npt.NDArray[np.float32], terms: ScoreTerms, numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Score the items at these places by their decoded fragments, float32 (n,)."""
        table = np.ascontiguousarray(self.centroids @ query.T)  # (C, Q)
        scores = np.empty(len(numbers), np.float32)
        for first, last in runs_of(self._offsets, numbers, min(ROWS, max(1, PRODUCTS_AT_ONCE // len(query)))):
            rows, offsets = rows_of(self._offsets, numbers[first:last])
            products = query @ self.quantizer.decode(self._residuals[rows]).T + table[self._codes[rows]].T  # (Q, n)
            scores[first:last] = reduce_products(products, offsets, terms)
        return scores

    def memory_bytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.centroids, self._codes, self._residuals)
        return sum(array.nbytes for array in arrays) + self._lists.memory_bytes()

    def bytes_touched(self, query_vectors: int, terms: ScoreTerms, probes: int) -> int:
        """About the bytes that coarse scores read and write."""
        items = len(self._offsets) - 1
        looked_at = round(self._lists.memory_bytes() * min(1, probes / len(self.centroids))) + 8 * items
        return (
            self.centroids.nbytes
            + terms.query * query_vectors * looked_at
            + terms.stored * (self._codes.nbytes + 4 * items)
        )

    def _summed(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Add up the value of each fragment's centroid by item, float32 (I,)."""
        codes, starts = torch.from_numpy(self._codes), torch.from_numpy(self._offsets[:-1].astype(np.int32))
        summed: npt.NDArray[np.float32] = F.embedding_bag(codes, torch.from_numpy(values)[:, None], starts, mode="sum")[
            :, 0
        ].numpy()
        return summed


def compress(path: Path, stored: StoredFragments, former: CompressedFragments | None = None) -> None:
    """Compress stored items into an existing folder; holds the codes, four bytes a fragment, and a sample of vectors.

    Args:
        path: the folder.
        stored: at least one item.
        former: of an earlier state, whose centroids and patterns are taken where they are as many as now fit.
    """
    if former is not None and former.fits(len(stored.vectors)):
        codebook, quantizer = Codebook(former.centroids), former.quantizer
    else:
        codebook = train_codebook(stored)
        drawn = sample(stored, SAMPLE)
        quantizer = ResidualQuantizer.train(drawn - codebook.centroids[codebook.nearest(drawn)])
    codes = []
    with ArrayWriter(path / "residuals.npy", np.uint8, (quantizer.size,)) as residuals:
        for block in stored.blocks():
            codes.append(codebook.nearest(block))
            residuals.append(quantizer.encode(block - codebook.centroids[codes[-1]]))
    joined = np.concatenate(codes)
    np.save(path / "centroids.npy", codebook.centroids)
    np.save(path / "codes.npy", joined)
    quantizer.write(path / "patterns.npy")
    InvertedLists.of(joined, stored.offsets, len(codebook.centroids)).write(path)
