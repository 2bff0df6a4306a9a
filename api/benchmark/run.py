"""The benchmark of search: makes the collections, measures both directions, gathers the figures."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from api.benchmark.made_items import MadeItems
from api.benchmark.measure import Query, measure, memory_speed
from api.benchmark.real_fragments import RealFragments
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from indexer.report import Progress


class _Clock:
    """Passes pieces on and keeps the time that making them took."""

    def __init__(self, pieces: Iterator[Fragments], count: int, progress: Progress, stage: str) -> None:
        self._pieces, self._count, self._progress, self._stage = pieces, count, progress, stage
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Fragments]:
        done, began = 0, time.perf_counter()
        for piece in self._pieces:
            self.seconds += time.perf_counter() - began
            yield piece
            done += len(piece)
            self._progress(self._stage, done, self._count)
            began = time.perf_counter()


def run(real: RealFragments, images: int, queries: int, folder: Path, progress: Progress) -> dict[str, Any]:
    """Measure text -> photos over `images` made photos, and photo -> sentences over as many made sentences.

    Args:
        real: what to make them of, and the queries.
        images: their number.
        queries: asked in each direction, at most.
        folder: where the indexes are written; it must not hold any yet.
        progress: told how far it is.

    Returns:
        The figures as JSON values; those of one direction under its name.
    """
    between = ScoreTerms.between
    cases = {
        "text_to_images": (real.regions, real.texts, between("sentences", "images", real.score)),
        "image_to_sentences": (real.words, real.photos, between("images", "sentences", real.score)),
    }
    return {
        "images": images,
        "source": real.source,
        "dimension": real.regions.vectors.shape[1],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb_per_second": round(memory_speed(), 1),
    } | {
        name: _direction(name, MadeItems(made_of), images, asked[:queries], terms, folder / name, progress)
        for name, (made_of, asked, terms) in cases.items()
    }


def _direction(
    name: str,
    recipe: MadeItems,
    count: int,
    queries: Sequence[Query],
    terms: ScoreTerms,
    path: Path,
    progress: Progress,
) -> dict[str, Any]:
    pieces = _Clock(recipe.pieces(count), count, progress, f"build {name}")
    began = time.perf_counter()
    index = FaissFragmentIndex.create(path, recipe.real.vectors.shape[1], pieces)
    seconds = time.perf_counter() - began - pieces.seconds
    progress(f"search {name}", 0, 1)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        settings = pool.submit(measure, path, queries, terms).result()
    progress(f"search {name}", 1, 1)
    return {
        "items": count,
        "fragments": index.fragment_count,
        "queries": len(queries),
        "query_vectors_median": float(np.median([len(query) for query in queries])),
        "noise": round(recipe.noise, 4),
        "build_seconds": round(seconds, 4),
        "memory_bytes_per_item": round(index.memory_bytes() / count),
        "disk_bytes_per_item": round(sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / count),
        "settings": [asdict(setting) for setting in settings],
    }
