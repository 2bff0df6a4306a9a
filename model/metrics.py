"""Ranks, Recall@K and median rank, as the field measures retrieval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SHOWN = 10  # answers of a query that a Ranking keeps


@dataclass(frozen=True)
class Recall:
    """How well one direction ranks: percentages of queries with a true answer in the first 1, 5, 10; median rank."""

    r1: float
    r5: float
    r10: float
    median_rank: float


@dataclass(frozen=True)
class Ranking:
    """Where the true answers of N queries stand, and what stands first.

    Attributes:
        ranks: of the best true answer, 1 for the first, int64 (N,).
        best_true: number of that answer, int64 (N,); of equal scores the lowest number.
        margin: its score less the best false answer's, float32 (N,); negative where a false one is ranked before it,
            infinite where all answers are true.
        first: numbers of the first answers, int64 (N, K), best first; of equal scores a false one comes first, then
            the lower number. K is 10, or the number of answers where there are fewer.
    """

    ranks: npt.NDArray[np.int64]
    best_true: npt.NDArray[np.int64]
    margin: npt.NDArray[np.float32]
    first: npt.NDArray[np.int64]


def ranks(scores: npt.NDArray[np.float32], true: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Rank the best true answer of each query, 1 for the first.

    A false answer with the same score as the true one counts as ranked before it, and so does every false answer where
    the true one's score is not a number: ties are not in our favour.

    Args:
        scores: of N queries and M answers, float32 (N, M).
        true: which answers are true, bool (N, M), at least one a query.
    """
    best = np.where(true, scores, -np.inf).max(axis=1, keepdims=True)
    before: npt.NDArray[np.int64] = (~(scores < best) & ~true).sum(axis=1)
    return before + 1


def rank_answers(scores: npt.NDArray[np.float32], true: npt.NDArray[np.bool_], shown: int = SHOWN) -> Ranking:
    """Rank the answers of each query.

    Args:
        scores: of N queries and M answers, float32 (N, M).
        true: which answers are true, bool (N, M), at least one a query.
        shown: K, how many first answers are kept.
    """
    shown = min(shown, scores.shape[1])
    first = np.stack([_first(row, right, shown) for row, right in zip(scores, true, strict=True)])
    of_true = np.where(true, scores, -np.inf)
    best_false = np.where(true, -np.inf, scores).max(axis=1)
    with np.errstate(invalid="ignore"):
        margin = of_true.max(axis=1) - best_false
    margin[np.isnan(margin)] = 0.0  # nothing tells them apart: neither has a score
    return Ranking(ranks(scores, true), _first_true(of_true, true), margin.astype(np.float32), first)


def rank_both_ways(scores: npt.NDArray[np.float32], image_of: npt.NDArray[np.int64]) -> tuple[Ranking, Ranking]:
    """Rank sentences for each image and images for each sentence, any number of sentences per image.

    Args:
        scores: float32 (I, S).
        image_of: the image of each sentence, int64 (S,); each image has one sentence at least.

    Returns:
        image -> sentence (the rank is that of the best of the image's sentences), sentence -> image.
    """
    true = np.arange(len(scores))[:, None] == image_of[None, :]  # (I, S)
    return rank_answers(scores, true), rank_answers(scores.T, true.T)


def recall(query_ranks: npt.NDArray[np.int64]) -> Recall:
    """Summarise ranks.

    >>> recall(np.array([1, 3, 7, 100]))
    Recall(r1=25.0, r5=50.0, r10=75.0, median_rank=5.0)
    """
    r1, r5, r10 = (round(100.0 * float((query_ranks <= k).mean()), 2) for k in (1, 5, 10))
    return Recall(r1, r5, r10, median_rank=float(np.median(query_ranks)))


def mean_recall(folds: Sequence[Recall]) -> Recall:
    """Average the measures of equal folds, the median ranks too.

    >>> mean_recall([Recall(10.0, 20.0, 30.0, 4.0), Recall(20.0, 40.0, 50.0, 5.0)])
    Recall(r1=15.0, r5=30.0, r10=40.0, median_rank=4.5)
    """
    values = np.array([[fold.r1, fold.r5, fold.r10, fold.median_rank] for fold in folds])
    return Recall(*(round(float(value), 2) for value in values.mean(axis=0)))


def _first(scores: npt.NDArray[np.float32], true: npt.NDArray[np.bool_], shown: int) -> npt.NDArray[np.int64]:
    """Order the first answers of one query; a score that is not a number comes last."""
    negated = -scores
    edge = np.partition(negated, shown - 1)[shown - 1]
    kept = np.flatnonzero(~(negated > edge))  # all that tie with the last, so that the tie rule decides
    order: npt.NDArray[np.int64] = kept[np.lexsort((true[kept], negated[kept]))[:shown]]
    return order


def _first_true(of_true: npt.NDArray[np.float32], true: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Find the best true answer of each query, the first true one where none has a score."""
    best: npt.NDArray[np.int64] = of_true.argmax(axis=1)
    scored = np.take_along_axis(true, best[:, None], axis=1)[:, 0]
    return np.where(scored, best, true.argmax(axis=1))
