"""Time warm searches and print the figures as one JSON document.

    .venv/bin/python scripts/search_speed.py                          random vectors of the size of Flickr8k
    .venv/bin/python scripts/search_speed.py --collection NAME        whole searches in a collection of yours

The first times exact search (random vectors have no clusters that an index could use): exact scores, mean over words
and over regions, as the bundled model has them, and the order of the ten best; the second everything from the text or
the decoded photo to the hits. Median and worst, milliseconds. `dvsa benchmark search` measures indexed search.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from api.session import open_search, read_photo, read_settings
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from engine.ranking import best_items
from engine.search import SearchRequest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DIMENSION = 256
TERMS = ScoreTerms(query=True, stored=True, reduction="mean")
CASES = {
    "10 words over 7,000 photos of 20 regions": (7_000, 20, 10),
    "20 regions over 35,000 sentences of 11 words": (35_000, 11, 20),
}

Figures = dict[str, float]


def timed(search: Callable[[int], object], repeats: int) -> Figures:
    """Time `repeats` searches, numbered from 0; a tenth as many before them, unmeasured, to warm up."""
    times = []
    for number in range(-max(1, repeats // 10), repeats):
        began = time.perf_counter()
        search(number)
        if number >= 0:
            times.append((time.perf_counter() - began) * 1000)
    return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}


def measure_random(items: int, per_item: int, asked: int, repeats: int) -> Figures:
    """Time searches in random vectors."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((items * per_item, DIMENSION), dtype=np.float32)
    offsets = np.arange(0, len(vectors) + 1, per_item, dtype=np.int64)
    stored = Fragments(np.arange(items, dtype=np.int64), offsets, vectors)
    with tempfile.TemporaryDirectory() as folder:
        index = FaissFragmentIndex.create(Path(folder) / "index", DIMENSION, [stored])

        def search(_: int) -> None:
            best_items(index, random.standard_normal((asked, DIMENSION), dtype=np.float32), TERMS, 10, "exact")

        return timed(search, repeats)


def measure_collection(name: str, repeats: int) -> dict[str, Figures]:
    """Time whole searches in a collection, with the demo's queries."""
    settings = read_settings()
    service = open_search(settings, by_photo=True)
    texts = (EXAMPLES / "queries.txt").read_text(encoding="utf-8").split("\n")[:-1]
    names = (EXAMPLES / "photo_queries.txt").read_text(encoding="utf-8").split()
    photos = [read_photo(EXAMPLES / "photos" / photo, settings) for photo in names]
    by_text, by_photo = SearchRequest((name,)), SearchRequest((name,), target="sentences")
    return {
        "text to photos": timed(lambda n: service.search_text(texts[n % len(texts)], by_text), repeats),
        "photo to sentences": timed(lambda n: service.search_photo(photos[n % len(photos)], by_photo), repeats),
    }


def main() -> None:
    """Measure what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--collection")
    options = parser.parse_args()
    if options.collection:
        figures = measure_collection(options.collection, options.repeats)
    else:
        figures = {name: measure_random(*case, options.repeats) for name, case in CASES.items()}
    print(json.dumps({"cores": os.cpu_count(), **figures}, indent=2))


if __name__ == "__main__":
    main()
