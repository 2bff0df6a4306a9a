"""Time warm searches over random vectors of the size of Flickr8k and print the figures as one JSON document.

    .venv/bin/python scripts/search_speed.py [--repeats 30]

Each figure is the median, and the worst, of candidates, exact scores and the order of the ten best, in milliseconds.
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from engine.scoring import exact_scores, top_k

DIMENSION = 256
CASES = {
    "words over 7,000 photos of 20 regions": (7_000, 20, 10, ScoreTerms(query=True, stored=False, reduction="sum")),
    "photo over 35,000 sentences of 11 words": (35_000, 11, 20, ScoreTerms(query=False, stored=True, reduction="sum")),
}


def measure(items: int, per_item: int, asked: int, terms: ScoreTerms, repeats: int) -> dict[str, float]:
    """Time one kind of search; a tenth of the queries first, unmeasured, to warm up."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((items * per_item, DIMENSION), dtype=np.float32)
    index = FaissFragmentIndex(DIMENSION)
    offsets = np.arange(0, len(vectors) + 1, per_item, dtype=np.int64)
    index.add(Fragments(np.arange(items, dtype=np.int64), offsets, vectors))
    times = []
    for number in range(-max(1, repeats // 10), repeats):
        query = random.standard_normal((asked, DIMENSION), dtype=np.float32)
        began = time.perf_counter()
        ids = index.candidates(query, terms, 1000)
        stored = index.all_fragments() if len(ids) == len(index) else index.fragments(ids)
        top_k(exact_scores(query, stored, terms), stored.ids, 10)
        if number >= 0:
            times.append((time.perf_counter() - began) * 1000)
    return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}


def main() -> None:
    """Measure all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    figures = {name: measure(*case, repeats) for name, case in CASES.items()}
    print(json.dumps({"cores": os.cpu_count(), "dimension": DIMENSION, **figures}, indent=2))


if __name__ == "__main__":
    main()
