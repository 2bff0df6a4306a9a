"""The codebook of a collection: centroids that stand for its fragments, and patterns for what they leave.

Word vectors of one vocabulary word cluster tightly, so that "the n nearest words of each region" returns n dogs of n
arbitrary sentences. A fragment's centroid serves better: a query is multiplied with the centroids once, and the
coarse score of every item is looked up.

    centroids.npy   float32 (C, D)
    patterns.npy    float32 (B, 256, 4)    what a byte of a residual stands for
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import torch

from engine.array_files import open_array
from engine.centroids import nearest_index, train_centroids
from engine.cores import in_parts
from engine.device import CPU
from engine.kernels import in_lanes, multiply
from engine.residuals import SAMPLE as RESIDUALS
from engine.residuals import ResidualQuantizer

MOST = 16384
"""Centroids of the largest collections: above, multiplying a query with all of them costs more than they gain."""

SAMPLE = 40  # vectors for each centroid that is trained; FAISS asks for 39 or more
SEED = 20
QUERY_ROWS = 64  # vectors of a query whose table is in memory at a time: 4 MB with 16,384 centroids
AT_LEAST = 1000  # centroids that a thread multiplies


@dataclass(frozen=True)
class Table:
    """Some of a query's vectors, multiplied with the centroids; in lanes, see kernels.

    Attributes:
        asked: how many vectors, Q.
        lanes: the vectors, filled up to as many numbers as residuals have, float32 (B * 4, W).
        products: with the centroids, float32 (C, W).
    """

    asked: int
    lanes: npt.NDArray[np.float32]
    products: npt.NDArray[np.float32]


class VectorSource(Protocol):
    """Vectors on disk that a codebook can be trained on."""

    @property
    def dimension(self) -> int:
        """D."""
        ...

    @property
    def fragment_count(self) -> int:
        """Their number."""
        ...

    def rows(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors at these places, ascending, float32 (n, D)."""
        ...


class Codebook:
    """What the fragments of a collection are compressed with; read only.

    Attributes:
        centroids: float32 (C, D).
        quantizer: of the residuals.
    """

    def __init__(self, centroids: npt.NDArray[np.float32], quantizer: ResidualQuantizer) -> None:
        self.centroids = centroids
        self.quantizer = quantizer

    @classmethod
    def train(cls, stored: VectorSource, device: torch.device = CPU) -> Self:
        """Train on a sample of stored items, at least one; the same vectors give the same codebook."""
        count = codebook_size(stored.fragment_count)
        centroids = train_centroids(sample(stored, count * SAMPLE), count, device)
        drawn = sample(stored, RESIDUALS)
        nearest = nearest_index(centroids, device).search(drawn, 1)[1][:, 0]
        return cls(centroids, ResidualQuantizer.train(drawn - centroids[nearest]))

    def __len__(self) -> int:
        return len(self.centroids)

    def fits(self, fragments: int) -> bool:
        """Say whether a collection of that many fragments would get about as many centroids."""
        return 2 / 3 <= codebook_size(fragments) / len(self) <= 3 / 2

    def encode(
        self, blocks: Iterator[npt.NDArray[np.float32]], device: torch.device
    ) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]]:
        """Compress blocks of vectors, float32 (n, D), each to its centroids int32 (n,) and residuals uint8 (n, B)."""
        nearest = nearest_index(self.centroids, device)
        for block in blocks:
            codes = nearest.search(block, 1)[1][:, 0]
            yield codes.astype(np.int32), self.quantizer.encode(block - self.centroids[codes])

    def tables(self, query: npt.NDArray[np.float32]) -> Iterator[Table]:
        """Multiply a query, float32 (Q, D), with the centroids, up to QUERY_ROWS vectors at a time."""
        for first in range(0, len(query), QUERY_ROWS):
            part = query[first : first + QUERY_ROWS]
            lanes = in_lanes(part)
            products = np.empty((len(self), lanes.shape[1]), np.float32)
            in_parts(len(self), partial(multiply, self._halves, lanes, products), AT_LEAST)
            yield Table(len(part), self.quantizer.padded(lanes), products)

    @cached_property
    def _halves(self) -> npt.NDArray[np.uint16]:
        """The centroids in half precision, taken as uint16, (C, D)."""
        return torch.from_numpy(self.centroids).half().numpy().view(np.uint16)

    def write(self, path: Path) -> None:
        """Write into a new folder."""
        path.mkdir()
        np.save(path / "centroids.npy", self.centroids)
        self.quantizer.write(path / "patterns.npy")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            IndexDamaged: files are missing or hold something else.
        """
        centroids = open_array(path / "centroids.npy", np.float32, 2)
        return cls(centroids, ResidualQuantizer.read(path / "patterns.npy", centroids.shape[1]))


def codebook_size(fragments: int) -> int:
    """Return how many centroids a collection gets: eight times the root of its fragments, where a sample allows.

    >>> codebook_size(160_000), codebook_size(2_000_000), codebook_size(20_000_000)
    (3200, 11313, 16384)
    """
    return max(1, min(MOST, int(8 * math.sqrt(fragments)), fragments // SAMPLE))


def sample(stored: VectorSource, size: int) -> npt.NDArray[np.float32]:
    """Draw stored vectors without repetition, in stored order, float32 (at most size, D)."""
    rows = np.random.default_rng(SEED).choice(stored.fragment_count, min(size, stored.fragment_count), replace=False)
    return stored.rows(np.sort(rows))
