"""Say what a codebook misses of content that came after its training, as one JSON document.

    .venv/bin/python scripts/codebook_drift.py --dataset FLICKR8K --cache DIR

The training photos are parted into twelve topics by their mean region (k-means). Those of every other topic are
indexed; of the others more and more are added, without a new codebook. For each share: by what factor the fragments lie
farther from the centroids than when they were trained (what `engine.revision` bounds), and of the exact ten best of
dev's sentences the part that is found, of all photos and of the added ones, by that codebook and by one trained anew.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import faiss
import numpy as np
import numpy.typing as npt

from api.benchmark.real_fragments import RealFragments, read_training_data
from engine.drift import drift
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, Fragments, ScoreTerms
from engine.ranking import best_items
from engine.settings import Settings

TOPICS = 12
SHARES = (0.0, 0.1, 0.25, 0.5, 0.8)  # of the photos that the codebook was trained on
EFFORTS: tuple[Effort, ...] = ("fast", "normal")
Places = npt.NDArray[np.int64]


def topics(photos: Fragments) -> tuple[Places, Places]:
    """Part photos into those of every other topic, the largest first, and the rest in random order."""
    means = np.add.reduceat(photos.vectors, photos.offsets[:-1]) / np.diff(photos.offsets)[:, None]
    clusters = faiss.Kmeans(means.shape[1], TOPICS, niter=20, seed=1)
    clusters.train(np.ascontiguousarray(means, np.float32))
    label = clusters.index.search(np.ascontiguousarray(means, np.float32), 1)[1][:, 0]
    largest = np.argsort(-np.bincount(label, minlength=TOPICS))
    rest = np.flatnonzero(np.isin(label, largest[1::2]))
    return np.flatnonzero(np.isin(label, largest[::2])), np.random.default_rng(0).permutation(rest)


def recall(index: FaissFragmentIndex, real: RealFragments, terms: ScoreTerms, among: Places, effort: Effort) -> float:
    """Return which part of the exact ten best that are among these ids is found."""
    parts = []
    for query in real.texts:
        best = best_items(index, query, terms, 10, "exact")[0]
        best = best[np.isin(best, among)]
        if len(best):
            parts.append(np.isin(best, best_items(index, query, terms, 10, effort)[0]).mean())
    return round(float(np.mean(parts)), 4)


def main() -> None:
    """Print the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    real = read_training_data(given.dataset, given.cache, Settings())
    photos, dimension = real.regions, real.regions.vectors.shape[1]
    terms = ScoreTerms.between("sentences", "images", real.score)
    indexed, others = topics(photos)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        first = FaissFragmentIndex.create(Path(folder) / "first", dimension, [photos.take(indexed)])
        assert first._codebook is not None, "there are photos enough for one"
        for share in SHARES:
            added = np.sort(others[: int(share * len(indexed))])
            pieces = [photos.take(added)] if len(added) else []
            grown = first.revise(Path(folder) / f"grown {share}", np.empty(0, np.int64), pieces)
            whole = [photos.take(np.sort(np.concatenate([indexed, added])))]
            anew = FaissFragmentIndex.create(Path(folder) / f"anew {share}", dimension, whole)
            row: dict[str, Any] = {"added": len(added)}
            row["drift"] = round(drift(grown._items, first._codebook, first._trained_error), 3)
            for effort in EFFORTS:
                for name, ids in (("all", anew.ids()), ("added", added)):
                    if len(ids):
                        row[f"{effort}, {name}"] = [recall(one, real, terms, ids, effort) for one in (grown, anew)]
            rows.append(row)
    print(json.dumps({"indexed": len(indexed), "shares": rows}, indent=1))


if __name__ == "__main__":
    main()
