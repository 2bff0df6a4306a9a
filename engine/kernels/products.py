"""Products of a query with centroids, in whole numbers."""

from typing import Any

import numpy as np
from numba import float32
from numba import uint64 as place

from engine.kernels.arrays import Floats, Wholes
from engine.kernels.lanes import (
    NARROW,
    WIDE,
    add_product,
    add_products,
    compiled,
    floats,
    largest,
    load,
    store,
    whole_zeros,
    zeros,
)
from engine.kernels.sharing import Board, take

ROWS = 256  # that a thread takes at a time

LONGEST = 32_000.0
"""Length of a vector in whole numbers, at most: products of two are within 32 bits, and each number within 16."""


def in_lanes(query: Floats) -> Floats:
    """Lay a query, float32 (Q, D), out in lanes, float32 (D, W)."""
    width = -(-len(query) // NARROW) * NARROW
    filled = np.concatenate([query, np.repeat(query[:1], width - len(query), axis=0)])
    return np.ascontiguousarray(filled.T)


@compiled
def multiply(rows: Wholes, scale: float, query: Floats, products: Floats, board: Board) -> None:
    """Multiply rows with a query, in whole numbers: thrice as fast as in float32, and about as exact as half precision.

    Args:
        rows: times `scale`, rounded to int16, (n, R), R even and P or one more; none longer than LONGEST.
        scale: of the rows.
        query: in lanes, float32 (P, W).
        products: float32 (n, W), is written.
        board: that the rows are taken off.
    """
    size, width, numbers, found = place(rows.shape[1]), place(products.shape[1]), rows.ravel(), products.ravel()
    pairs = np.zeros(size * width, np.int16)
    part = float32(1 / (scale * _in_pairs(query, pairs)))
    first, last = take(board, len(rows), ROWS, 0)
    while first < last:
        for row in range(place(first), place(last), place(4)):
            at = place(0)
            while at + place(WIDE) <= width:
                _multiply(zeros(WIDE), numbers, size, row, place(last) - place(1), pairs, part, found, width, at)
                at += place(WIDE)
            if at < width:
                _multiply(zeros(NARROW), numbers, size, row, place(last) - place(1), pairs, part, found, width, at)
        first, last = take(board, len(rows), ROWS, last - first)


@compiled
def _in_pairs(query: Any, pairs: Any) -> Any:
    """Lay a query out as whole numbers, two of a vector side by side, and return what they are multiplied with."""
    width, most = query.shape[1], float32(np.finfo(np.float32).tiny)
    for lane in range(width):
        most = max(most, np.sqrt((query[:, lane] * query[:, lane]).sum()))
    for row in range(len(query)):
        for lane in range(width):
            pairs[(row // 2 * width + lane) * 2 + row % 2] = np.rint(query[row, lane] * (LONGEST / most))
    return LONGEST / most


@compiled
def _multiply(
    zero: Any, rows: Any, size: Any, row: Any, last: Any, pairs: Any, part: Any, found: Any, width: Any, at: Any
) -> Any:
    """Four rows, or the last one several times, with a query's lanes from a place on."""
    two, three, four = min(row + place(1), last), min(row + place(2), last), min(row + place(3), last)
    first = second = third = fourth = whole_zeros(zero)
    for number in range(place(0), size, place(2)):
        begin = number * width + place(2) * at
        first = add_products(first, pairs, begin, rows, row * size + number)
        second = add_products(second, pairs, begin, rows, two * size + number)
        third = add_products(third, pairs, begin, rows, three * size + number)
        fourth = add_products(fourth, pairs, begin, rows, four * size + number)
    store(found, row * width + at, add_product(zero, part, floats(first)))
    store(found, two * width + at, add_product(zero, part, floats(second)))
    store(found, three * width + at, add_product(zero, part, floats(third)))
    store(found, four * width + at, add_product(zero, part, floats(fourth)))


@compiled
def raise_to_best(products: Floats, best: Floats) -> None:
    """Raise each of `best`, float32 (n,), to the largest product of its row, float32 (n, W)."""
    width, found = place(products.shape[1]), products.ravel()
    for row in range(place(len(products))):
        peak = best[row]
        for at in range(place(0), width, place(NARROW)):
            peak = max(peak, largest(load(zeros(NARROW), found, row * width + at)))
        best[row] = peak
