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

from engine.lanes import (
    NARROW,
    WIDE,
    add,
    add_product,
    any_larger,
    compiled,
    floats,
    larger,
    largest,
    load,
    prefetch,
    rounded,
    store,
    widen,
    zeros,
)

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Halves = npt.NDArray[np.uint16]


AHEAD = 8  # items that are asked of memory before they are needed
SOON = 2  # lists that are
LINE = 64  # bytes that memory gives at a time


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
def rank_lists(products: Floats, lists: Codes, gains: Floats, least: Floats, first: int, last: int) -> None:
    """Find the lists whose centroids are best for each of a query's vectors first:last.

    Args:
        products: of the centroids with the query, float32 (C, W).
        lists: int32 (Q, n); of these vectors is written: the best n of C, best first.
        gains: float32 (Q, n); likewise: by how much each is better than the best that is left out.
        least: float32 (Q,); likewise: the product that is left out, the least of all where none is.
        first: of the query's vectors.
        last: behind them.
    """
    count, most, width = len(products), lists.shape[1], place(products.shape[1])
    step = max(1, count // 256)
    edges = np.full(width, np.inf, np.float32)  # well beyond what is sought, whatever the sample
    for vector in range(first, last):
        sample = np.sort(products[::step, vector])
        edges[vector] = sample[max(0, len(sample) - int(1.5 * most / step) - 4)]
    room = min(count, 8 * most + 64)
    likely, found = np.empty((last - first, room), np.int32), np.zeros(last - first, np.int64)
    flat = products.ravel()
    for row in range(place(count)):
        for at in range(place(0), width, place(NARROW)):
            if any_larger(load(zeros(NARROW), flat, row * width + at), load(zeros(NARROW), edges, at)):
                for vector in range(max(at, place(first)), min(at + place(NARROW), place(last))):
                    if flat[row * width + vector] > edges[vector]:
                        if found[vector - first] < room:
                            likely[vector - first, found[vector - first]] = row
                        found[vector - first] += 1
    for vector in range(first, last):
        number = found[vector - first]
        some = likely[vector - first, :number] if most < number <= room else np.arange(count).astype(np.int32)
        values = np.empty(len(some), np.float32)
        for rank in range(len(some)):
            values[rank] = -products[some[rank], vector]
        order = np.argsort(values, kind="mergesort")  # of equal products the smaller number first
        least[vector] = -values[order[min(most, len(some) - 1)]]
        for rank in range(most):
            lists[vector, rank] = some[order[rank]]
            gains[vector, rank] = -values[order[rank]] - least[vector]


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
            if rank + SOON < begins.shape[1]:
                for entry in range(
                    place(begins[vector, rank + SOON]), place(ends[vector, rank + SOON]), place(LINE // 4)
                ):
                    prefetch(items, entry)
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
    if begin == end or items[begin] >= item:
        return begin
    if items[end - 1] < item:
        return end
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
        if item + AHEAD < last:
            _prefetch_item(begins, counts, codes, item + AHEAD)
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
def _prefetch_item(begins: Any, counts: Any, codes: Any, item: Any) -> Any:
    begin = place(begins[item])
    for number in range(begin, begin + place(counts[item]), place(LINE // 4)):
        prefetch(codes, number)


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
        if item + AHEAD < last:
            _prefetch_item(begins, counts, codes, item + AHEAD)
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
    query: Floats,
    asked: int,
    scale: float,
    scores: Floats,
    starts: Places,
    best: Floats,
    first: int,
    last: int,
) -> bool:
    """Score the fragments of the items first:last by centroids and residuals.

    A table says what each pattern gives, in whole numbers, so that half as many bytes are read, and added. Each thread
    makes its own, which takes less time than to fetch it from another core.

    Args:
        begins: where each item's fragments begin in `codes` and `residuals`, int64 (I,).
        counts: how many it has, one at least, int64 (I,).
        codes: the centroid of each fragment, int32.
        residuals: uint8 (n, B).
        products: of the centroids with the query, float32 (C, W).
        patterns: of the residuals' bytes, float32 (B, 256, 4).
        query: in lanes, float32 (B * 4, W).
        asked: vectors of the query, Q.
        scale: that products with patterns are multiplied with; no sum of B of them may be beyond 32,767 then.
        scores: float32 (I,); to these is added what each query vector's best fragment gives.
        starts: where each item's fragments begin in `best`, int64 (I,).
        best: float32; what each fragment's best query vector gives, where that is more.
        first: of the items.
        last: behind them.

    Returns:
        Whether all codes are of one of the centroids; items with others are left out.
    """
    width, sound = place(products.shape[1]), True
    table = _pattern_table(patterns, query, float32(scale))
    found = np.empty(width, np.float32)
    for item in range(first, last):
        begin, end, start = place(begins[item]), place(begins[item] + counts[item]), place(starts[item])
        if item + AHEAD < last:
            _prefetch_item(begins, counts, codes, item + AHEAD)
            size = place(residuals.shape[1])
            ahead = place(begins[item + AHEAD]) * size
            for number in range(ahead, ahead + place(counts[item + AHEAD]) * size, place(LINE)):
                prefetch(residuals.ravel(), number)
        if not _all_below(codes, begin, end, len(products)):
            sound = False
            continue
        at = place(0)
        while at + place(WIDE) <= width:
            _refine(zeros(WIDE), codes, residuals, products, table, scale, begin, end, at, found, best, start)
            at += place(WIDE)
        if at < width:
            _refine(zeros(NARROW), codes, residuals, products, table, scale, begin, end, at, found, best, start)
        scores[item] += _sum(found, asked)
    return sound


@compiled
def _pattern_table(patterns: Any, query: Any, scale: Any) -> Any:
    """Multiply the patterns with the numbers of a query that each is for, int16 (B * 256 * W,)."""
    width = place(query.shape[1])
    table = np.empty(patterns.shape[0] * patterns.shape[1] * query.shape[1], np.int16)
    for number in range(place(len(patterns))):
        at = place(0)
        while at + place(WIDE) <= width:
            _fill_table(zeros(WIDE), patterns, query, scale, number, at, table)
            at += place(WIDE)
        if at < width:
            _fill_table(zeros(NARROW), patterns, query, scale, number, at, table)
    return table


@compiled
def _fill_table(zero: Any, patterns: Any, query: Any, scale: Any, number: Any, at: Any, table: Any) -> Any:
    width, size = place(query.shape[1]), place(patterns.shape[1])
    factors, asked = patterns.ravel(), query.ravel()
    begin = place(4) * number * width + at
    first = add_product(zero, scale, load(zero, asked, begin))
    second = add_product(zero, scale, load(zero, asked, begin + width))
    third = add_product(zero, scale, load(zero, asked, begin + place(2) * width))
    fourth = add_product(zero, scale, load(zero, asked, begin + place(3) * width))
    for row in range(number * size, (number + place(1)) * size):
        one = add_product(zero, factors[place(4) * row], first)
        two = add_product(zero, factors[place(4) * row + place(1)], second)
        one = add_product(one, factors[place(4) * row + place(2)], third)
        two = add_product(two, factors[place(4) * row + place(3)], fourth)
        store(table, row * width + at, rounded(add(one, two)))


@compiled
def _refine(
    like: Any,
    codes: Any,
    residuals: Any,
    products: Any,
    table: Any,
    scale: Any,
    begin: Any,
    end: Any,
    at: Any,
    found: Any,
    best: Any,
    start: Any,
) -> Any:
    width, size = place(products.shape[1]), place(residuals.shape[1])
    step, whole, part = place(256) * width, rounded(like), float32(1 / scale)
    centroids, bytes_ = products.ravel(), residuals.ravel()
    peaks = like
    for fragment in range(begin, end):
        sums, others = whole, whole
        row, entry = fragment * size, at
        for number in range(row, row + size - size % place(2), place(2)):
            sums = add(sums, load(whole, table, entry + place(bytes_[number]) * width))
            others = add(others, load(whole, table, entry + step + place(bytes_[number + place(1)]) * width))
            entry += place(2) * step
        if size % place(2):
            sums = add(sums, load(whole, table, entry + place(bytes_[row + size - place(1)]) * width))
        lanes = load(like, centroids, place(codes[fragment]) * width + at)
        lanes = add_product(lanes, part, floats(add(sums, others)))
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
        _widen(halves, begin, count * size, rows)
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
