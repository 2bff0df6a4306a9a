"""Exact scores of a query against stored items, and their order; pure functions of arrays."""

import numpy as np
import numpy.typing as npt
import torch

from engine.device import CPU, best_in_each, sum_of_each
from engine.fragments import Fragments, ScoreTerms, runs

PRODUCTS_AT_ONCE = 8_000_000
"""Inner products held at a time: 32 MB, whatever the collection's size and the query's length."""


def exact_scores(
    query: npt.NDArray[np.float32], stored: Fragments, terms: ScoreTerms, device: torch.device = CPU
) -> npt.NDArray[np.float32]:
    """Score a query against every stored item.

    An item's score does not depend on the other items. With words as the query and photos stored, the query term is
    `sum over words of max over regions`; with regions as the query and sentences stored, the stored term is that sum.

    Args:
        query: the query's vectors, float32 (Q, D), Q >= 1.
        stored: the items.
        terms: which terms the score has.
        device: that multiplies.

    Returns:
        Scores, float32 (I,); higher is better.

    Source: Karpathy and Fei-Fei 2015, eq. 8.
    """
    scores, asked = np.zeros(len(stored), np.float32), torch.from_numpy(query).to(device)
    for first, last in runs(stored.offsets, max(1, PRODUCTS_AT_ONCE // len(query))):
        begin, end = stored.offsets[first], stored.offsets[last]
        vectors = torch.from_numpy(stored.vectors[begin:end]).to(device)
        products = asked @ vectors.T  # (Q, n); this way round the maxima run along memory
        scores[first:last] = reduce_products(products, stored.offsets[first : last + 1] - begin, terms)
    return scores


def reduce_products(
    products: torch.Tensor, offsets: npt.NDArray[np.int64], terms: ScoreTerms
) -> npt.NDArray[np.float32]:
    """Reduce inner products to scores.

    Args:
        products: float32 (Q, n).
        offsets: int64 (I + 1,); item i has the columns offsets[i]:offsets[i + 1], at least one.
        terms: which terms the score has.

    Returns:
        Scores, float32 (I,).
    """
    starts = offsets[:-1]
    by_query = by_stored = np.zeros(len(starts), np.float32)
    if terms.query:
        by_query = best_in_each(products.T, starts).sum(1).cpu().numpy()  # (I, Q) -> (I,)
    if terms.stored:
        by_stored = sum_of_each(products.amax(0), starts).cpu().numpy()  # (n,) -> (I,)
    return joined_terms(by_query, by_stored, terms, len(products), np.diff(offsets).astype(np.float32))


def joined_terms(
    by_query: npt.NDArray[np.float32],
    by_stored: npt.NDArray[np.float32],
    terms: ScoreTerms,
    asked: int,
    counts: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Join the sums of both terms to scores.

    Args:
        by_query: sums over the query's vectors, float32 (I,); ignored where the score has no such term.
        by_stored: sums over each item's vectors, float32 (I,); likewise.
        terms: which terms the score has.
        asked: Q, the query's vectors.
        counts: of each item's vectors, float32 (I,).

    Returns:
        Scores, float32 (I,).
    """
    if terms.reduction == "mean":
        by_query, by_stored = by_query / np.float32(asked), by_stored / counts
    if terms.query and terms.stored:
        return by_query + by_stored
    return by_query if terms.query else by_stored


def top_k(
    scores: npt.NDArray[np.float32], ids: npt.NDArray[np.int64], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Pick the k best items.

    Args:
        scores: float32 (I,), higher is better.
        ids: int64 (I,).
        k: how many; fewer come back where there are fewer.

    Returns:
        Ids int64 (K,) and scores float32 (K,), best first; of equal scores the smaller id comes first.
    """
    if k < len(scores):
        edge = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= edge)  # all that tie with the last, so that the id decides
        scores, ids = scores[kept], ids[kept]
    order = np.lexsort((ids, -scores))[:k]
    return ids[order], scores[order]
