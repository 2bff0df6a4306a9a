"""The codebook of a collection: centroids that stand for its fragments, and patterns for what they leave.

Word vectors of one vocabulary word cluster tightly, so that "the n nearest words of each region" returns n dogs of n
arbitrary sentences. A fragment's centroid serves better: a query is multiplied with the centroids once, and the
coarse score of every item is looked up.

    centroids.npy    float32 (C, D)
    directions.npy   float32 (D, P)         orthonormal; the few that hold most of what vectors say
    patterns.npy     float32 (B, 256, 4)    what a byte of a residual stands for
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
from engine.cores import share_out
from engine.device import CPU
from engine.kernels import LONGEST, in_lanes, multiply
from engine.residuals import PART, ResidualQuantizer
from engine.residuals import SAMPLE as RESIDUALS

MOST = 16384
"""Centroids of the largest collections: above, multiplying a query with all of them costs more than they gain."""

HELD = 0.98
"""Part of the products' squares that the compressed form keeps, at least; and at least half of all directions."""

SAMPLE = 40  # vectors for each centroid that is trained; FAISS asks for 39 or more
SEED = 20
QUERY_ROWS = 64  # vectors of a query whose table is in memory at a time: 4 MB with 16,384 centroids
AT_LEAST = 1000  # centroids that another thread is woken for


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
        directions: that searches know vectors by, orthonormal, float32 (D, P); see strongest_directions.
        quantizer: of the residuals by directions.
    """

    def __init__(
        self, centroids: npt.NDArray[np.float32], directions: npt.NDArray[np.float32], quantizer: ResidualQuantizer
    ) -> None:
        self.centroids = centroids
        self.directions = directions
        self.quantizer = quantizer

    @classmethod
    def train(cls, stored: VectorSource, device: torch.device = CPU) -> Self:
        """Train on a sample of stored items, at least one; the same vectors give the same codebook."""
        count = codebook_size(stored.fragment_count)
        centroids = train_centroids(sample(stored, count * SAMPLE), count, device)
        drawn = sample(stored, RESIDUALS)
        nearest = nearest_index(centroids, device).search(drawn, 1)[1][:, 0]
        directions = strongest_directions(drawn)
        return cls(centroids, directions, ResidualQuantizer.train((drawn - centroids[nearest]) @ directions))

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
            yield codes.astype(np.int32), self.quantizer.encode((block - self.centroids[codes]) @ self.directions)

    def tables(self, query: npt.NDArray[np.float32]) -> Iterator[Table]:
        """Multiply a query, float32 (Q, D), with the centroids, up to QUERY_ROWS vectors at a time."""
        for first in range(0, len(query), QUERY_ROWS):
            part = query[first : first + QUERY_ROWS]
            lanes = self.in_lanes(part)
            products = np.empty((len(self), lanes.shape[1]), np.float32)
            share_out(len(self), partial(multiply, *self.wholes, lanes, products), AT_LEAST)
            yield Table(len(part), self.quantizer.padded(lanes), products)

    def in_lanes(self, query: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Lay a query, float32 (Q, D), out in lanes as far as the directions hold it, float32 (P, W)."""
        return in_lanes(query @ self.directions)

    @cached_property
    def wholes(self) -> tuple[npt.NDArray[np.int16], float]:
        """The centroids by directions in whole numbers, int16 (C, P or one more), and their scale; see multiply."""
        known = self.centroids @ self.directions
        longest = np.linalg.norm(known, axis=1).max()
        scale = LONGEST / max(float(longest), float(np.finfo(np.float32).tiny))
        return np.pad(np.rint(known * scale).astype(np.int16), ((0, 0), (0, known.shape[1] % 2))), scale

    def write(self, path: Path) -> None:
        """Write into a new folder."""
        path.mkdir()
        np.save(path / "centroids.npy", self.centroids)
        np.save(path / "directions.npy", self.directions)
        self.quantizer.write(path / "patterns.npy")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            IndexDamaged: files are missing or hold something else.
        """
        centroids = open_array(path / "centroids.npy", np.float32, 2)
        directions = open_array(path / "directions.npy", np.float32, 2)
        return cls(centroids, directions, ResidualQuantizer.read(path / "patterns.npy", directions.shape[1]))


def strongest_directions(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Find the few directions that hold most of the products of such vectors.

    Args:
        vectors: float32 (n, D), one at least.

    Returns:
        Orthonormal, float32 (D, P); in each four that follow each other are strong and weak ones.
    """
    energies, directions = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    squares, directions = (
        energies[::-1] ** 2,
        directions[:, ::-1],
    )  # of products with vectors that are alike
    enough, size = int(np.searchsorted(np.cumsum(squares), HELD * squares.sum())) + 1, len(squares)
    count = min(size, -(-max(enough, size // 2) // PART) * PART)
    order = np.arange(count - count % PART).reshape(PART, -1).T.ravel()  # so that no byte stands for the strong alone
    order = np.append(order, np.arange(len(order), count))
    return np.ascontiguousarray(directions[:, order], np.float32)


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
