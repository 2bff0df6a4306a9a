"""The codebook of a collection: centroids that stand for its fragments.

Word vectors of one vocabulary word cluster tightly, so that "the n nearest words of each region" returns n dogs of n
arbitrary sentences. A fragment's centroid serves better: a query is multiplied with the centroids once, and the
coarse score of every item is looked up.
"""

import math

import faiss
import numpy as np
import numpy.typing as npt

from engine.stored_fragments import StoredFragments

MOST = 8192
"""Centroids of the largest collections: above, training and assignment cost more than they gain."""

SAMPLE = 40  # vectors for each centroid that is trained; FAISS asks for 39 or more
ITERATIONS = 10
SEED = 20


class Codebook:
    """Centroids, float32 (C, D), and the nearest of them.

    Attributes:
        centroids: float32 (C, D).
    """

    def __init__(self, centroids: npt.NDArray[np.float32]) -> None:
        self.centroids = centroids
        self._search = faiss.IndexFlatL2(centroids.shape[1])
        self._search.add(centroids)

    def nearest(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """Return the number of the centroid nearest to each vector, int32 (n,)."""
        numbers: npt.NDArray[np.int64] = self._search.search(vectors, 1)[1][:, 0]
        return numbers.astype(np.int32)


def train_codebook(stored: StoredFragments) -> Codebook:
    """Cluster stored vectors by k-means on a sample; the same vectors give the same codebook."""
    count = codebook_size(len(stored.vectors))
    means = faiss.Kmeans(stored.dimension, count, niter=ITERATIONS, seed=SEED)
    means.train(sample(stored, count * SAMPLE))
    return Codebook(np.ascontiguousarray(means.centroids))


def codebook_size(fragments: int) -> int:
    """Return how many centroids a collection gets: four times the root of its fragments, where a sample allows.

    >>> codebook_size(160_000), codebook_size(2_000_000), codebook_size(20_000_000)
    (1600, 5656, 8192)
    """
    return max(1, min(MOST, int(4 * math.sqrt(fragments)), fragments // SAMPLE))


def sample(stored: StoredFragments, size: int) -> npt.NDArray[np.float32]:
    """Draw stored vectors without repetition, in stored order, float32 (at most size, D)."""
    rows = np.random.default_rng(SEED).choice(len(stored.vectors), min(size, len(stored.vectors)), replace=False)
    return stored.rows(np.sort(rows))
