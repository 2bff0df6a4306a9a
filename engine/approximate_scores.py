"""Scores without the exact vectors, each of fewer items than the one before.

Listed scores are of all items, by one term and the lists of the best centroids alone: the stored term where the score
has one, which costs no more for a long query than for a short one and says well which items are worth more. Coarse
scores take every fragment for its centroid. Refined scores know the fragments' residuals, too.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.codebook import QUERY_ROWS, Codebook, Table
from engine.effort import Depth
from engine.fragments import QueryPart, weighted_sum
from engine.kernels import raise_to_best
from engine.scoring import joined_terms
from engine.segmented_items import SegmentedItems

Numbers = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


class ApproximateScores:
    """Of one query.

    Args:
        items: compressed.
        query: its parts, one at least.
        codebook: of the items.
        depth: says which lists are looked at.
    """

    def __init__(self, items: SegmentedItems, query: Sequence[QueryPart], codebook: Codebook, depth: Depth) -> None:
        self._parts = [_Part(items, part, codebook, depth) for part in query]

    def listed(self) -> Numbers:
        """Score all places by one term and the best lists, float32 (P,)."""
        return weighted_sum(self._parts, lambda part: part.listed())

    def coarse_of(self, places: Places) -> Numbers:
        """Score these places by all terms and their centroids, float32 (n,)."""
        return weighted_sum(self._parts, lambda part: part.coarse_of(places))

    def refined_of(self, places: Places) -> Numbers:
        """Score these places by all terms, their centroids and residuals, float32 (n,)."""
        return weighted_sum(self._parts, lambda part: part.refined_of(places))


class _Part:
    def __init__(self, items: SegmentedItems, part: QueryPart, codebook: Codebook, depth: Depth) -> None:
        self._items, self._vectors, self._terms, self.weight = items, part.vectors, part.terms, part.weight
        self._codebook, self._depth = codebook, depth

    def listed(self) -> Numbers:
        mean = self._terms.reduction == "mean"
        if self._terms.stored:
            return self._items.stored_term(self._best, self._depth.stored_lists, mean)
        sums = np.zeros(len(self._items.ids), np.float32)
        for table in self._tables():
            sums += self._items.query_term(table, self._depth.query_lists)
        return sums / np.float32(len(self._vectors)) if mean else sums

    def coarse_of(self, places: Places) -> Numbers:
        by_query = by_stored = np.zeros(len(places), np.float32)
        if self._terms.query:
            by_query = sum((self._items.query_term_of(table, places) for table in self._tables()), by_query)
        if self._terms.stored:
            by_stored = self._items.stored_term_of(self._best, places)
        return joined_terms(by_query, by_stored, self._terms, len(self._vectors), self._items.counts[places])

    def refined_of(self, places: Places) -> Numbers:
        return self._items.refined_scores(self._tables(), self._terms, places)

    @cached_property
    def _best(self) -> Numbers:
        """The best of the query's products with each centroid, float32 (C,)."""
        best = np.full(len(self._codebook), -np.inf, np.float32)
        for table in self._tables():
            raise_to_best(table.products, best)
        return best

    def _tables(self) -> Sequence[Table] | Iterator[Table]:
        """See Codebook.tables; those of a long query are made anew each time."""
        return self._kept if len(self._vectors) <= QUERY_ROWS else self._codebook.tables(self._vectors)

    @cached_property
    def _kept(self) -> list[Table]:
        return list(self._codebook.tables(self._vectors))
