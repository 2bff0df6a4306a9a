"""The k best items of an index: candidates in, exact order out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.cores import CORES
from engine.exceptions import BadRequest
from engine.fragments import Effort, FragmentIndex, QueryPart, ScoreTerms
from engine.scoring import top_k

DEFAULT_EFFORT: Effort = "normal"


def best_items(
    index: FragmentIndex,
    query: npt.NDArray[np.float32],
    terms: ScoreTerms,
    k: int,
    effort: Effort = DEFAULT_EFFORT,
    allowed: npt.NDArray[np.int64] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Find the items that score best for a query of one part; see `best_by_parts`.

    Args:
        index: where to look.
        query: the query's vectors, float32 (Q, D), Q >= 1.
        terms: which terms the score has.
        k: how many.
        effort: how much it may cost; "exact" misses none.
        allowed: only these ids may be found; None: all.
    """
    return best_by_parts(index, [QueryPart(query, terms)], k, effort, allowed)


def best_by_parts(
    index: FragmentIndex,
    query: Sequence[QueryPart],
    k: int,
    effort: Effort = DEFAULT_EFFORT,
    allowed: npt.NDArray[np.int64] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Find the items whose scores, added up over the query's parts, are best.

    Candidates are chosen by the same sum, so that what a negative part keeps out takes no candidate's place.

    Args:
        index: where to look.
        query: its parts, one at least.
        k: how many.
        effort: how much it may cost; "exact" misses none.
        allowed: only these ids may be found; None: all.

    Returns:
        Ids int64 (K,) and their exact scores float32 (K,), best first; of equal scores the smaller id comes first.
        K is less than k only where fewer items are allowed.

    Raises:
        BadRequest: a part has no vector, or one that is of another D, or NaN or infinity.
    """
    for part in query:
        _check(part.vectors, index.dimension)
    with CORES.share():
        ids, scores = index.candidates(query, k, effort, allowed)
    return top_k(scores, ids, k)


def _check(vectors: npt.NDArray[np.float32], dimension: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dimension or not len(vectors) or not np.isfinite(vectors).all():
        raise BadRequest(f"a query is one or more vectors of {dimension} finite numbers, not {vectors.shape}")
