"""The loops of a search by torch, for a GPU; they give what `kernels` gives on the processor."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from engine.device import best_in_each, sum_of_each


def best_of_lists(
    items: torch.Tensor, sizes: npt.NDArray[np.int64], gains: npt.NDArray[np.float32], count: int
) -> torch.Tensor:
    """Add up, for each of a query's vectors, the gain of the best list that an item is in; see add_best_lists.

    Args:
        items: of the lists, one behind the other, integers (n,).
        sizes: of the lists, int64 (Q, l).
        gains: float32 (Q, l), none negative.
        count: of all items, I.

    Returns:
        float32 (I,).
    """
    rows = np.repeat(count * np.arange(len(sizes)), sizes.sum(axis=1))
    each = torch.from_numpy(np.repeat(gains.ravel(), sizes.ravel())).to(items.device)
    best = torch.zeros(len(sizes) * count, device=items.device)
    best.scatter_reduce_(0, items + torch.from_numpy(rows).to(items.device), each, "amax")
    return best.view(len(sizes), count).sum(0)


def sums_of_lists(
    items: torch.Tensor,
    counts: torch.Tensor,
    sizes: npt.NDArray[np.int64],
    gains: npt.NDArray[np.float32],
    count: int,
) -> torch.Tensor:
    """Add up the gain of each list that an item is in, as often as it is; see add_lists.

    Args:
        items: of the lists, one behind the other, integers (n,).
        counts: how often each is, integers (n,).
        sizes: of the lists, int64 (l,).
        gains: float32 (l,).
        count: of all items, I.

    Returns:
        float32 (I,).
    """
    each = torch.from_numpy(np.repeat(gains, sizes)).to(items.device) * counts
    return torch.zeros(count, device=items.device).scatter_add_(0, items.long(), each)


def query_term(codes: torch.Tensor, products: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Add up each query vector's best centroid by item; see add_query_term.

    Args:
        codes: the centroid of each fragment, integers (n,).
        products: of the centroids with the query, float32 (C, Q).
        starts: where each item begins, int64 (I,).

    Returns:
        float32 (I,).
    """
    return best_in_each(products.index_select(0, codes), starts).sum(1)


def stored_term(codes: torch.Tensor, best: torch.Tensor, starts: npt.NDArray[np.int64]) -> torch.Tensor:
    """Add up the value of each fragment's centroid, float32 (C,), by item, float32 (I,); see add_stored_term."""
    return sum_of_each(best.index_select(0, codes), starts)


def refined_products(
    codes: torch.Tensor, residuals: torch.Tensor, products: torch.Tensor, patterns: torch.Tensor, query: torch.Tensor
) -> torch.Tensor:
    """Multiply fragments with a query by centroids and residuals; see refine.

    Args:
        codes: the centroid of each fragment, integers (n,).
        residuals: uint8 (n, B).
        products: of the centroids with the query, float32 (C, Q).
        patterns: of the residuals' bytes, float32 (B, 256, 4).
        query: its vectors side by side, float32 (B * 4, Q).

    Returns:
        float32 (n, Q).
    """
    places, size, numbers = patterns.shape
    tables = patterns @ query.view(places, numbers, -1)  # (B, 256, Q)
    begins = size * torch.arange(places, dtype=torch.int32, device=codes.device)
    parts = F.embedding_bag(residuals.int() + begins, tables.view(places * size, -1), mode="sum")
    return parts + products.index_select(0, codes)
