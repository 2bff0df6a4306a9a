"""A second implementation of FragmentIndex, as plain as can be: numpy arrays in one file, every search exact.

It shows that the contract can be kept without FAISS, and what a new engine must do.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.exceptions import BadFragments, IndexDamaged
from engine.fragments import Effort, Fragments, QueryPart, weighted_sum
from engine.scoring import exact_scores

AT_ONCE = 50  # items of a piece


class ReferenceIndex:
    """Items in memory; see FragmentIndex."""

    def __init__(self, items: Fragments, dimension: int) -> None:
        self._items = items
        self.dimension = dimension
        self.fragment_count = len(items.vectors)

    @classmethod
    def create(cls, path: Path, dimension: int, pieces: Iterable[Fragments]) -> Self:
        joined = list(pieces)
        for piece in joined:
            _check(piece, dimension)
        items = _joined(joined, dimension)
        distinct, times = np.unique(items.ids, return_counts=True)
        if (times > 1).any():
            raise BadFragments(f"the id {distinct[times > 1][0]} was given twice")
        path.mkdir(parents=True)
        half = items.vectors.astype(np.float16)
        np.savez(path / "items.npz", ids=items.ids, offsets=items.offsets, vectors=half)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        try:
            with np.load(path / "items.npz") as file:
                vectors = file["vectors"].astype(np.float32)
                return cls(Fragments(file["ids"], file["offsets"], vectors), vectors.shape[1])
        except (OSError, ValueError, KeyError) as error:
            raise IndexDamaged(f"{path} cannot be read: {error}") from error

    def revise(self, path: Path, removed: npt.NDArray[np.int64], added: Iterable[Fragments]) -> Self:
        return self.create(path, self.dimension, [self.without(removed)._items, *added])

    def without(self, ids: npt.NDArray[np.int64]) -> Self:
        return type(self)(self._items.take(np.flatnonzero(~np.isin(self._items.ids, ids))), self.dimension)

    def ageing(self) -> str | None:
        return None

    def renew(self, path: Path) -> Self:
        return self.revise(path, np.empty(0, np.int64), [])

    def __len__(self) -> int:
        return len(self._items)

    def ids(self) -> npt.NDArray[np.int64]:
        return self._items.ids

    def fragment_counts(self) -> npt.NDArray[np.int64]:
        return np.diff(self._items.offsets)

    def candidates(
        self,
        query: Sequence[QueryPart],
        k: int,
        effort: Effort,
        allowed: npt.NDArray[np.int64] | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        items = self._items if allowed is None else self._items.take(np.flatnonzero(np.isin(self.ids(), allowed)))
        return items.ids, weighted_sum(query, lambda part: exact_scores(part.vectors, items, part.terms))

    def fragments(self, ids: npt.NDArray[np.int64]) -> Fragments:
        places = {int(number): place for place, number in enumerate(self._items.ids)}
        return self._items.take(np.array([places[int(number)] for number in ids], np.int64))

    def pieces(self, ids: npt.NDArray[np.int64] | None = None) -> Iterator[Fragments]:
        wanted = self._items.ids if ids is None else ids
        for first in range(0, len(wanted), AT_ONCE):
            yield self.fragments(wanted[first : first + AT_ONCE])


def _check(piece: Fragments, dimension: int) -> None:
    if piece.vectors.shape[1] != dimension:
        raise BadFragments(f"vectors of {piece.vectors.shape[1]} numbers in an index of {dimension}")
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(piece.vectors.astype(np.float16)).all(axis=1)
    if wrong.any():
        item = piece.ids[np.searchsorted(piece.offsets, wrong.argmax(), side="right") - 1]
        raise BadFragments(f"a vector of item {item} holds NaN, infinity or a number beyond 65,504")


def _joined(pieces: list[Fragments], dimension: int) -> Fragments:
    vectors = [piece.item(number) for piece in pieces for number in range(len(piece))]
    ids = [int(number) for piece in pieces for number in piece.ids]
    return Fragments.of(ids, vectors, dimension)
