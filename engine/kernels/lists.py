"""Scores of all items by the inverted lists of the best centroids."""

from typing import Any

import numpy as np
from numba import float32
from numba import uint64 as place

from engine.kernels.arrays import Bytes, Codes, Floats, Places
from engine.kernels.choice import SIGN, largest_places, ranked, rising
from engine.kernels.lanes import LINE, NARROW, any_larger, ask_for, compiled, load, sum_of_first, zeros
from engine.kernels.sharing import Board, take, tell_wrong

LOW = 2**32 - 1

SOME = 4  # vectors that a thread takes at a time

SAMPLED = 256  # products that tell about where the best begin

SOON = 2  # lists that are asked of memory before they are needed


@compiled
def rank_lists(products: Floats, lists: Codes, gains: Floats, least: Floats, board: Board) -> None:
    """Find the lists whose centroids are best for each of a query's vectors.

    Args:
        products: of the centroids with the query, float32 (C, W).
        lists: int32 (Q, n); is written: the best n of C, best first.
        gains: float32 (Q, n); is written: by how much each is better than the best that is left out.
        least: float32 (Q,); is written: the product that is left out, the least of all where none is.
        board: that the vectors are taken off.
    """
    count, most, width, flat = len(products), lists.shape[1], place(products.shape[1]), products.ravel()
    step = max(1, count // SAMPLED)
    rank = min(int(1.5 * most / step) + 4, -(-count // step))  # well beyond what is sought, whatever the sample
    room = min(count, 8 * most + 64)
    likely, found = np.empty((SOME, room), np.int32), np.empty(SOME, np.int64)
    edges, above = np.empty(NARROW, np.float32), np.empty(rank, np.float32)
    keys, values = np.empty(count, np.int64), np.empty(count, np.float32)
    first, last = take(board, len(lists), SOME, 0)
    while first < last:
        found[:], edges[:] = 0, np.inf
        before = first % NARROW  # of the same lanes
        for vector in range(last - first):
            edges[before + vector] = ranked(products[::step, first + vector], above)
        for row in range(place(count)):
            at = row * width + place(first - before)
            if any_larger(load(zeros(NARROW), flat, at), load(zeros(NARROW), edges, place(0))):
                for vector in range(last - first):
                    if products[row, first + vector] > edges[before + vector]:
                        if found[vector] < room:
                            likely[vector, found[vector]] = row
                        found[vector] += 1
        for vector in range(last - first):
            number = found[vector]
            some = likely[vector, :number] if most < number <= room else np.arange(count).astype(np.int32)
            for at in range(len(some)):
                values[at] = products[some[at], first + vector]
            _in_order(values, some, keys)
            last_one = products[keys[min(most, len(some) - 1)] & LOW, first + vector]
            least[first + vector] = last_one
            for at in range(most):
                lists[first + vector, at] = keys[at] & LOW
                gains[first + vector, at] = products[keys[at] & LOW, first + vector] - last_one
        first, last = take(board, len(lists), SOME, last - first)


@compiled
def _in_order(values: Any, names: Any, keys: Any) -> Any:
    """Sort names by falling values; of equal ones the smaller first. Each key ends with a name in 32 bits."""
    for at in range(len(names)):
        keys[at] = ((SIGN - rising(values[at])) << 32) | np.int64(names[at])
    keys[: len(names)].sort()


@compiled
def list_by_query(
    offsets: Places,
    lists: Codes,
    gains: Floats,
    least: Floats,
    items: Codes,
    scores: Floats,
    step: int,
    board: Board,
) -> None:
    """Add up, for each item, what the best list gives that it is in, of each of a query's vectors.

    Args:
        offsets: list l is offsets[l]:offsets[l + 1] of `items`, int64.
        lists: that are looked at, int32 (Q, n), the best first.
        gains: how much more each gives than none, float32 (Q, n).
        least: what an item gets that is in none of a vector's lists, float32 (Q,).
        items: of all lists, int32, ascending in each.
        scores: float32 (I,), is written.
        step: items that a thread takes at a time.
        board: that the items are taken off. A list of items that there are not is told, as far as it was looked at.
    """
    count, base = len(scores), sum_of_first(least, len(least))
    seen = np.empty(2 * min(step, count), np.float32)  # of each its gains and the last vector that it got one of
    first, last = take(board, count, step, 0)
    while first < last:
        size = place(last - first)
        seen[: place(2) * size] = 0
        for vector in range(lists.shape[0]):
            number, ranks = float32(vector + 1), lists.shape[1]
            for rank in range(ranks):
                if rank + SOON < ranks:
                    soon = lists[vector, rank + SOON]
                    ask_for(items, offsets[soon], offsets[soon + 1], LINE // 4)
                gain, one = gains[vector, rank], lists[vector, rank]
                begin, end = _between(items, offsets[one], offsets[one + 1], first, last, count, board)
                for entry in range(begin, end):
                    at = place(items[entry] - first)
                    if at >= size:
                        tell_wrong(board)
                    elif seen[place(2) * at + place(1)] != number:
                        seen[place(2) * at + place(1)] = number
                        seen[place(2) * at] += gain
        for item in range(size):
            scores[place(first) + item] = base + seen[place(2) * item]
        first, last = take(board, count, step, last - first)


@compiled
def choose_lists(values: Floats, offsets: Places, lists: Codes, gains: Floats) -> float:
    """Find the lists of the best centroids, in the order of their numbers.

    Args:
        values: of the centroids, float32 (C,).
        offsets: list c is offsets[c]:offsets[c + 1], int64 (C + 1,).
        lists: int32 (n,); is written.
        gains: by how much each is better than the mean of the others' fragments, float32 (n,); is written.

    Returns:
        That mean; zero where there are no others.
    """
    lists[:] = largest_places(values, len(lists))
    total, entries = 0.0, 0
    for number in range(len(values)):
        size = offsets[number + 1] - offsets[number]
        total += values[number] * size
        entries += size
    for number in lists:
        size = offsets[number + 1] - offsets[number]
        total -= values[number] * size
        entries -= size
    mean: float = float32(total / entries if entries else 0.0)
    for at in range(len(lists)):
        gains[at] = values[lists[at]] - mean
    return mean


@compiled
def list_by_stored(
    offsets: Places,
    lists: Codes,
    gains: Floats,
    items: Codes,
    counts: Bytes,
    sizes: Floats,
    rest: Floats,
    mean: bool,
    scores: Floats,
    step: int,
    board: Board,
) -> None:
    """Score each item by the centroids of its fragments, as far as lists say.

    Args:
        offsets: list l is offsets[l]:offsets[l + 1] of `items` and `counts`, int64.
        lists: that are looked at, int32 (n,).
        gains: how much more each gives a fragment, float32 (n,).
        items: of all lists, int32, ascending in each.
        counts: how often each is there, uint8.
        sizes: fragments of each item, float32 (I,).
        rest: what a fragment in none of the lists gives, float32 (1,).
        mean: whether the score is the mean over the fragments, else the sum.
        scores: float32 (I,), is written.
        step: items that a thread takes at a time.
        board: that the items are taken off. A list of items that there are not is told, as far as it was looked at.
    """
    first, last = take(board, len(scores), step, 0)
    while first < last:
        size = place(last - first)
        scores[first:last] = 0
        for number in range(len(lists)):
            gain, begin, end = gains[number], offsets[lists[number]], offsets[lists[number] + 1]
            begin, end = _between(items, begin, end, first, last, len(scores), board)
            for entry in range(begin, end):
                at = place(items[entry] - first)
                if at >= size:
                    tell_wrong(board)
                else:
                    scores[place(first) + at] += gain * float32(counts[entry])
        for item in range(first, last):
            scores[item] = scores[item] / sizes[item] + rest[0] if mean else scores[item] + rest[0] * sizes[item]
        first, last = take(board, len(scores), step, last - first)


@compiled
def _between(items: Any, begin: Any, end: Any, first: Any, last: Any, count: Any, board: Any) -> Any:
    """Where those of the items first:last begin and end in a list; tells one that is not of `count` items."""
    if begin < end and (items[begin] < 0 or items[end - 1] >= count):
        tell_wrong(board)
    return place(_search(items, begin, end, first)), place(_search(items, begin, end, last))


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
