"""How deep the embedded index looks at each effort."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.fragments import Effort, ScoreTerms


@dataclass(frozen=True)
class Depth:
    """How many take each stage of an indexed search.

    Attributes:
        query_lists: part of the codebook's lists that are looked at for each vector of a query, where its own term is
            the score's only one.
        stored_lists: part of the lists that are looked at for the stored term.
        listed: items whose coarse scores are made, for each that is refined.
        refined: items whose compressed fragments are scored, for each root of the number of items.
        exact: items whose exact vectors are scored, at least; more for more hits.
    """

    query_lists: float
    stored_lists: float
    listed: int
    refined: float
    exact: int

    def to_score(self, k: int) -> int:
        """Items scored exactly for k hits."""
        return max(self.exact, 3 * k)

    def to_refine(self, items: int, k: int, terms: Sequence[ScoreTerms]) -> int:
        """Items scored by their compressed fragments for k hits.

        Thrice as many where a part of the query has its own term alone: a maximum over a few fragments, of which
        centroids say less than of a sum over all.
        """
        return max(int((3 if _alone(terms) else 1) * self.refined * math.sqrt(items)), 4 * self.to_score(k))

    def to_list(self, items: int, k: int, terms: Sequence[ScoreTerms]) -> int:
        """Items that the lists choose for k hits; those that are refined where they say as much as the centroids."""
        return self.to_refine(items, k, terms) * (1 if _alone(terms) else self.listed)


def _alone(terms: Iterable[ScoreTerms]) -> bool:
    return not all(part.stored for part in terms)


DEPTHS: dict[Effort, Depth] = {
    "fast": Depth(1 / 256, 1 / 20, 4, 1.2, 50),
    "normal": Depth(1 / 64, 1 / 12, 6, 3, 150),
    "thorough": Depth(1 / 32, 1 / 4, 6, 12, 400),
}
"""Measured in docs/measurements.md; "exact" has no depth, it scores every item."""
