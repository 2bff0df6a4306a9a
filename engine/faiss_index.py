"""The embedded index: exact vectors on disk, and their compressed form once exact search would be slow.

A search of a large index has three stages, each over fewer items: coarse scores of all, refined scores of the best, and
the exact scores that `engine.ranking` makes of the candidates given here.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.compressed_fragments import CompressedFragments, compress
from engine.effort import DEPTHS
from engine.exceptions import StorageError
from engine.fragments import Effort, Fragments, ScoreTerms
from engine.stored_fragments import StoredFragments, write_fragments

EXACT_UP_TO = 50_000
"""Fragments up to which every search is exact: 2,500 photos, 10 ms on one core, and nothing to build. (The stages are
faster from 15,000 on, by milliseconds.)"""

COMPRESSED = "compressed"  # folder within the index's


class FaissFragmentIndex:
    """The embedded index; see FragmentIndex."""

    def __init__(self, path: Path) -> None:
        """Open what `create` wrote; see FragmentIndex.open."""
        self._stored = StoredFragments(path)
        self.dimension = self._stored.dimension
        self.fragment_count = len(self._stored.vectors)
        self._compressed: CompressedFragments | None = None
        if (path / COMPRESSED).exists():
            self._compressed = CompressedFragments(path / COMPRESSED, self._stored.offsets, self.dimension)

    @classmethod
    def create(
        cls, path: Path, dimension: int, pieces: Iterable[Fragments], former: CompressedFragments | None = None
    ) -> Self:
        """Write an index into a new folder; see FragmentIndex.create. `former` may lend what was trained."""
        try:
            path.mkdir(parents=True)
            stored = write_fragments(path, dimension, pieces)
            if len(stored.vectors) > EXACT_UP_TO:
                (path / COMPRESSED).mkdir()
                compress(path / COMPRESSED, stored, former)
        except OSError as error:
            raise StorageError(f"cannot write the index to {path}: {error}") from error
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open what `create` wrote; see FragmentIndex.open."""
        return cls(path)

    def revise(self, path: Path, removed: npt.NDArray[np.int64], added: Iterable[Fragments]) -> Self:
        """Write the next state into a new folder; see FragmentIndex.revise."""
        kept = np.flatnonzero(~np.isin(self._stored.ids, removed))
        return self.create(path, self.dimension, chain(self._stored.pieces(kept), added), self._compressed)

    def __len__(self) -> int:
        return len(self._stored)

    def ids(self) -> npt.NDArray[np.int64]:
        """Ids of all items, int64 (I,), in stored order."""
        return self._stored.ids

    def candidates(
        self,
        query: npt.NDArray[np.float32],
        terms: ScoreTerms,
        k: int,
        effort: Effort,
        allowed: npt.NDArray[np.int64] | None = None,
    ) -> npt.NDArray[np.int64]:
        """Every item where that is asked for or fast, else the best by compressed fragments; see FragmentIndex."""
        ids = self._stored.ids
        numbers = np.arange(len(ids)) if allowed is None else np.flatnonzero(np.isin(ids, allowed))
        if self._compressed is None or effort == "exact":
            return ids[numbers]
        depth = DEPTHS[effort]
        to_refine, to_score = depth.to_refine(len(ids), k), depth.to_score(k)
        if len(numbers) > to_refine:
            scores = self._compressed.coarse_scores(query, terms, depth.probes(len(self._compressed.centroids)))
            numbers = numbers[_best(scores[numbers], to_refine)]
        if len(numbers) > to_score:
            numbers = numbers[_best(self._compressed.refined_scores(query, terms, numbers), to_score)]
        return ids[numbers]

    def fragments(self, ids: npt.NDArray[np.int64]) -> Fragments:
        """The items with these ids, in the order given; see FragmentIndex.fragments."""
        numbers = self._numbers(ids)
        vectors = [np.empty((0, self.dimension), np.float32)]
        vectors += [piece.vectors.copy() for piece in self._stored.pieces(numbers)]
        counts = self._stored.offsets[numbers + 1] - self._stored.offsets[numbers]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Fragments(self._stored.ids[numbers], offsets, np.concatenate(vectors))

    def pieces(self, ids: npt.NDArray[np.int64] | None = None) -> Iterator[Fragments]:
        """The items with these ids, or all; see FragmentIndex.pieces."""
        return self._stored.pieces(None if ids is None else self._numbers(ids))

    def memory_bytes(self) -> int:
        """Bytes of what every search reads of: all but the exact vectors."""
        stored = self._stored.ids.nbytes + self._stored.offsets.nbytes
        return stored + (self._compressed.memory_bytes() if self._compressed else 0)

    def bytes_touched(self, query_vectors: int, terms: ScoreTerms, k: int, effort: Effort) -> int:
        """About the bytes that a search for k hits must read, for a benchmark's floor."""
        items = len(self._stored)
        size = self.fragment_count / max(1, items)  # fragments of an item
        vector = self._stored.vectors.itemsize * self.dimension
        if self._compressed is None or effort == "exact":
            return round(items * size * vector)
        depth = DEPTHS[effort]
        refined, exact = min(items, depth.to_refine(items, k)), min(items, depth.to_score(k))
        coarse = self._compressed.bytes_touched(query_vectors, terms, depth.probes(len(self._compressed.centroids)))
        return coarse + round(size * (refined * (self._compressed.quantizer.size + 4) + exact * vector))

    @cached_property
    def _order(self) -> npt.NDArray[np.int64] | None:
        """The places of all items by their ids; None where they are stored in that order."""
        ids = self._stored.ids
        return None if (ids[1:] > ids[:-1]).all() else np.argsort(ids)

    def _numbers(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The places of the items with these ids."""
        stored, order = self._stored.ids, self._order
        found = np.minimum(np.searchsorted(stored, ids, sorter=order), max(0, len(self) - 1))
        numbers = found if order is None else order[found]
        missing = stored[numbers] != ids if len(self) else np.ones(len(ids), bool)
        if missing.any():
            raise KeyError(f"not in the index: {np.asarray(ids)[missing][:5].tolist()}")
        return numbers


def _best(scores: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """The places of the `count` largest scores, in ascending order; of equal ones at the edge those that come first."""
    edge = np.partition(scores, len(scores) - count)[len(scores) - count]
    above, equal = np.flatnonzero(scores > edge), np.flatnonzero(scores == edge)
    return np.sort(np.concatenate([above, equal[: count - len(above)]]))
