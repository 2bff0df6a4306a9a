"""How deep the embedded index looks at each effort."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from engine.fragments import Effort, ScoreTerms


@dataclass(frozen=True)
class Depth:
    """How many take each stage of an indexed search.

    Attributes:
        lists: of the codebook, looked at for each vector of a query, as a part of all.
        narrowed: items whose coarse scores are made of both terms, for each that is refined.
        refined: items whose compressed fragments are scored, for each root of the number of items.
        exact: items whose exact vectors are scored, at least; more for more hits.
    """

    lists: float
    narrowed: int
    refined: float
    exact: int

    def probes(self, centroids: int) -> int:
        """Lists that are looked at."""
        return max(1, math.ceil(self.lists * centroids))

    def to_score(self, k: int) -> int:
        """Items scored exactly for k hits."""
        return max(self.exact, 3 * k)

    def to_refine(self, items: int, k: int, terms: Iterable[ScoreTerms]) -> int:
        """Items scored by their compressed fragments for k hits.

        Thrice as many where a part of the query has its own term alone: a maximum over a few fragments, of which
        centroids say less than of a sum over all.
        """
        alone = 1 if all(part.stored for part in terms) else 3
        return max(int(alone * self.refined * math.sqrt(items)), 4 * self.to_score(k))


DEPTHS: dict[Effort, Depth] = {
    "fast": Depth(1 / 128, 2, 1, 50),
    "normal": Depth(1 / 128, 3, 1.5, 100),
    "thorough": Depth(1 / 32, 4, 12, 400),
}
"""Measured in docs/measurements.md; "exact" has no depth, it scores every item."""
