"""Products of a query with centroids in whole numbers, and with an item's vectors in half precision."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float32, uint32
from numba import uint64 as place

from engine.kernels.checksum import checksum
from engine.kernels.lanes import (
    NARROW,
    WIDE,
    add_product,
    add_products,
    compiled,
    floats,
    larger,
    largest,
    load,
    store,
    sum_of_first,
    whole_zeros,
    widen,
    zeros,
)
from engine.kernels.reading import read_whole
from engine.kernels.sharing import Board, take

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Halves = npt.NDArray[np.uint16]
Wholes = npt.NDArray[np.int16]
Scores = npt.NDArray[np.float32]
Sums = npt.NDArray[np.uint32]
States = npt.NDArray[np.uint8]

ROWS = 256  # that a thread takes at a time

SOME = 4  # items that a thread takes at a time

NO_FILE = -1

LONGEST = 32_000.0
"""Length of a vector in whole numbers, at most: products of two are within 32 bits, and each number within 16."""

SOUND, CUT, CHANGED = range(3)
"""What an item's vectors are found to be."""


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
def _widen(halves: Any, begin: Any, count: Any, wide: Any) -> Any:
    whole = count - count % place(WIDE)
    for number in range(place(0), whole, place(WIDE)):
        store(wide, number, widen(zeros(WIDE), halves, begin + number))
    for number in range(whole, count):
        wide[number] = widen(float32(0), halves, begin + number)


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
    file: int,
    header: int,
    ids: Places,
    sums: Sums,
    query: Floats,
    parts: Places,
    asked: Places,
    scores: Scores,
    states: States,
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
