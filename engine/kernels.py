"""The loops of a search on the processor, compiled.

A query is laid out in lanes: its vectors side by side, filled up with copies of the first to W of them, a multiple of
eight. A row of a table then holds the products of all of the query's vectors with one centroid or pattern. Copies
change no maximum; sums over a query leave them out.

Every loop works on some items, so that several threads can share them, and what an item gets depends neither on the
others nor on how they were shared.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float32
from numba import uint64 as place

from engine.lanes import NARROW, WIDE, add, add_product, compiled, larger, largest, load, store, widen, zeros

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Halves = npt.NDArray[np.uint16]


def in_lanes(query: Floats) -> Floats:
    """Lay a query, float32 (Q, D), out in lanes, float32 (D, W)."""
    width = -(-len(query) // NARROW) * NARROW
    filled = np.concatenate([query, np.repeat(query[:1], width - len(query), axis=0)])
    return np.ascontiguousarray(filled.T)


@compiled
def multiply(rows: Floats, query: Floats, products: Floats, first: int, last: int) -> None:
    """Multiply the rows first:last with a query.

    Args:
        rows: float32 (n, D).
        query: in lanes, float32 (D, W).
        products: float32 (n, W); these rows are written.
        first: of the rows.
        last: behind them.
    """
    width = place(query.shape[1])
    for row in range(place(first), place(last), place(4)):
        at = place(0)
        while at + place(WIDE) <= width:
            _multiply(zeros(WIDE), rows, query, products, row, place(last - 1), at)
            at += place(WIDE)
        if at < width:
            _multiply(zeros(NARROW), rows, query, products, row, place(last - 1), at)


@compiled
def _multiply(zero: Any, rows: Any, query: Any, products: Any, row: Any, last: Any, at: Any) -> Any:
    """Four rows, or the last one several times, with a query's lanes from a place on."""
    size, width = place(rows.shape[1]), place(query.shape[1])
    one, two, three, four = row, min(row + place(1), last), min(row + place(2), last), min(row + place(3), last)
    first = second = third = fourth = zero
    factors, asked, found = rows.ravel(), query.ravel(), products.ravel()
    for number in range(size):
        lanes = load(zero, asked, number * width + at)
        first = add_product(first, factors[one * size + number], lanes)
        second = add_product(second, factors[two * size + number], lanes)
        third = add_product(third, factors[three * size + number], lanes)
        fourth = add_product(fourth, factors[four * size + number], lanes)
    store(found, one * width + at, first)
    store(found, two * width + at, second)
    store(found, three * width + at, third)
    store(found, four * width + at, fourth)


