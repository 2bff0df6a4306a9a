"""Scores of some items by what stands for their fragments: centroids, and patterns of what these leave."""

from typing import Any

import numpy as np
from numba import float32
from numba import uint64 as place

from engine.kernels.arrays import Bytes, Codes, Floats, Places
from engine.kernels.lanes import (
    LINE,
    NARROW,
    WIDE,
    add,
    add_product,
    ask_for,
    compiled,
    floats,
    larger,
    largest,
    load,
    rounded,
    store,
    sum_of_first,
    zeros,
)
from engine.kernels.sharing import Board, take, tell_wrong

SOME = 32  # items that a thread takes at a time

LARGEST = 32_000.0
"""Sum of whole products that is allowed: 32,767 less what B of them are rounded by."""

AHEAD = 8  # items that are asked of memory before they are needed


@compiled
def add_query_term(
    begins: Places, counts: Places, codes: Codes, products: Floats, asked: int, scores: Floats, board: Board
) -> None:
    """Add up, for some items, each query vector's best centroid.

    Args:
        begins: where each item's fragments begin in `codes`, int64 (I,).
        counts: how many it has, one at least, int64 (I,).
        codes: the centroid of each fragment, int32.
        products: of the centroids with the query, float32 (C, W).
        asked: vectors of the query, Q.
        scores: float32 (I,); these are added to.
        board: that the items are taken off. Those with codes of no centroid are left out, and told.
    """
    width = place(products.shape[1])
    best = np.empty(width, np.float32)
    first, last = take(board, len(begins), SOME, 0)
    while first < last:
        for item in range(first, last):
            begin, end = _codes_of(item, begins, counts, codes, len(products), board)
            if begin == end:
                continue
            at = place(0)
            while at + place(WIDE) <= width:
                _best_centroids(zeros(WIDE), codes, products, begin, end, at, best)
                at += place(WIDE)
            if at < width:
                _best_centroids(zeros(NARROW), codes, products, begin, end, at, best)
            scores[item] += sum_of_first(best, asked)
        first, last = take(board, len(begins), SOME, last - first)


@compiled
def _best_centroids(like: Any, codes: Any, products: Any, begin: Any, end: Any, at: Any, best: Any) -> Any:
    width, found = place(products.shape[1]), products.ravel()
    lanes = load(like, found, place(codes[begin]) * width + at)
    for fragment in range(begin + place(1), end):
        lanes = larger(lanes, load(like, found, place(codes[fragment]) * width + at))
    store(best, at, lanes)


@compiled
def add_stored_term(begins: Places, counts: Places, codes: Codes, best: Floats, scores: Floats, board: Board) -> None:
    """Add up, for some items, the value of each fragment's centroid.

    Args:
        begins: where each item's fragments begin in `codes`, int64 (I,).
        counts: how many it has, int64 (I,).
        codes: the centroid of each fragment, int32.
        best: the value of each centroid, float32 (C,).
        scores: float32 (I,); these are added to.
        board: that the items are taken off. Those with codes of no centroid are left out, and told.
    """
    first, last = take(board, len(begins), SOME, 0)
    while first < last:
        for item in range(first, last):
            begin, end = _codes_of(item, begins, counts, codes, len(best), board)
            total = float32(0)
            for fragment in range(begin, end):
                total += best[place(codes[fragment])]
            scores[item] += total
        first, last = take(board, len(begins), SOME, last - first)


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
    board: Board,
) -> None:
    """Score the fragments of items by centroids and residuals.

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
        best: float32; what each fragment's best query vector gives, where that is more; none: nobody asks.
        board: that the items are taken off. Those with codes of no centroid are left out, and told.
    """
    width, size = place(products.shape[1]), residuals.shape[1]
    table = np.empty(patterns.shape[0] * patterns.shape[1] * query.shape[1], np.int16)
    found = np.empty(width, np.float32)
    first, last = take(board, len(begins), SOME, 0)
    if first < last:
        _fill_tables(patterns, query, float32(scale), table)
    while first < last:
        for item in range(first, last):
            if item + AHEAD < len(begins):
                ahead = begins[item + AHEAD] * size
                ask_for(residuals.ravel(), ahead, ahead + counts[item + AHEAD] * size, LINE)
            begin, end = _codes_of(item, begins, counts, codes, len(products), board)
            if begin == end:
                continue
            start = place(starts[item])
            at = place(0)
            while at + place(WIDE) <= width:
                _refine(zeros(WIDE), codes, residuals, products, table, scale, begin, end, at, found, best, start)
                at += place(WIDE)
            if at < width:
                _refine(zeros(NARROW), codes, residuals, products, table, scale, begin, end, at, found, best, start)
            scores[item] += sum_of_first(found, asked)
        first, last = take(board, len(begins), SOME, last - first)


@compiled
def scale_of(lengths: Floats, query: Floats) -> float:
    """Return what products with patterns are multiplied with, so that no sum of them is beyond 16 bits.

    Args:
        lengths: of the longest pattern of each byte, float32 (B,).
        query: in lanes, float32 (B * 4, W).
    """
    most = float32(np.finfo(np.float32).tiny)
    for lane in range(query.shape[1]):
        total = float32(0)
        for number in range(len(lengths)):
            square = float32(0)
            for row in range(4 * number, 4 * number + 4):
                square += query[row, lane] * query[row, lane]
            total += lengths[number] * np.sqrt(square)
        most = max(most, total)
    scale: float = LARGEST / most
    return scale


@compiled
def _fill_tables(patterns: Any, query: Any, scale: Any, table: Any) -> Any:
    """Multiply the patterns with the numbers of a query that each is for, int16 (B * 256 * W,)."""
    width = place(query.shape[1])
    for number in range(place(len(patterns))):
        at = place(0)
        while at + place(WIDE) <= width:
            _fill_table(zeros(WIDE), patterns, query, scale, number, at, table)
            at += place(WIDE)
        if at < width:
            _fill_table(zeros(NARROW), patterns, query, scale, number, at, table)


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
        if len(best):
            rank = start + fragment - begin
            best[rank] = max(best[rank], largest(lanes))
    store(found, at, peaks)


@compiled
def _codes_of(item: Any, begins: Any, counts: Any, codes: Any, bound: Any, board: Any) -> Any:
    """Where an item's codes begin and end, none where one is not below the bound; asks for those of a later item."""
    if item + AHEAD < len(begins):
        ask_for(codes, begins[item + AHEAD], begins[item + AHEAD] + counts[item + AHEAD], LINE // 4)
    begin, end = place(begins[item]), place(begins[item] + counts[item])
    wrong = place(0)
    for fragment in range(begin, end):
        wrong += place(codes[fragment]) >= place(bound)  # a negative one is very large
    if wrong:
        tell_wrong(board)
        return end, end
    return begin, end
