"""Say what each stage of an indexed search keeps and takes, as one JSON document.

    .venv/bin/dvsa benchmark search --images 100000 --dataset FLICKR8K --cache DIR --keep KEPT
    .venv/bin/python scripts/search_stages.py --images 100000 --dataset FLICKR8K --cache DIR --keep KEPT

Looks again at what the benchmark kept. Of each direction and stage: which part of the ten best by exact score is among
the best so many by that stage's scores of all items, and the median of its time in a search, milliseconds.
"""

import argparse
import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import numpy.typing as npt

from api.benchmark.measure import exact_hits
from api.benchmark.real_fragments import read_training_data
from engine.approximate_scores import ApproximateScores
from engine.effort import DEPTHS
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import QueryPart, ScoreTerms
from engine.ranking import DEFAULT_EFFORT, best_items
from engine.settings import Settings

STAGES = ("listed", "coarse_of", "refined_of")
PARTS = (0.0005, 0.0015, 0.0045, 0.009, 0.018)  # of the items
Query = npt.NDArray[np.float32]


def kept(index: FaissFragmentIndex, query: Query, terms: ScoreTerms, best: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return which part of the best ids is among the best of all by each stage's scores, for each of PARTS."""
    assert index._codebook is not None, "exact search has no stages"
    depth = DEPTHS[DEFAULT_EFFORT]
    scores, places = (
        ApproximateScores(index._items, [QueryPart(query, terms)], index._codebook, depth),
        index._items.kept,
    )
    wanted, found = np.isin(index.ids(), best), {}
    for stage in STAGES:
        made = scores.listed()[places] if stage == "listed" else getattr(scores, stage)(places)
        ordered = np.sort(made)[::-1]
        edges = [ordered[round(part * len(made)) - 1] for part in PARTS]
        found[stage] = [float(np.mean(made[wanted] >= edge)) for edge in edges]
    return found


def timed(index: FaissFragmentIndex, queries: Sequence[Query], terms: ScoreTerms) -> dict[str, float]:
    """Return the median milliseconds of whole searches and of each stage within, queries asked twice to warm up."""
    seconds: dict[str, list[float]] = defaultdict(list)

    def clock(name: str, plain: Any, *given: Any) -> Any:
        began = time.perf_counter()
        answer = plain(*given)
        seconds[name].append(time.perf_counter() - began)
        return answer

    plain = {stage: getattr(ApproximateScores, stage) for stage in STAGES}
    for stage in STAGES:
        setattr(ApproximateScores, stage, lambda *given, stage=stage: clock(stage, plain[stage], *given))
    for _ in range(2):
        seconds.clear()
        for query in queries:
            clock("search", partial(best_items, index, query, terms, 10))
    for stage in STAGES:
        setattr(ApproximateScores, stage, plain[stage])
    return {name: round(statistics.median(times) * 1e3, 2) for name, times in seconds.items()}


def main() -> None:
    """Print the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--queries", type=int, default=60)
    for name in ("--dataset", "--cache", "--keep"):
        parser.add_argument(name, type=Path, required=True)
    given = parser.parse_args()
    real = read_training_data(given.dataset, given.cache, Settings())
    document: dict[str, Any] = {"images": given.images, "parts": PARTS}
    for direction, asked, query_is, stored_are in (
        ("text_to_images", real.texts, "sentences", "images"),
        ("image_to_sentences", real.photos, "images", "sentences"),
    ):
        folder, terms = given.keep / f"{direction} {given.images}", ScoreTerms.between(query_is, stored_are, real.score)
        index, queries = FaissFragmentIndex.open(folder / "index"), asked[: given.queries]
        best = exact_hits(index, folder / "exact.json", queries, terms)
        found = [kept(index, query, terms, ids[:10]) for query, ids in zip(queries, best, strict=True)]
        document[direction] = {
            "kept": {stage: np.mean([one[stage] for one in found], axis=0).round(4).tolist() for stage in STAGES},
            "ms": timed(index, queries, terms),
        }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
