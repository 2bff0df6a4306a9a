"""The items of several segments as one sequence.

A place counts the items of all segments, the removed ones included; segment after segment.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.codebook import Table
from engine.compressed_fragments import CompressedFragments
from engine.fragments import Fragments, QueryPart, ScoreTerms, weighted_sum
from engine.scoring import joined_terms
from engine.segments import Segment


class SegmentedItems:
    """Items by place.

    Attributes:
        segments: one at least.
        ids: of all places, int64 (P,).
        kept: places of the items that are there, ascending.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments
        self._starts = np.cumsum([0, *(len(segment.stored) for segment in segments)])
        self.ids = np.concatenate([segment.stored.ids for segment in segments])
        pairs = zip(segments, self._starts[:-1], strict=True)
        self.kept = np.delete(np.arange(len(self.ids)), np.concatenate([part.removed + start for part, start in pairs]))

    @property
    def dimension(self) -> int:
        """D."""
        return self.segments[0].stored.dimension

    @property
    def fragment_count(self) -> int:
        """Vectors of the items that are there."""
        return sum(segment.kept_fragments for segment in self.segments)

    def rows(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors at these places, ascending, which count those of the items that are there, float32 (n, D)."""
        bounds = np.cumsum([0, *(segment.kept_fragments for segment in self.segments)])
        cuts = np.searchsorted(rows, bounds)
        parts = zip(self.segments, bounds[:-1], pairwise(cuts), strict=True)
        return np.concatenate([segment.rows(rows[first:last] - bound) for segment, bound, (first, last) in parts])

    def pieces(self, places: npt.NDArray[np.int64]) -> Iterator[Fragments]:
        """The items at these places, in the order given; see StoredFragments.pieces."""
        for segment, numbers, _ in self._by_segment(places):
            yield from segment.stored.pieces(numbers)

    def exact_scores(self, query: Sequence[QueryPart], places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Scores of these places by their vectors, float32 (n,), on the processor."""
        scores, vectors = np.empty(len(places), np.float32), [part.vectors for part in query]
        for segment, numbers, run in self._by_segment(places):
            scores[run] = _weighted(query, segment.stored.scores(vectors, numbers), segment.counts[numbers])
        return scores

    @cached_property
    def counts(self) -> npt.NDArray[np.float32]:
        """Numbers of vectors of all places, float32 (P,), to divide by."""
        return _joined([segment.counts for segment in self.segments])

    def query_term(self, table: Table, part: float) -> npt.NDArray[np.float32]:
        """The query's term of all places by the lists, float32 (P,); see CompressedFragments.query_term."""
        return _joined([_compressed(segment).query_term(table, part) for segment in self.segments])

    def stored_term(self, best: npt.NDArray[np.float32], part: float, mean: bool) -> npt.NDArray[np.float32]:
        """The stored term of all places by the lists, float32 (P,); see CompressedFragments.stored_term."""
        return _joined([_compressed(one).stored_term(best, part, one.counts, mean) for one in self.segments])

    def query_term_of(self, table: Table, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The query's term of these places, float32 (n,); see CompressedFragments.query_term_of."""
        return self._of_some(places, lambda compressed, numbers: compressed.query_term_of(table, numbers))

    def stored_term_of(self, best: npt.NDArray[np.float32], places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The stored term of these places, float32 (n,); see CompressedFragments.stored_term_of."""
        return self._of_some(places, lambda compressed, numbers: compressed.stored_term_of(best, numbers))

    def refined_scores(
        self, tables: Iterable[Table], terms: ScoreTerms, places: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Scores of these places by centroids and residuals, float32 (n,); see CompressedFragments.refined_scores."""
        kept = list(tables)
        return self._of_some(places, lambda compressed, numbers: compressed.refined_scores(kept, terms, numbers))

    def _of_some(
        self,
        places: npt.NDArray[np.int64],
        look: Callable[[CompressedFragments, npt.NDArray[np.int64]], npt.NDArray[np.float32]],
    ) -> npt.NDArray[np.float32]:
        found = np.empty(len(places), np.float32)
        for segment, numbers, run in self._by_segment(places):
            found[run] = look(_compressed(segment), numbers)
        return found

    def _by_segment(self, places: npt.NDArray[np.int64]) -> Iterator[tuple[Segment, npt.NDArray[np.int64], slice]]:
        """Cut places into runs of one segment, each with its items' places in that segment."""
        if len(self.segments) == 1:
            yield self.segments[0], places, slice(None)
            return
        owners = np.searchsorted(self._starts, places, side="right") - 1
        bounds = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(places)]
        for first, last in pairwise(bounds):
            if first < last:
                owner = int(owners[first])
                yield self.segments[owner], places[first:last] - self._starts[owner], slice(first, last)


def _weighted(
    query: Sequence[QueryPart], sums: npt.NDArray[np.float32], counts: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Scores of items by both sums of each part, float32 (parts, 2, n), and their numbers of vectors, float32 (n,)."""
    left = iter(sums)

    def joined(part: QueryPart) -> npt.NDArray[np.float32]:
        by_query, by_stored = next(left)
        return joined_terms(by_query, by_stored, part.terms, len(part.vectors), counts)

    return weighted_sum(query, joined)


def _joined(parts: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _compressed(segment: Segment) -> CompressedFragments:
    assert segment.compressed is not None, "only a compressed index has stages"
    return segment.compressed
