"""Times searches of one index at every effort and compares their hits with those of exact search."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import psutil
import torch

from engine.device import choose_device
from engine.device_names import DeviceName
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, ScoreTerms
from engine.ranking import DEFAULT_EFFORT, best_items
from engine.resources import Resources
from engine.scoring import exact_scores, top_k

FEW, MANY = 10, 100  # hits of which the recall is measured
EXACT_TIMED = 8  # queries by which exact search is timed: it reads all vectors for each
KEPT = (0.01, 0.0001)  # parts of the items that the timed filters allow
BUS_NUMBERS = 64 * 2**20  # read to measure the memory's speed: 256 MB, more than any cache holds

Query = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


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
        times_floor: how many times the floor the median is.
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
    times_floor: float


@dataclass(frozen=True)
class Filtered:
    """Searches at the default effort of which a filter allows a part of the items, drawn at random.

    Attributes:
        kept: that part.
        hits: found of the ten, the fewest of all queries.
        p50_ms: of one search, milliseconds.
    """

    kept: float
    hits: int
    p50_ms: float


def measure(
    path: Path, answers: Path, queries: Sequence[Query], terms: ScoreTerms, device: DeviceName
) -> dict[str, list[dict[str, Any]]]:
    """Search an index at every effort, with one client and with as many as there are cores.

    To be run in a process of its own, so that the memory is that of the searches.

    Args:
        path: the index.
        answers: file of the exact hits, taken for the queries that it has and completed by the others.
        queries: one at least, float32 (Q, D) each.
        terms: of the score.
        device: where searches multiply.

    Returns:
        `Setting`s as "settings" and `Filtered`s as "filtered", as JSON values.
    """
    index = FaissFragmentIndex.open(path, Resources(choose_device(device)))
    speed = memory_speed()
    filtered = [_filtered(index, queries, terms, kept) for kept in KEPT]
    found, timed = {}, []
    for effort in get_args(Effort):  # the least first: memory that a search has touched is not given back
        asked = queries[:EXACT_TIMED] if effort == "exact" else queries
        search = partial(best_items, index, terms=terms, k=FEW, effort=effort)
        if effort != "exact":
            found[effort] = [best_items(index, query, terms, MANY, effort)[0] for query in queries]  # warms up as well
        touched = np.median([index.bytes_touched(len(query), terms, FEW, effort) for query in queries])
        for clients in sorted({1, os.cpu_count() or 1}):
            few, times, whole = _timed(search, asked, clients)
            resident = psutil.Process().memory_info().rss / 2**20
            timed.append((effort, clients, few, times, len(asked) / whole, resident, float(touched) / speed / 1e6))
    found["exact"] = exact_hits(index, answers, queries, terms)
    settings = [
        Setting(
            effort,
            clients,
            round(float(np.median(times)) * 1e3, 2),
            round(float(np.quantile(times, 0.99)) * 1e3, 2),
            round(rate, 1),
            _recall([best[:FEW] for best in found["exact"]], few),
            _recall(found["exact"], found[effort]),
            round(resident, 1),
            round(floor, 3),
            round(float(np.median(times)) * 1e3 / max(floor, 1e-3), 1),
        )
        for effort, clients, few, times, rate, resident, floor in timed
    ]
    return {"settings": [asdict(one) for one in settings], "filtered": [asdict(one) for one in filtered]}


def exact_hits(index: FaissFragmentIndex, answers: Path, queries: Sequence[Query], terms: ScoreTerms) -> list[Ids]:
    """Return the MANY best ids of each query, from the file or by exact search and then into the file."""
    known: dict[str, list[int]] = json.loads(answers.read_text()) if answers.exists() else {}
    keys = [hashlib.sha256(query.tobytes() + repr(terms).encode()).hexdigest() for query in queries]
    asked = {key: query for key, query in zip(keys, queries, strict=True) if key not in known}
    scores: dict[str, list[npt.NDArray[np.float32]]] = {key: [] for key in asked}
    for piece in index.pieces() if asked else ():  # the vectors are read once for all queries
        for key, query in asked.items():
            scores[key].append(exact_scores(query, piece, terms, index.device))
    for key, parts in scores.items():
        known[key] = top_k(np.concatenate(parts), index.ids(), MANY)[0].tolist()
    answers.write_text(json.dumps(known))
    return [np.array(known[key], np.int64) for key in keys]


def memory_speed() -> float:
    """Return how fast memory is read, in 10^9 bytes a second: the best of five sums of a large array."""
    numbers = torch.ones(BUS_NUMBERS)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        numbers.sum()
        times.append(time.perf_counter() - began)
    return 4 * BUS_NUMBERS / min(times) / 1e9


def _filtered(index: FaissFragmentIndex, queries: Sequence[Query], terms: ScoreTerms, kept: float) -> Filtered:
    ids = index.ids()
    allowed = np.random.default_rng(0).choice(ids, max(1, round(kept * len(ids))), replace=False)
    search = partial(best_items, index, terms=terms, k=FEW, effort=DEFAULT_EFFORT, allowed=allowed)
    _timed(search, queries, 1)  # warms up
    hits, times, _ = _timed(search, queries, 1)
    return Filtered(kept, min(map(len, hits)), round(float(np.median(times)) * 1e3, 2))


def _timed(
    search: Callable[[Query], tuple[Ids, npt.NDArray[np.float32]]], queries: Sequence[Query], clients: int
) -> tuple[list[Ids], npt.NDArray[np.float64], float]:
    """Hits and seconds of each query, and seconds of all of them by so many clients."""

    def one(query: Query) -> tuple[Ids, float]:
        began = time.perf_counter()
        ids, _ = search(query)
        return ids, time.perf_counter() - began

    with ThreadPoolExecutor(clients) as pool:
        began = time.perf_counter()
        answers = list(pool.map(one, queries))
        whole = time.perf_counter() - began
    return [ids for ids, _ in answers], np.array([seconds for _, seconds in answers]), whole


def _recall(exact: Sequence[Ids], found: Sequence[Ids]) -> float:
    pairs = zip(exact, found, strict=False)  # exact search is asked some of the queries
    return round(float(np.mean([np.isin(best, ids).mean() for best, ids in pairs])), 4)
