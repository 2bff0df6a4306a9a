"""Scores without the exact vectors, each of fewer items than the one before.

Coarse scores take every fragment for its centroid: of all items by one term, then of the best of these by both. The
stored term of all items is one look-up for each fragment, and says well which are worth the query's term, which of all
items would cost several passes over the memory for each of the query's vectors. It is made of all, by inverted lists,
where the score has no other. Refined scores know the fragments' residuals, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from engine.codebook import QUERY_ROWS, Codebook
from engine.fragments import QueryPart, ScoreTerms, weighted_sum
from engine.scoring import joined_terms
from engine.segmented_items import SegmentedItems

Numbers = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Table = tuple[Numbers, Numbers]


def coarse_term(terms: ScoreTerms) -> ScoreTerms:
    """Return the one term that all items are scored by: the stored one where there is one."""
    return replace(terms, query=not terms.stored)


class ApproximateScores:
    """Of one query.

    Args:
        items: compressed.
        query: its parts, one at least.
        codebook: of the items.
        probes: lists looked at for each of the query's vectors; see CompressedFragments.query_term.
    """

    def __init__(self, items: SegmentedItems, query: Sequence[QueryPart], codebook: Codebook, probes: int) -> None:
        self._parts = [_Part(items, part, codebook, probes) for part in query]

    def coarse(self) -> Numbers:
        """Score all places by the stored term, or by the query's where it is the only one, float32 (P,)."""
        return weighted_sum(self._parts, lambda part: part.coarse())

    def coarse_of(self, places: Places) -> Numbers:
        """Score these places by all terms, float32 (n,)."""
        return weighted_sum(self._parts, lambda part: part.coarse_of(places))

    def refined_of(self, places: Places) -> Numbers:
        """Score these places by all terms, with the residuals, float32 (n,)."""
        return weighted_sum(self._parts, lambda part: part.refined_of(places))


class _Part:
    def __init__(self, items: SegmentedItems, part: QueryPart, codebook: Codebook, probes: int) -> None:
        self._items, self._vectors, self._terms, self.weight = items, part.vectors, part.terms, part.weight
        self._codebook, self._probes = codebook, probes
        self._by_query: Numbers | None = None  # sums of all places, float32 (P,), once one was asked for
        self._by_stored: Numbers | None = None

    def coarse(self) -> Numbers:
        if self._terms.stored:
            sums = self._by_stored = self._items.stored_term(self._best)
        else:
            sums = self._by_query = np.zeros(len(self._items.ids), np.float32)
            for _, products in self._tables():
                sums += self._items.query_term(np.ascontiguousarray(products.T), self._probes)
        return joined_terms(sums, sums, coarse_term(self._terms), len(self._vectors), self._items.counts)

    def coarse_of(self, places: Places) -> Numbers:
        by_query = by_stored = np.zeros(len(places), np.float32)
        if self._terms.query:
            by_query = self._query_term_of(places) if self._by_query is None else self._by_query[places]
        if self._terms.stored and self._by_stored is None:
            by_stored = self._items.stored_term_of(self._best, places)
        elif self._by_stored is not None:
            by_stored = self._by_stored[places]
        return joined_terms(by_query, by_stored, self._terms, len(self._vectors), self._items.counts[places])

    def refined_of(self, places: Places) -> Numbers:
        return self._items.refined_scores(self._tables(), self._terms, places)

    def _query_term_of(self, places: Places) -> Numbers:
        sums = np.zeros(len(places), np.float32)
        for _, products in self._tables():
            sums += self._items.query_term_of(products, places)
        return sums

    @cached_property
    def _best(self) -> Numbers:
        """The best of the query's products with each centroid, float32 (C,)."""
        best = np.full(len(self._codebook), -np.inf, np.float32)
        for _, products in self._tables():
            np.maximum(best, torch.from_numpy(products).amax(1).numpy(), out=best)  # numpy's is slow for short rows
        return best

    def _tables(self) -> Sequence[Table] | Iterator[Table]:
        """See Codebook.tables; those of a long query are made anew each time."""
        return self._kept if len(self._vectors) <= QUERY_ROWS else self._codebook.tables(self._vectors)

    @cached_property
    def _kept(self) -> list[Table]:
        return list(self._codebook.tables(self._vectors))
