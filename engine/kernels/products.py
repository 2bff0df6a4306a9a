"""Products of a query with vectors in half precision: with centroids, and with all of an item's."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float32
from numba import uint64 as place

from engine.kernels.lanes import (
    NARROW,
    WIDE,
    add_product,
    compiled,
    larger,
    largest,
    load,
    store,
    sum_of_first,
    widen,
    zeros,
)

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Halves = npt.NDArray[np.uint16]


def in_lanes(query: Floats) -> Floats:
    """Lay a query, float32 (Q, D), out in lanes, float32 (D, W)."""
    width = -(-len(query) // NARROW) * NARROW
    filled = np.concatenate([query, np.repeat(query[:1], width - len(query), axis=0)])
    return np.ascontiguousarray(filled.T)


@compiled
def multiply(rows: Halves, query: Floats, products: Floats, first: int, last: int) -> None:
    """Multiply the rows first:last with a query.

    Args:
        rows: float16 (n, D), taken as uint16: what is read of memory takes longer than to multiply it.
        query: in lanes, float32 (D, W).
        products: float32 (n, W); these rows are written.
        first: of the rows.
        last: behind them.
    """
    size, width, halves, found = place(rows.shape[1]), place(query.shape[1]), rows.ravel(), products.ravel()
    wide = np.empty(place(4) * size, np.float32)
    for row in range(place(first), place(last), place(4)):
        count = min(place(4), place(last) - row)
        _widen(halves, row * size, count * size, wide)
        at = place(0)
        while at + place(WIDE) <= width:
            _multiply(zeros(WIDE), wide, query, count, found, row * width + at, at)
            at += place(WIDE)
        if at < width:
            _multiply(zeros(NARROW), wide, query, count, found, row * width + at, at)


@compiled
def _widen(halves: Any, begin: Any, count: Any, wide: Any) -> Any:
    whole = count - count % place(WIDE)
    for number in range(place(0), whole, place(WIDE)):
        store(wide, number, widen(zeros(WIDE), halves, begin + number))
    for number in range(whole, count):
        wide[number] = widen(float32(0), halves, begin + number)


@compiled
def _multiply(zero: Any, rows: Any, query: Any, count: Any, found: Any, begin: Any, at: Any) -> Any:
    """Up to four rows, with a query's lanes from a place on."""
    width = place(query.shape[1])
    first, second, third, fourth = _four_products(zero, rows, query, place(0), count - place(1), at)
    store(found, begin, first)
    if count > place(1):
        store(found, begin + width, second)
    if count > place(2):
        store(found, begin + place(2) * width, third)
    if count > place(3):
        store(found, begin + place(3) * width, fourth)


@compiled
def _four_products(zero: Any, rows: Any, query: Any, row: Any, last: Any, at: Any) -> Any:
    """Multiply four rows, or the last one several times, with a query's lanes from a place on."""
    size, width, asked = place(query.shape[0]), place(query.shape[1]), query.ravel()
    two, three, four = min(row + place(1), last), min(row + place(2), last), min(row + place(3), last)
    first = second = third = fourth = zero
    for number in range(size):
        lanes = load(zero, asked, number * width + at)
        first = add_product(first, rows[row * size + number], lanes)
        second = add_product(second, rows[two * size + number], lanes)
        third = add_product(third, rows[three * size + number], lanes)
        fourth = add_product(fourth, rows[four * size + number], lanes)
    return first, second, third, fourth


@compiled
def raise_to_best(products: Floats, best: Floats) -> None:
    """Raise each of `best`, float32 (n,), to the largest product of its row, float32 (n, W)."""
    width, found = place(products.shape[1]), products.ravel()
    for row in range(place(len(products))):
        peak = best[row]
        for at in range(place(0), width, place(NARROW)):
            peak = max(peak, largest(load(zeros(NARROW), found, row * width + at)))
        best[row] = peak


@compiled
def score(
    begins: Places,
    counts: Places,
    vectors: Halves,
    query: Floats,
    asked: int,
    by_query: Floats,
    by_stored: Floats,
    first: int,
    last: int,
) -> None:
    """Score the items first:last by their vectors.

    Args:
        begins: where each item's vectors begin in `vectors`, int64 (I,).
        counts: how many it has, one at least, int64 (I,).
        vectors: float16 (n, D), taken as uint16.
        query: in lanes, float32 (D, W).
        asked: vectors of the query, Q.
        by_query: float32 (I,); is written: the sum over the query's vectors of the best product with one of the item.
        by_stored: float32 (I,); is written: the sum over the item's vectors of the best product with one of the query.
        first: of the items.
        last: behind them.
    """
    size, width, halves = place(vectors.shape[1]), place(query.shape[1]), vectors.ravel()
    found = np.empty(width, np.float32)
    rows, best = np.empty(place(32) * size, np.float32), np.empty(32, np.float32)
    for item in range(first, last):
        count, begin = place(counts[item]), place(begins[item]) * size
        if count > place(len(best)):
            rows, best = np.empty(count * size, np.float32), np.empty(count, np.float32)
        _widen(halves, begin, count * size, rows)
        best[:count] = -np.inf
        at = place(0)
        while at + place(WIDE) <= width:
            _score(zeros(WIDE), rows, query, count, at, found, best)
            at += place(WIDE)
        if at < width:
            _score(zeros(NARROW), rows, query, count, at, found, best)
        by_query[item], by_stored[item] = sum_of_first(found, asked), sum_of_first(best, count)


@compiled
def _score(zero: Any, rows: Any, query: Any, count: Any, at: Any, found: Any, best: Any) -> Any:
    """Four vectors of an item at a time, or the last one several times, with a query's lanes from a place on."""
    last = count - place(1)
    peaks = zero
    for row in range(place(0), count, place(4)):
        two, three, four = min(row + place(1), last), min(row + place(2), last), min(row + place(3), last)
        first, second, third, fourth = _four_products(zero, rows, query, row, last, at)
        best[row] = max(best[row], largest(first))
        best[two] = max(best[two], largest(second))
        best[three] = max(best[three], largest(third))
        best[four] = max(best[four], largest(fourth))
        four_best = larger(larger(first, second), larger(third, fourth))
        peaks = four_best if row == place(0) else larger(peaks, four_best)
    store(found, at, peaks)
