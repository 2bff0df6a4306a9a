"""Fragments grouped by item, and what any index of them must do.

An item is a photo (its fragments are region vectors) or a sentence (its fragments are word vectors). The same score
of a pair is two different operations, depending on which side is stored; `ScoreTerms` says which one a search needs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from model.score import ScoreConfig

Kind = Literal["images", "sentences"]

Effort = Literal["fast", "normal", "thorough", "exact"]
"""How much a search may cost: from the fewest candidates to every item."""


@dataclass(frozen=True)
class Fragments:
    """Items with their vectors, in one piece of memory.

    Attributes:
        ids: the items' ids, int64 (I,), distinct.
        offsets: int64 (I + 1,), ascending from 0; item i has the vectors offsets[i]:offsets[i + 1], at least one.
        vectors: float32 (N, D), as the model made them, finite.
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.ids.ndim != 1 or self.offsets.shape != (len(self.ids) + 1,):
            raise ValueError(
                f"ids {self.ids.shape}, offsets {self.offsets.shape} and vectors {self.vectors.shape} do not fit"
            )
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.vectors) or np.any(np.diff(self.offsets) < 1):
            raise ValueError("offsets must ascend from 0 to the number of vectors, and every item needs a vector")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, ids: Sequence[int], vectors: Sequence[npt.NDArray[np.float32]], dimension: int) -> Self:
        """Join the vectors of several items.

        Args:
            ids: one id per item.
            vectors: one float32 (n, D) array per item, n >= 1.
            dimension: D, needed where there is no item.
        """
        counts = [len(rows) for rows in vectors]
        joined = np.concatenate(vectors) if len(vectors) else np.empty((0, dimension), np.float32)
        offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
        return cls(np.asarray(ids, np.int64).reshape(-1), offsets, np.ascontiguousarray(joined, np.float32))

    def item(self, number: int) -> npt.NDArray[np.float32]:
        """The vectors of the item at this place (not of this id), float32 (n, D), a view."""
        return self.vectors[self.offsets[number] : self.offsets[number + 1]]

    def take(self, numbers: npt.NDArray[np.int64]) -> "Fragments":
        """The items at these places, in the order given; copies their vectors."""
        rows, offsets = rows_of(self.offsets, numbers)
        return Fragments(self.ids[numbers], offsets, self.vectors[rows])


