"""The k best items of an index: candidates in, exact order out."""

import numpy as np
import numpy.typing as npt

from engine.cores import CORES
from engine.exceptions import BadRequest
from engine.fragments import Effort, FragmentIndex, ScoreTerms
from engine.scoring import exact_scores, top_k

DEFAULT_EFFORT: Effort = "normal"


def best_items(
    index: FragmentIndex,
    query: npt.NDArray[np.float32],
    terms: ScoreTerms,
    k: int,
    effort: Effort = DEFAULT_EFFORT,
    allowed: npt.NDArray[np.int64] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Find the items that score best.

    Args:
        index: where to look.
        query: the query's vectors, float32 (Q, D), Q >= 1.
        terms: which terms the score has.
        k: how many.
        effort: how much it may cost; "exact" misses none.
        allowed: only these ids may be found; None: all.

    Returns:
        Ids int64 (K,) and their exact scores float32 (K,), best first; of equal scores the smaller id comes first.
        K is less than k only where fewer items are allowed.

    Raises:
        BadRequest: the query has no vector, or one that is of another D, or NaN or infinity.
    """
    if query.ndim != 2 or query.shape[1] != index.dimension or not len(query) or not np.isfinite(query).all():
        raise BadRequest(f"a query is one or more vectors of {index.dimension} finite numbers, not {query.shape}")
    with CORES.share():
        ids = index.candidates(query, terms, k, effort, allowed)
        pieces = index.pieces(None if len(ids) == len(index) else ids)
        scores = [exact_scores(query, piece, terms, index.device) for piece in pieces]
    return top_k(np.concatenate([np.empty(0, np.float32), *scores]), ids, k)
