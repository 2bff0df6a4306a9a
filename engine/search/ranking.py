"""The best items of several collections, and a ranking that only grows at its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.fragments import QueryPart
from engine.ranking import best_by_parts
from engine.scoring import top_k
from engine.search.request import SearchRequest
from engine.search.views import View

DEEPER = 4  # times as many items in each round that goes on where the last one ended

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """Items, best first.

    Attributes:
        ids: int64 (K,).
        scores: float32 (K,).
        owners: which of the views holds each, int64 (K,).
    """

    ids: Ids
    scores: npt.NDArray[np.float32]
    owners: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: npt.NDArray[np.bool_] | slice) -> "Ranking":
        """Return the items at these places."""
        return Ranking(self.ids[places], self.scores[places], self.owners[places])

    def continued(self, deeper: "Ranking") -> "Ranking":
        """Put behind these items what a deeper ranking has besides, as many in all as that has."""
        new = deeper.take(~np.isin(deeper.ids, self.ids))
        ids, scores = np.concatenate([self.ids, new.ids]), np.concatenate([self.scores, new.scores])
        joined = Ranking(ids, scores, np.concatenate([self.owners, new.owners]))
        return joined.take(slice(max(len(self), len(deeper))))


def best_of_all(
    views: Sequence[View], parts: Sequence[QueryPart], request: SearchRequest, allowed: Sequence[Ids | None], k: int
) -> Ranking:
    """Rank the k best items of all views; of equal scores the smaller id comes first.

    Args:
        views: of the collections.
        parts: of the query.
        request: how to search; its own k and cursor do not matter here.
        allowed: ids that may be found, for each view; None: all.
        k: how many; fewer come back where there are fewer that score enough.
    """
    found, owner_of = [], dict[int, int]()
    for number, (view, ids) in enumerate(zip(views, allowed, strict=True)):
        best = best_by_parts(view.index(request.target), parts, k, request.effort, ids)
        owner_of |= dict.fromkeys(best[0].tolist(), number)  # ids are the catalogue's: no two collections share one
        found.append(best)
    ids, scores = top_k(np.concatenate([best[1] for best in found]), np.concatenate([best[0] for best in found]), k)
    ranking = Ranking(ids, scores, np.array([owner_of[number] for number in ids.tolist()], np.int64))
    return ranking if request.min_score is None else ranking.take(scores >= request.min_score)


def rank_to(count: int, first: int, best: Callable[[int], Ranking]) -> Ranking:
    """Rank `count` items or more, or all there are, in rounds that go deeper.

    A deeper search of a compressed index has other candidates, which may put an item before others that were shown
    already. So each round keeps what the rounds before it ranked: a longer ranking begins with the shorter one.

    Args:
        count: items wanted.
        first: items of the first round; the same for all pages of a search.
        best: ranks so many items, or all there are.
    """
    ranking, depth = best(first), first
    while len(ranking) == depth < count:
        depth *= DEEPER
        ranking = ranking.continued(best(depth))
    return ranking
