"""Times searches of one index at every effort and compares their hits with those of exact search."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import psutil
import torch

from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, ScoreTerms
from engine.ranking import best_items

FEW, MANY = 10, 100  # hits of which the recall is measured
BUS_NUMBERS = 64 * 2**20  # read to measure the memory's speed: 256 MB, more than any cache holds

Query = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Setting:
    """What was measured at one effort with so many clients.

    Attributes:
        effort: of the searches.
        clients: threads that ask at the same time.
        p50_ms, p99_ms: of one search for ten hits, milliseconds.
        queries_per_second: of all clients together.
        recall_at_10, recall_at_100: the part of the exact best that was found.
        resident_mb: memory of the process that searches, the libraries and the files' pages that it touched included.
        floor_ms: what reading the bytes that a search touches takes at the memory's measured speed.
    """

    effort: Effort
    clients: int
    p50_ms: float
    p99_ms: float
    queries_per_second: float
    recall_at_10: float
    recall_at_100: float
    resident_mb: float
    floor_ms: float


def measure(path: Path, queries: Sequence[Query], terms: ScoreTerms) -> list[Setting]:
    """Search an index at every effort, with one client and with as many as there are cores.

    To be run in a process of its own, so that the memory is that of the searches.

    Args:
        path: the index.
        queries: one at least, float32 (Q, D) each.
        terms: of the score.
    """
    index = FaissFragmentIndex.open(path)
    gigabytes_per_second = memory_speed()
    few, many, measured = {}, {}, []
    for effort in get_args(Effort):  # the least first: memory that a search has touched is not given back
        many[effort] = [best_items(index, query, terms, MANY, effort)[0] for query in queries]  # warms up as well
        few[effort] = [best_items(index, query, terms, FEW, effort)[0] for query in queries]
        touched = np.median([index.bytes_touched(len(query), terms, FEW, effort) for query in queries])
        for clients in sorted({1, os.cpu_count() or 1}):
            times, whole = _timed(partial(best_items, index, terms=terms, k=FEW, effort=effort), queries, clients)
            resident = psutil.Process().memory_info().rss / 2**20
            floor = float(touched) / gigabytes_per_second / 1e6
            measured.append((effort, clients, times, len(queries) / whole, resident, floor))
    return [
        Setting(
            effort,
            clients,
            round(float(np.median(times)) * 1e3, 2),
            round(float(np.quantile(times, 0.99)) * 1e3, 2),
            round(rate, 1),
            _recall(few["exact"], few[effort]),
            _recall(many["exact"], many[effort]),
            round(resident, 1),
            round(floor, 3),
        )
        for effort, clients, times, rate, resident, floor in measured
    ]


def memory_speed() -> float:
    """Return how fast memory is read, in 10^9 bytes a second: the best of five sums of a large array."""
    numbers = torch.ones(BUS_NUMBERS)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        numbers.sum()
        times.append(time.perf_counter() - began)
    return 4 * BUS_NUMBERS / min(times) / 1e9


def _timed(
    search: Callable[[Query], object], queries: Sequence[Query], clients: int
) -> tuple[npt.NDArray[np.float64], float]:
    """Seconds of each query, and of all of them by so many clients."""

    def one(query: Query) -> float:
        began = time.perf_counter()
        search(query)
        return time.perf_counter() - began

    with ThreadPoolExecutor(clients) as pool:
        began = time.perf_counter()
        times = np.array(list(pool.map(one, queries)))
        return times, time.perf_counter() - began


def _recall(exact: Sequence[npt.NDArray[np.int64]], found: Sequence[npt.NDArray[np.int64]]) -> float:
    return round(float(np.mean([np.isin(best, ids).mean() for best, ids in zip(exact, found, strict=True)])), 4)
