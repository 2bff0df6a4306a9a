"""The largest of many numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float32
from numba import int64 as whole
from numba import uint64 as place

from engine.kernels.lanes import WIDE, any_larger, compiled, load, zeros

SAMPLED = 2048  # numbers that tell where the edge of the largest is

SIGN = 2**31

STEPS = ((21, 11), (10, 11), (0, 10))  # bits of a number that are decided at a time: below how many, and how many


@compiled
def largest_places(numbers: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """Find the places of the largest numbers, ascending; of equal ones at the edge those that come first.

    A sample tells which are worth ordering, so that most are only compared once.

    Args:
        numbers: float32 (n,), none of them NaN.
        count: how many, at least one and at most n.
    """
    edge = float32(-np.inf)
    if len(numbers) > 4 * SAMPLED:
        sample = numbers[:: len(numbers) // SAMPLED]
        rank = int(1.5 * count * len(sample) / len(numbers)) + 16  # well beyond the edge, whatever the sample
        if rank < len(sample):
            edge = ranked(sample, np.empty(rank, np.float32))
    likely = np.empty(len(numbers), np.int32)
    found = _above(numbers, edge, likely)
    if found < count:
        likely[:] = np.arange(len(numbers))
        found = len(numbers)
    keys = np.empty(found, np.int64)
    for at in range(found):
        keys[at] = rising(numbers[likely[at]] + float32(0))  # no other zero than the positive one
    least, equal = _edge(keys, count)
    chosen, held = np.empty(count, np.int64), 0
    for at in range(found):
        if keys[at] > least or (keys[at] == least and equal > 0):
            equal -= keys[at] == least
            chosen[held] = likely[at]
            held += 1
    return chosen


@compiled
def ranked(numbers: Any, above: Any) -> Any:
    """Return the smallest of the largest numbers, as many as `above`, float32, holds."""
    held = 0
    for number in numbers:
        if held < len(above):
            held += 1
        elif number <= above[held - 1]:
            continue
        at = held - 1
        while at > 0 and above[at - 1] < number:
            above[at] = above[at - 1]
            at -= 1
        above[at] = number
    return above[held - 1]


@compiled
def rising(number: Any) -> Any:
    """Return a whole number from 0 to 2**32 that grows with a float32."""
    bits = whole(np.float32(number).view(np.int32))
    return bits + SIGN if bits >= 0 else SIGN - 1 - (bits + SIGN)


@compiled
def _above(numbers: Any, edge: Any, likely: Any) -> Any:
    """Note the places of the numbers above the edge; return how many there are."""
    found, at, count = 0, place(0), place(len(numbers))
    edges = np.full(WIDE, edge, np.float32)
    while at < count:
        end = min(at + place(WIDE), count)
        if end < at + place(WIDE) or any_larger(load(zeros(WIDE), numbers, at), load(zeros(WIDE), edges, place(0))):
            for number in range(at, end):
                likely[found] = number  # stays if it is above; without a branch, which nothing could foretell
                found += numbers[number] > edge
        at = end
    return found


@compiled
def _edge(keys: Any, count: Any) -> Any:
    """Return the least of the largest keys, and how many that are equal to it are among them."""
    edge, left = 0, count
    tallies = np.empty(2048, np.int64)
    for below, bits in STEPS:
        tallies[:] = 0
        for key in keys:
            if key >> (below + bits) == edge:
                tallies[(key >> below) & ((1 << bits) - 1)] += 1
        digit = (1 << bits) - 1
        while tallies[digit] < left:
            left -= tallies[digit]
            digit -= 1
        edge = (edge << bits) | digit
    return edge, left
