"""The k best items of an index: candidates in, exact order out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from engine.cores import CORES
from engine.exceptions import BadRequest
from engine.fragments import Effort, FragmentIndex, Fragments, QueryPart, ScoreTerms, weighted_sum
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
        ids = index.candidates(query, k, effort, allowed)
        pieces = index.pieces(None if len(ids) == len(index) else ids)
        scores = [_exact(query, piece, index.device) for piece in pieces]
    return top_k(np.concatenate([np.empty(0, np.float32), *scores]), ids, k)


def _exact(query: Sequence[QueryPart], stored: Fragments, device: torch.device) -> npt.NDArray[np.float32]:
    return weighted_sum(query, lambda part: exact_scores(part.vectors, stored, part.terms, device))


def _check(vectors: npt.NDArray[np.float32], dimension: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dimension or not len(vectors) or not np.isfinite(vectors).all():
        raise BadRequest(f"a query is one or more vectors of {dimension} finite numbers, not {vectors.shape}")
