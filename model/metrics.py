"""Recall@K and median rank, as the field measures retrieval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Recall:
    """How well one direction ranks: percentages of queries with a true answer in the first 1, 5, 10; median rank."""

    r1: float
    r5: float
    r10: float
    median_rank: float


def ranks(scores: npt.NDArray[np.float32], true: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Rank the best true answer of each query, 1 for the first.

    A false answer with the same score as the true one counts as ranked before it: ties are not in our favour.

    Args:
        scores: of N queries and M answers, float32 (N, M).
        true: which answers are true, bool (N, M), at least one a query.
    """
    best = np.where(true, scores, -np.inf).max(axis=1, keepdims=True)
    before: npt.NDArray[np.int64] = ((scores >= best) & ~true).sum(axis=1)
    return before + 1


def recall(query_ranks: npt.NDArray[np.int64]) -> Recall:
    """Summarise ranks.

    >>> recall(np.array([1, 3, 7, 100]))
    Recall(r1=25.0, r5=50.0, r10=75.0, median_rank=5.0)
    """
    r1, r5, r10 = (round(100.0 * float((query_ranks <= k).mean()), 2) for k in (1, 5, 10))
    return Recall(r1, r5, r10, median_rank=float(np.median(query_ranks)))


def retrieval_recall(scores: npt.NDArray[np.float32], image_of: Sequence[int]) -> tuple[Recall, Recall]:
    """Measure both directions over all images and sentences, any number of sentences per image.

    Args:
        scores: float32 (I, S).
        image_of: the image of each of the S sentences.

    Returns:
        image -> sentence (rank of the best of the image's sentences), sentence -> image.
    """
    true = np.arange(len(scores))[:, None] == np.asarray(image_of)[None, :]  # (I, S)
    return recall(ranks(scores, true)), recall(ranks(scores.T, true.T))
