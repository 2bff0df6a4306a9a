"""Scores of all items by the inverted lists of the best centroids."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float32
from numba import uint64 as place

from engine.kernels.lanes import LINE, NARROW, any_larger, ask_for, compiled, load, zeros

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

SOON = 2  # lists that are asked of memory before they are needed


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
                ask_for(items, begins[vector, rank + SOON], ends[vector, rank + SOON], LINE // 4)
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
