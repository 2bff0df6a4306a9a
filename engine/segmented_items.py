"""The items of several segments as one sequence.

A place counts the items of all segments, the removed ones included; segment after segment.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.codebook import Codebook
from engine.fragments import Fragments, ScoreTerms
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

    def coarse_scores(
        self, query: npt.NDArray[np.float32], codebook: Codebook, terms: ScoreTerms, probes: int
    ) -> npt.NDArray[np.float32]:
        """Score all places by their centroids, float32 (P,).

        Args:
            query: float32 (Q, D).
            codebook: of the segments.
            terms: which terms the score has.
            probes: lists looked at for each of the query's vectors; see CompressedFragments.query_term.
        """
        by_query = [np.zeros(len(segment.stored), np.float32) for segment in self.segments]
        best = np.full(len(codebook), -np.inf, np.float32)
        for _, products in codebook.tables(query):
            table = np.ascontiguousarray(products.T)  # (up to Q, C)
            np.maximum(best, table.max(axis=0), out=best)
            for segment, total in zip(self.segments, by_query, strict=True):
                if terms.query and segment.compressed:
                    total += segment.compressed.query_term(table, probes).cpu().numpy()
        scores = []
        for segment, total in zip(self.segments, by_query, strict=True):
            stored = total
            if terms.stored and segment.compressed:
                stored = segment.compressed.stored_term(best).cpu().numpy()
            scores.append(joined_terms(total, stored, terms, len(query), segment.counts))
        return np.concatenate(scores) if len(scores) > 1 else scores[0]

    def refined_scores(
        self, query: npt.NDArray[np.float32], terms: ScoreTerms, places: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Score the items at these places by centroids and residuals, float32 (n,)."""
        scores = np.empty(len(places), np.float32)
        for segment, numbers, run in self._by_segment(places):
            if segment.compressed:
                scores[run] = segment.compressed.refined_scores(query, terms, numbers)
        return scores

    def _by_segment(self, places: npt.NDArray[np.int64]) -> Iterator[tuple[Segment, npt.NDArray[np.int64], slice]]:
        """Cut places into runs of one segment, each with its items' places in that segment."""
        owners = np.searchsorted(self._starts, places, side="right") - 1
        bounds = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(places)]
        for first, last in pairwise(bounds):
            if first < last:
                owner = int(owners[first])
                yield self.segments[owner], places[first:last] - self._starts[owner], slice(first, last)
