"""Made items of any number from a few real ones.

Each made item takes the number of fragments of a real item. Each of its fragments is, by the toss of a coin, that
item's own or a random one of a second item; noise in a random direction is added, and the length is put back to what it
was. The noise is as long as the median distance of a real fragment to the nearest one of another item, so that made
items lie about as densely as real ones. The same seed gives the same items.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.fragments import Fragments, rows_of

AT_ONCE = 250  # items of a piece: 5 MB of 20 regions
SAMPLE = 500  # fragments whose nearest neighbour is looked for


@dataclass(frozen=True)
class MadeItems:
    """A recipe for items.

    Attributes:
        real: what they are made of, two items at least.
        seed: of the random numbers.
    """

    real: Fragments
    seed: int = 0

    @cached_property
    def noise(self) -> float:
        """Return the length of what is added to a fragment."""
        return neighbour_distance(self.real, self.seed)

    def pieces(self, count: int) -> Iterator[Fragments]:
        """Make items of the ids 1 to `count`, a few megabytes at a time."""
        for first in range(0, count, AT_ONCE):
            random = np.random.default_rng([self.seed, first])
            yield self._piece(np.arange(first + 1, min(first + AT_ONCE, count) + 1), random)

    def _piece(self, ids: npt.NDArray[np.int64], random: np.random.Generator) -> Fragments:
        offsets = self.real.offsets
        own, other = random.integers(0, len(self.real), (2, len(ids)))
        rows, made = rows_of(offsets, own)
        lenders = np.repeat(other, np.diff(made))  # the second item of each fragment
        lent = offsets[lenders] + random.integers(0, offsets[lenders + 1] - offsets[lenders])
        vectors = self.real.vectors[np.where(random.random(len(rows)) < 0.5, rows, lent)]
        moved = vectors + random.standard_normal(vectors.shape, np.float32) * (self.noise / np.sqrt(vectors.shape[1]))
        moved *= _lengths(vectors) / np.maximum(_lengths(moved), np.finfo(np.float32).tiny)
        return Fragments(ids, made, moved.astype(np.float32))


def gathered(pieces: Iterable[Fragments]) -> Fragments:
    """Join pieces to items in one piece of memory."""
    held = list(pieces)
    counts = np.concatenate([np.diff(piece.offsets) for piece in held])
    vectors = np.concatenate([piece.vectors for piece in held])
    return Fragments(
        np.concatenate([piece.ids for piece in held]), np.append(0, np.cumsum(counts)).astype(np.int64), vectors
    )


def neighbour_distance(items: Fragments, seed: int) -> float:
    """Return the median distance of a fragment to the nearest of another item, of a sample of fragments."""
    owners = np.repeat(np.arange(len(items)), np.diff(items.offsets))
    rows = np.random.default_rng(seed).permutation(len(owners))[:SAMPLE]
    squares = (items.vectors**2).sum(axis=1)
    distances = squares[rows, None] + squares - 2 * items.vectors[rows] @ items.vectors.T
    distances[owners[rows, None] == owners] = np.inf
    return float(np.sqrt(np.median(np.maximum(distances.min(axis=1), 0))))


def _lengths(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    lengths: npt.NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return lengths