@compiled
def multiply_parts(parts: Floats, query: Floats, products: Floats) -> None:
    """Multiply short vectors with the numbers of a query that each place of theirs is for.

    Args:
        parts: float32 (B, P, n): for each of B places P vectors.
        query: in lanes, float32 (B * n, W).
        products: float32 (B, P, W); is written.
    """
    for number in range(len(parts)):
        size = parts.shape[2]
        multiply(parts[number], query[number * size : (number + 1) * size], products[number], 0, parts.shape[1])


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
def rank_lists(products: Floats, vector: int, lists: Codes, gains: Floats) -> Any:
    """Find the lists whose centroids are best for one of a query's vectors.

    Args:
        products: of the centroids with the query, float32 (C, W).
        vector: which one.
        lists: int32 (n,); is written: the best n of C, best first.
        gains: float32 (n,); is written: by how much each is better than the best that is left out.

    Returns:
        The best product that is left out; the least of all where none is.
    """
    count, most = len(products), len(lists)
    column = np.empty(count, np.float32)
    for number in range(count):
        column[number] = products[number, vector]
    step = max(1, count // 1024)
    sample = np.sort(column[::step])
    rank = int(1.5 * most / step) + 16  # of the sample: well beyond the edge
    edge = sample[max(0, len(sample) - rank)]
    likely = np.empty(count, np.int32)
    found = 0
    for number in range(count):
        likely[found] = number
        found += column[number] >= edge
    if found <= most:
        found = count
        likely[:] = np.arange(count)
    likely = likely[:found]
    order = np.argsort(-column[likely], kind="mergesort")  # of equal products the smaller number first
    least = column[likely[order[min(most, found - 1)]]]
    for rank in range(most):
        lists[rank] = likely[order[rank]]
        gains[rank] = column[lists[rank]] - least
    return least


@compiled
def add_best_lists(
    begins: Places, ends: Places, gains: Floats, items: Codes, scores: Floats, first: int, last: int
) -> bool:
    """Add to the items first:last, for each of a query's vectors, the gain of the best list that they are in.

    Args:
        begins: where each list begins in `items`, int64 (Q, n), the best first.
        ends: where it ends, likewise.
        gains: float32 (Q, n).
        items: of all lists, int32, ascending in each.
        scores: float32 (I,); these are added to.
        first: of the items.
        last: behind them.

    Returns:
        Whether the lists are of items that there are, as far as that was looked at; others are left out.
    """
    size, sound = place(last - first), True
    seen = np.zeros(2 * size, np.float32)  # of each item its gains and the last vector that it got one of, in one line
    for vector in range(begins.shape[0]):
        number = float32(vector + 1)
        for rank in range(begins.shape[1]):
            gain, begin, end = gains[vector, rank], begins[vector, rank], ends[vector, rank]
            sound &= _sound(items, begin, end, len(scores))
            for entry in range(place(_search(items, begin, end, first)), place(_search(items, begin, end, last))):
                at = place(items[entry] - first)
                if at >= size:
                    sound = False
                elif seen[place(2) * at + place(1)] != number:
                    seen[place(2) * at + place(1)] = number
                    seen[place(2) * at] += gain
    for item in range(size):
        scores[place(first) + item] += seen[place(2) * item]
    return sound


@compiled
def add_lists(
    begins: Places, ends: Places, gains: Floats, items: Codes, counts: Bytes, scores: Floats, first: int, last: int
) -> bool:
    """Add to the items first:last the gain of each list that they are in, as often as they are.

    Args:
        begins: where each list begins in `items`, int64 (n,).
        ends: where it ends, likewise.
        gains: float32 (n,).
        items: of all lists, int32, ascending in each.
        counts: how often each is, uint8.
        scores: float32 (I,); these are added to.
        first: of the items.
        last: behind them.

    Returns:
        Whether the lists are of items that there are, as far as that was looked at; others are left out.
    """
    size, sound = place(last - first), True
    for number in range(len(begins)):
        gain, begin, end = gains[number], begins[number], ends[number]
        sound &= _sound(items, begin, end, len(scores))
        for entry in range(place(_search(items, begin, end, first)), place(_search(items, begin, end, last))):
            at = place(items[entry] - first)
            if at >= size:
                sound = False
            else:
                scores[place(first) + at] += gain * float32(counts[entry])
    return sound


@compiled
def _sound(items: Any, begin: Any, end: Any, count: Any) -> Any:
    return begin == end or (items[begin] >= 0 and items[end - 1] < count)


@compiled
def _search(items: Any, begin: Any, end: Any, item: Any) -> Any:
    """Where in a list the items from this one on begin."""
    while begin < end:
        middle = (begin + end) // 2
        if items[middle] < item:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled
def add_query_term(
    begins: Places, counts: Places, codes: Codes, products: Floats, asked: int, scores: Floats, first: int, last: int
) -> bool:
    """Add up, for the items first:last, each query vector's best centroid.

    Args:
        begins: where each item's fragments begin in `codes`, int64 (I,).
        counts: how many it has, one at least, int64 (I,).
        codes: the centroid of each fragment, int32.
        products: of the centroids with the query, float32 (C, W).
        asked: vectors of the query, Q.
        scores: float32 (I,); these are added to.
        first: of the items.
        last: behind them.

    Returns:
        Whether all codes are of one of the centroids; items with others are left out.
    """
    width, sound = place(products.shape[1]), True
    best = np.empty(width, np.float32)
    for item in range(first, last):
        begin, end = place(begins[item]), place(begins[item] + counts[item])
        if not _all_below(codes, begin, end, len(products)):
            sound = False
            continue
        at = place(0)
        while at + place(WIDE) <= width:
            _best_centroids(zeros(WIDE), codes, products, begin, end, at, best)
            at += place(WIDE)
        if at < width:
            _best_centroids(zeros(NARROW), codes, products, begin, end, at, best)
        scores[item] += _sum(best, asked)
    return sound


@compiled
def _best_centroids(like: Any, codes: Any, products: Any, begin: Any, end: Any, at: Any, best: Any) -> Any:
    width, found = place(products.shape[1]), products.ravel()
    lanes = load(like, found, place(codes[begin]) * width + at)
    for fragment in range(begin + place(1), end):
        lanes = larger(lanes, load(like, found, place(codes[fragment]) * width + at))
    store(best, at, lanes)


@compiled
def _all_below(codes: Any, begin: Any, end: Any, bound: Any) -> Any:
    wrong = place(0)
    for fragment in range(begin, end):
        wrong += place(codes[fragment]) >= place(bound)  # a negative one is very large
    return not wrong


@compiled
def _sum(numbers: Any, count: Any) -> Any:
    total = float32(0)
    for number in range(place(count)):
        total += numbers[number]
    return total


@compiled
def add_stored_term(
    begins: Places, counts: Places, codes: Codes, best: Floats, scores: Floats, first: int, last: int
) -> bool:
    """Add up, for the items first:last, the value of each fragment's centroid.

    Args:
        begins: where each item's fragments begin in `codes`, int64 (I,).
        counts: how many it has, int64 (I,).
        codes: the centroid of each fragment, int32.
        best: the value of each centroid, float32 (C,).
        scores: float32 (I,); these are added to.
        first: of the items.
        last: behind them.

    Returns:
        Whether all codes are of one of the centroids; items with others are left out.
    """
    sound = True
    for item in range(first, last):
        begin, end = place(begins[item]), place(begins[item] + counts[item])
        if not _all_below(codes, begin, end, len(best)):
            sound = False
            continue
        total = float32(0)
        for fragment in range(begin, end):
            total += best[place(codes[fragment])]
        scores[item] += total
    return sound


@compiled
def refine(
    begins: Places,
    counts: Places,
    codes: Codes,
    residuals: Bytes,
    products: Floats,
    patterns: Floats,
    asked: int,
    scores: Floats,
    starts: Places,
    best: Floats,
    first: int,
    last: int,
) -> bool:
    """Score the fragments of the items first:last by centroids and residuals.

    Args:
        begins: where each item's fragments begin in `codes` and `residuals`, int64 (I,).
        counts: how many it has, one at least, int64 (I,).
        codes: the centroid of each fragment, int32.
        residuals: uint8 (n, B).
        products: of the centroids with the query, float32 (C, W).
        patterns: products of the residuals' patterns with the query, float32 (B, 256, W).
        asked: vectors of the query, Q.
        scores: float32 (I,); to these is added what each query vector's best fragment gives.
        starts: where each item's fragments begin in `best`, int64 (I,).
        best: float32; what each fragment's best query vector gives, where that is more.
        first: of the items.
        last: behind them.

    Returns:
        Whether all codes are of one of the centroids; items with others are left out.
    """
    width, sound = place(products.shape[1]), True
    found = np.empty(width, np.float32)
    for item in range(first, last):
        begin, end, start = place(begins[item]), place(begins[item] + counts[item]), place(starts[item])
        if not _all_below(codes, begin, end, len(products)):
            sound = False
            continue
        at = place(0)
        while at + place(WIDE) <= width:
            _refine(zeros(WIDE), codes, residuals, products, patterns, begin, end, at, found, best, start)
            at += place(WIDE)
        if at < width:
            _refine(zeros(NARROW), codes, residuals, products, patterns, begin, end, at, found, best, start)
        scores[item] += _sum(found, asked)
    return sound


@compiled
def _refine(
    like: Any,
    codes: Any,
    residuals: Any,
    products: Any,
    patterns: Any,
    begin: Any,
    end: Any,
    at: Any,
    found: Any,
    best: Any,
    start: Any,
) -> Any:
    width, size = place(products.shape[1]), place(residuals.shape[1])
    step = place(patterns.shape[1]) * width
    centroids, parts, bytes_ = products.ravel(), patterns.ravel(), residuals.ravel()
    peaks = load(like, centroids, place(codes[begin]) * width + at)
    for fragment in range(begin, end):
        lanes = load(like, centroids, place(codes[fragment]) * width + at)
        row, table = fragment * size, at
        for number in range(size):
            lanes = add(lanes, load(like, parts, table + place(bytes_[row + number]) * width))
            table += step
        peaks = lanes if fragment == begin else larger(peaks, lanes)
        rank = start + fragment - begin
        best[rank] = max(best[rank], largest(lanes))
    store(found, at, peaks)


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
        whole = count * size - count * size % place(NARROW)
        for number in range(place(0), whole, place(NARROW)):
            store(rows, number, widen(zeros(NARROW), halves, begin + number))
        for number in range(whole, count * size):
            rows[number] = widen(float32(0), halves, begin + number)
        best[:count] = -np.inf
        at = place(0)
        while at + place(WIDE) <= width:
            _score(zeros(WIDE), rows, query, count, at, found, best)
            at += place(WIDE)
        if at < width:
            _score(zeros(NARROW), rows, query, count, at, found, best)
        by_query[item], by_stored[item] = _sum(found, asked), _sum(best, count)


@compiled
def _score(zero: Any, rows: Any, query: Any, count: Any, at: Any, found: Any, best: Any) -> Any:
    """Four vectors of an item at a time, or the last one several times, with a query's lanes from a place on."""
    size, width, last = place(query.shape[0]), place(query.shape[1]), count - place(1)
    asked = query.ravel()
    peaks = zero
    for row in range(place(0), count, place(4)):
        one, two, three, four = row, min(row + place(1), last), min(row + place(2), last), min(row + place(3), last)
        first = second = third = fourth = zero
        for number in range(size):
            lanes = load(zero, asked, number * width + at)
            first = add_product(first, rows[one * size + number], lanes)
            second = add_product(second, rows[two * size + number], lanes)
            third = add_product(third, rows[three * size + number], lanes)
            fourth = add_product(fourth, rows[four * size + number], lanes)
        best[one] = max(best[one], largest(first))
        best[two] = max(best[two], largest(second))
        best[three] = max(best[three], largest(third))
        best[four] = max(best[four], largest(fourth))
        four_best = larger(larger(first, second), larger(third, fourth))
        peaks = four_best if row == place(0) else larger(peaks, four_best)
    store(found, at, peaks)
