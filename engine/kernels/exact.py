"""Exact scores of some items by their vectors in half precision: read, compared with checksums, widened, multiplied."""

from typing import Any

import numpy as np
from numba import float32, uint32
from numba import uint64 as place

from engine.kernels.arrays import Bytes, Floats, Halves, Places, Sums
from engine.kernels.checksum import checksum
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
from engine.kernels.reading import read_whole
from engine.kernels.sharing import Board, take

SOME = 4  # items that a thread takes at a time

NO_FILE = -1

SOUND, CUT, CHANGED = range(3)
"""What an item's vectors are found to be."""


@compiled
def score(
    begins: Places,
    counts: Places,
    vectors: Halves,
    file: int,
    header: int,
    ids: Places,
    sums: Sums,
    query: Floats,
    parts: Places,
    asked: Places,
    scores: Floats,
    states: Bytes,
    board: Board,
) -> None:
    """Score items by their vectors.

    Args:
        begins: where each item's vectors begin in `vectors`, int64 (I,).
        counts: how many it has, one at least, int64 (I,).
        vectors: float16 (n, D), taken as uint16.
        file: that they are read of instead, each item for itself; NO_FILE: they are not.
        header: bytes of the file before the first vector.
        ids: of the items, int64 (I,).
        sums: CRC-32 of each item's id and vectors, uint32 (I,), which are compared; none: they are not.
        query: several queries in lanes, side by side, float32 (D, W).
        parts: where each of P queries begins in the lanes, and their end, int64 (P + 1,).
        asked: vectors of each, int64 (P,).
        scores: float32 (P, 2, I), is written: the sum over a query's vectors of the best product with one of the item,
            and the sum over the item's vectors of the best product with one of the query.
        states: uint8 (I,), is written: SOUND; CUT, where the file ends before; CHANGED, where a sum is another.
        board: that the items are taken off.
    """
    size, halves, most = place(vectors.shape[1]), vectors.ravel(), place(counts.max())
    rows, best = np.empty(most * size, np.float32), np.empty(most, np.float32)
    found = np.empty(query.shape[1], np.float32)
    room = most * size if file != NO_FILE else place(0)
    words = np.empty((room + place(3)) // place(4), np.uint64)
    read, name = words.view(np.uint16), np.empty(1, np.uint64)
    first, last = take(board, len(begins), SOME, 0)
    while first < last:
        for item in range(first, last):
            count, begin = place(counts[item]), place(begins[item]) * size
            states[item] = SOUND
            if file != NO_FILE:
                bytes_ = place(2) * count * size
                if not read_whole(file, words, bytes_, place(header) + place(2) * begin):
                    states[item] = CUT
                    continue
                if len(sums):
                    name[0] = ids[item]
                    if checksum(words, bytes_, checksum(name, place(8), uint32(0))) != sums[item]:
                        states[item] = CHANGED
                        continue
                _widen(read, place(0), count * size, rows)
            else:
                _widen(halves, begin, count * size, rows)
            for part in range(len(asked)):
                best[:count] = -np.inf
                at, end = place(parts[part]), place(parts[part + 1])
                while at + place(WIDE) <= end:
                    _score(zeros(WIDE), rows, query, count, at, found, best)
                    at += place(WIDE)
                if at < end:
                    _score(zeros(NARROW), rows, query, count, at, found, best)
                scores[part, 0, item] = sum_of_first(found[parts[part] :], asked[part])
                scores[part, 1, item] = sum_of_first(best, count)
        first, last = take(board, len(begins), SOME, last - first)


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
def _widen(halves: Any, begin: Any, count: Any, wide: Any) -> Any:
    whole = count - count % place(WIDE)
    for number in range(place(0), whole, place(WIDE)):
        store(wide, number, widen(zeros(WIDE), halves, begin + number))
    for number in range(whole, count):
        wide[number] = widen(float32(0), halves, begin + number)
