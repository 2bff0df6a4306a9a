"""Centroids of a sample of vectors, and which of them is nearest.

Plain k-means compares every vector with every centroid. Here the sample is first parted into groups by a few means,
each group is clustered by itself, and one last step moves each centroid to the mean of the vectors that are nearest to
it: about a fiftieth of the work for 16,384 centroids. The nearest is likewise looked for in the few groups of centroids
that are nearest (FAISS's inverted file over the centroids).
"""

import math
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import torch

from engine.device import kmeans, placed

ITERATIONS = 10
SEED = 20
FLAT = 1024  # centroids up to which groups gain nothing
GROUPS_PROBED = 6
"""Groups of centroids in which the nearest is looked for: it is found for 98 % of vectors, and the squared distance is
0.3 % larger in the mean (16,384 centroids, 256 groups)."""


def train_centroids(sample: npt.NDArray[np.float32], count: int, device: torch.device) -> npt.NDArray[np.float32]:
    """Cluster a sample of vectors, float32 (n, D), n >= count; the same sample gives the same centroids.

    Returns:
        float32 (count, D).
    """
    if count <= FLAT:
        return kmeans(sample, count, ITERATIONS, SEED, device)
    groups = int(math.sqrt(count) / 2)
    tops = kmeans(sample[:: max(1, len(sample) // (groups * 256))], groups, ITERATIONS, SEED, device)
    owners = nearest_index(tops, device).search(sample, 1)[1][:, 0]
    shares = _shares(np.bincount(owners, minlength=groups), count)
    parts = [
        kmeans(np.ascontiguousarray(sample[owners == group]), int(share), ITERATIONS, SEED, device)
        for group, share in enumerate(shares)
        if share
    ]
    return _moved(sample, np.concatenate(parts), device)


def nearest_index(centroids: npt.NDArray[np.float32], device: torch.device) -> Any:
    """Return a FAISS index of which search(vectors, 1) gives each vector's nearest centroid."""
    flat = faiss.IndexFlatL2(centroids.shape[1])
    if len(centroids) <= FLAT:
        flat.add(centroids)
        return placed(flat, device)
    index = faiss.IndexIVFFlat(flat, centroids.shape[1], int(2 * math.sqrt(len(centroids))))
    index.cp.min_points_per_centroid = 1
    index.cp.seed = SEED
    index.nprobe = GROUPS_PROBED
    index.train(centroids)
    index.add(centroids)
    return placed(index, device)


def _shares(sizes: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Give each group centroids in proportion to its vectors, `count` in all and never more than it has vectors."""
    wanted = sizes * count / sizes.sum()
    shares: npt.NDArray[np.int64] = np.floor(wanted).astype(np.int64)
    shares[np.argsort(shares - wanted, kind="stable")[: count - int(shares.sum())]] += 1
    return shares


def _moved(
    sample: npt.NDArray[np.float32], centroids: npt.NDArray[np.float32], device: torch.device
) -> npt.NDArray[np.float32]:
    """Move each centroid to the mean of the vectors nearest to it."""
    owners = torch.from_numpy(nearest_index(centroids, device).search(sample, 1)[1][:, 0])
    counts = torch.bincount(owners, minlength=len(centroids))
    sums = torch.zeros(centroids.shape).index_add_(0, owners, torch.from_numpy(sample))
    moved = torch.where(counts[:, None] > 0, sums / counts[:, None].clamp(min=1), torch.from_numpy(centroids))
    means: npt.NDArray[np.float32] = moved.numpy()
    return means
