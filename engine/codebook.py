"""Coarse scores of all items at once: every fragment stands for its centroid.

Word vectors of one vocabulary word cluster tightly, so that "the n nearest words of each region" returns n dogs from
n arbitrary sentences. With each fragment replaced by its centroid, the coarse score of every item is a gather from one
small table and a max or a sum, in both directions of the score.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import faiss
import numpy as np
import numpy.typing as npt

from engine.fragments import ScoreTerms
from engine.stored_fragments import StoredFragments

CENTROIDS = 1024
SAMPLE_PER_CENTROID = 40  # FAISS asks for at least 39 training vectors per centroid
ITERATIONS = 10
SEED = 20


@dataclass(frozen=True)
class Codebook:
    """Centroids of a collection's fragments, and which one each fragment is nearest to.

    Attributes:
        centroids: float32 (C, D).
        codes: the centroid of each fragment, int32 (N,).
    """

    centroids: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]

    @classmethod
    def train(cls, stored: StoredFragments, centroids: int = CENTROIDS) -> Self:
        """Cluster vectors by k-means on a sample; the same vectors give the same codebook."""
        size = len(stored.vectors)
        count = max(1, min(centroids, size // SAMPLE_PER_CENTROID))
        rows = np.random.default_rng(SEED).permutation(size)[: count * SAMPLE_PER_CENTROID]
        means = faiss.Kmeans(stored.dimension, count, niter=ITERATIONS, seed=SEED)
        means.train(stored.rows(np.sort(rows)))
        codes = [means.index.search(block, 1)[1][:, 0].astype(np.int32) for block in stored.blocks()]
        return cls(np.ascontiguousarray(means.centroids), np.concatenate(codes))

    def scores(
        self, query: npt.NDArray[np.float32], offsets: npt.NDArray[np.int64], terms: ScoreTerms
    ) -> npt.NDArray[np.float32]:
        """Coarse score of every item against a query, float32 (I,).

        Args:
            query: float32 (Q, D).
            offsets: int64 (I + 1,); fragments of item i are offsets[i]:offsets[i + 1].
            terms: which terms the score has.
        """
        table = self.centroids @ query.T  # (C, Q)
        starts, mean = offsets[:-1], terms.reduction == "mean"
        total = np.zeros(len(starts), np.float32)
        if terms.query:
            best = sum(np.maximum.reduceat(np.ascontiguousarray(column)[self.codes], starts) for column in table.T)
            total += best / len(query) if mean else best
        if terms.stored:
            best = np.add.reduceat(table.max(axis=1)[self.codes], starts)
            total += best / np.diff(offsets) if mean else best
        return total

    def write(self, path: Path) -> None:
        """Write to an .npz file."""
        np.savez(path, centroids=self.centroids, codes=self.codes)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["centroids"], arrays["codes"])