def rows_of(
    offsets: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Say which vectors the items at these places have.

    Args:
        offsets: int64 (I + 1,), of all items.
        numbers: places of n items, in any order.

    Returns:
        The places of their vectors, item after item, and offsets int64 (n + 1,) into these.
    """
    counts = offsets[numbers + 1] - offsets[numbers]
    chosen = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(offsets[numbers] - chosen[:-1], counts) + np.arange(chosen[-1]), chosen


def runs(offsets: npt.NDArray[np.int64], rows: int) -> Iterator[tuple[int, int]]:
    """Cut items into runs first:last of at most `rows` vectors, one item at least."""
    first, count = 0, len(offsets) - 1
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + rows, side="right")) - 1
        last = max(first + 1, last)
        yield first, last
        first = last


def runs_of(offsets: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64], rows: int) -> Iterator[tuple[int, int]]:
    """Cut the items at these places likewise; the runs count in `numbers`."""
    return runs(np.concatenate([[0], np.cumsum(offsets[numbers + 1] - offsets[numbers])]), rows)


@dataclass(frozen=True)
class ScoreTerms:
    """Which terms the score of a query and a stored item has; the score is their sum.

    Attributes:
        query: reduce over the QUERY's vectors the max over the item's STORED vectors.
        stored: reduce over the item's STORED vectors the max over the QUERY's vectors.
        reduction: "sum" or "mean", of each term over what it reduces.
    """

    query: bool
    stored: bool
    reduction: Literal["sum", "mean"]

    @classmethod
    def between(cls, query: Kind, stored: Kind, score: ScoreConfig) -> Self:
        """Terms of the checkpoint's score for a query of one kind against stored items of another.

        Words against regions are the score that the model was trained for. Two photos, or two sentences, have no
        trained score: theirs is the same formula with a mean, so that long and short items compare.
        """
        both = score.directions == "both"
        if query == stored:
            return cls(query=True, stored=both, reduction="mean")
        words_asked = query == "sentences"
        return cls(query=words_asked or both, stored=not words_asked or both, reduction=score.reduction)


@dataclass(frozen=True)
class QueryPart:
    """Vectors that are searched for, or, with a negative weight, away from; a query's score is the sum of its parts'.

    Attributes:
        vectors: float32 (Q, D), Q >= 1, finite.
        terms: which terms the score of this part has.
        weight: that the part's score is multiplied with.
    """

    vectors: npt.NDArray[np.float32]
    terms: ScoreTerms
    weight: float = 1.0


class Weighted(Protocol):
    """A part of a query, or what was made of one."""

    @property
    def weight(self) -> float:
        """What its score is multiplied with."""
        ...


WeightedPart = TypeVar("WeightedPart", bound=Weighted)


def weighted_sum(
    parts: Sequence[WeightedPart], score: Callable[[WeightedPart], npt.NDArray[np.float32]]
) -> npt.NDArray[np.float32]:
    """Add up the scores of a query's parts, float32 (I,); a lone part of weight one keeps its scores bit for bit."""
    first, *others = parts
    total = score(first)
    if first.weight != 1:
        total = total * np.float32(first.weight)
    for part in others:
        total = total + score(part) * np.float32(part.weight)  # a part may keep what it gave
    return total


class FragmentIndex(Protocol):
    """Stored fragments of one kind, grouped by item: one state, which never changes, so that any thread may read it.

    Ids belong to the caller and survive `revise`. An index proposes candidates and scores them exactly
    (`engine.ranking`), so an approximate index can lose a hit but never misorder two.
    """

    dimension: int
    fragment_count: int

    @classmethod
    def create(cls, path: Path, dimension: int, pieces: Iterable[Fragments]) -> Self:
        """Write an index of these items into a new folder and open it; holds one piece at a time.

        Raises:
            BadFragments: a vector is not finite or not of D numbers, or an id comes twice; nothing usable is left.
            StorageError: the folder cannot be written.
        """
        ...

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open what `create` or `revise` wrote; takes no longer for a large index.

        Raises:
            IndexDamaged: the files are missing or hold something else.
        """
        ...

    def revise(self, path: Path, removed: npt.NDArray[np.int64], added: Iterable[Fragments]) -> Self:
        """Write this index less some items plus others into a new folder; this one stays as it is.

        Takes about as long as a new index of what is added, and a little for what is there.

        Args:
            path: the new folder.
            removed: ids of the items that go; unknown ones are ignored.
            added: the items that come.

        Raises:
            BadFragments, StorageError: as `create`.
        """
        ...

    def without(self, ids: npt.NDArray[np.int64]) -> Self:
        """This index less the items of these ids, in memory alone; unknown ones are ignored."""
        ...

    def ageing(self) -> str | None:
        """Say why searches would gain by writing the items anew, as a phrase; None where they would not."""
        ...

    def renew(self, path: Path) -> Self:
        """Write the same items into a new folder, in the form that suits what is held by now; this one stays as it is.

        May take as long as a new index of all items.

        Raises:
            StorageError: the folder cannot be written.
        """
        ...

    def __len__(self) -> int:
        """Number of items."""
        ...

    def ids(self) -> npt.NDArray[np.int64]:
        """Ids of all items, int64 (I,), in stored order."""
        ...

    def fragment_counts(self) -> npt.NDArray[np.int64]:
        """Number of vectors of each item, int64 (I,), in stored order."""
        ...

    def candidates(
        self,
        query: Sequence[QueryPart],
        k: int,
        effort: Effort,
        allowed: npt.NDArray[np.int64] | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Propose items among which the k best should be, and score them by their exact vectors.

        An item's score depends on no other item.

        Args:
            query: its parts, one at least; the score is the sum of theirs.
            k: how many are wanted.
            effort: how many may be proposed; "exact": all that are allowed. The index may always give more.
            allowed: only these ids may be given, and k of them are; None: all.

        Returns:
            Distinct ids, int64, in stored order, and their scores, float32; fewer than k only where fewer are allowed.
        """
        ...

    def fragments(self, ids: npt.NDArray[np.int64]) -> Fragments:
        """The items with these ids, in the order given, copied into memory.

        Raises:
            KeyError: an id is not in the index.
        """
        ...

    def pieces(self, ids: npt.NDArray[np.int64] | None = None) -> Iterator[Fragments]:
        """The items with these ids, in the order given, or all, a few megabytes at a time.

        Each piece is valid until the next is asked for.

        Raises:
            KeyError: an id is not in the index.
        """
        ...
