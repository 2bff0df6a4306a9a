"""The embedded index: exact vectors on disk, and a codebook once exact search would be slow."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.codebook import Codebook
from engine.exceptions import StorageError
from engine.fragments import Fragments, ScoreTerms
from engine.stored_fragments import StoredFragments, write_fragments

EXACT_UP_TO = 1_000_000
"""Fragments up to which every item is a candidate: 47,000 photos of 21 regions, 0.1 s for ten words on two cores."""


class FaissFragmentIndex:
    """The embedded index; see FragmentIndex."""

    def __init__(self, stored: StoredFragments, codebook: Codebook | None) -> None:
        self._stored = stored
        self._codebook = codebook
        self.dimension = stored.dimension
        self.fragment_count = len(stored.vectors)

    @classmethod
    def create(cls, path: Path, dimension: int, pieces: Iterable[Fragments], exact_up_to: int | None = None) -> Self:
        """Write an index into a new folder; see FragmentIndex.create.

        Args:
            path: the folder.
            dimension: D.
            pieces: the items.
            exact_up_to: fragments up to which there is no codebook and every item is a candidate; None: EXACT_UP_TO.
        """
        try:
            path.mkdir(parents=True)
            stored = write_fragments(path, dimension, pieces)
            if len(stored.vectors) > (EXACT_UP_TO if exact_up_to is None else exact_up_to):
                Codebook.train(stored).write(path / "codebook.npz")
        except OSError as error:
            raise StorageError(f"cannot write the index to {path}: {error}") from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open what `create` wrote; see FragmentIndex.open."""
        codebook = path / "codebook.npz"
        return cls(StoredFragments(path), Codebook.read(codebook) if codebook.exists() else None)

    def revise(self, path: Path, removed: npt.NDArray[np.int64], added: Iterable[Fragments]) -> Self:
        """Write the next state into a new folder; see FragmentIndex.revise."""
        kept = np.flatnonzero(~np.isin(self._stored.ids, removed))
        return self.create(path, self.dimension, chain(self._stored.pieces(kept), added))

    def __len__(self) -> int:
        return len(self._stored)

    def ids(self) -> npt.NDArray[np.int64]:
        """Ids of all items, int64 (I,), in stored order."""
        return self._stored.ids

    def candidates(
        self,
        query: npt.NDArray[np.float32],
        terms: ScoreTerms,
        count: int,
        allowed: npt.NDArray[np.int64] | None = None,
    ) -> npt.NDArray[np.int64]:
        """Every item, or with a codebook the best by it; see FragmentIndex.candidates."""
        ids = self._stored.ids
        open_to = np.arange(len(self)) if allowed is None else np.flatnonzero(np.isin(ids, allowed))
        if self._codebook is None or len(open_to) <= count:
            return ids[open_to]
        coarse = self._codebook.scores(query, self._stored.offsets, terms)[open_to]
        best = np.argpartition(-coarse, count)[:count]
        return ids[np.sort(open_to[best])]

    def fragments(self, ids: npt.NDArray[np.int64]) -> Fragments:
        """The items with these ids, in the order given; see FragmentIndex.fragments."""
        pieces = [
            Fragments(piece.ids, piece.offsets, piece.vectors.copy())
            for piece in self._stored.pieces(self._numbers(ids))
        ]
        vectors = [piece.item(number) for piece in pieces for number in range(len(piece))]
        return Fragments.of(ids.tolist(), vectors, self.dimension)

    def pieces(self, ids: npt.NDArray[np.int64] | None = None) -> Iterator[Fragments]:
        """The items with these ids, or all; see FragmentIndex.pieces."""
        return self._stored.pieces(None if ids is None else self._numbers(ids))

    def _numbers(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Places of the items with these ids."""
        stored = self._stored.ids
        order = np.argsort(stored, kind="stable")
        places = np.searchsorted(stored, ids, sorter=order)
        numbers = order[np.minimum(places, len(self) - 1)] if len(self) else places
        found = stored[numbers] == ids if len(self) else np.zeros(len(ids), bool)
        if not found.all():
            raise KeyError(f"not in the index: {np.asarray(ids)[~found][:5].tolist()}")
        return numbers
