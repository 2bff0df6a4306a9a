"""The benchmark of search: makes the collections, measures both directions, gathers the figures."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from api.benchmark.changes import time_changes
from api.benchmark.made_items import MadeItems, gathered
from api.benchmark.measure import measure, memory_speed
from api.benchmark.memory import peak_mb
from api.benchmark.peers.compare import compare
from api.benchmark.peers.environments import PEERS
from api.benchmark.real_fragments import RealFragments
from engine.device import choose_device
from engine.device_names import DeviceName
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from engine.manifest import FORMAT
from engine.resources import Resources
from indexer.report import Progress

DIRECTIONS = ("text_to_images", "image_to_sentences")


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        images: numbers of photos, and of sentences, ascending.
        queries: asked in each direction, at most.
        device: where searches multiply.
        peers: ask other engines as well.
    """

    images: Sequence[int]
    queries: int
    device: DeviceName = "auto"
    peers: bool = False


@dataclass
class _Clock:
    """Passes pieces on and keeps the time that making them took."""

    pieces: Iterator[Fragments]
    seconds: float = 0.0

    def __iter__(self) -> Iterator[Fragments]:
        began = time.perf_counter()
        for piece in self.pieces:
            self.seconds += time.perf_counter() - began
            yield piece
            began = time.perf_counter()


def run(real: RealFragments, plan: Plan, folder: Path, progress: Progress) -> dict[str, Any]:
    """Measure text -> photos over made photos, and photo -> sentences over as many made sentences, at every size.

    Args:
        real: what to make them of, and the queries.
        plan: what to measure.
        folder: where the indexes are written; those of the same items that are there already are taken.
        progress: told how far it is.

    Returns:
        The figures as JSON values; those of one size are an element of "sizes".
    """
    figures: dict[str, Any] = {
        "source": real.source,
        "score": asdict(real.score),
        "dimension": real.regions.vectors.shape[1],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": choose_device(plan.device).type,
        "memory_gb_per_second": round(memory_speed(), 1),
        "sizes": [],
    }
    for count in plan.images:
        size: dict[str, Any] = {"images": count}
        for name in DIRECTIONS:
            size[name] = _direction(name, real, plan, count, folder, progress)
        if plan.peers:
            stored = gathered(MadeItems(real.regions).pieces(count))
            size["peers"] = compare(stored, real.texts[: plan.queries], PEERS, folder / "peers", progress)
        figures["sizes"].append(size)
    return figures


def _direction(
    name: str, real: RealFragments, plan: Plan, count: int, folder: Path, progress: Progress
) -> dict[str, Any]:
    if name == "text_to_images":
        made_of, asked, terms = real.regions, real.texts, ScoreTerms.between("sentences", "images", real.score)
    else:
        made_of, asked, terms = real.words, real.photos, ScoreTerms.between("images", "sentences", real.score)
    recipe, path, queries = MadeItems(made_of), folder / f"{name} {count}", asked[: plan.queries]
    progress(f"build {name} {count}", 0, 1)
    built = made_index(recipe, count, path, plan.device)
    progress(f"build {name} {count}", 1, 1)
    progress(f"search {name} {count}", 0, 1)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        measured = pool.submit(measure, path / "index", path / "exact.json", queries, terms, plan.device).result()
    progress(f"search {name} {count}", 1, 1)
    index = FaissFragmentIndex.open(path / "index")
    files = [file for file in (path / "index").rglob("*") if file.is_file()]
    return {
        "items": count,
        "fragments": index.fragment_count,
        "queries": len(queries),
        "query_vectors_median": float(np.median([len(query) for query in queries])),
        **built,
        "memory_bytes_per_item": round(index.memory_bytes() / count),
        "disk_bytes_per_item": round(sum(file.stat().st_size for file in files) / count),
        **time_changes(index, recipe, path / "changed"),
        **measured,
    }


def made_index(recipe: MadeItems, count: int, path: Path, device: DeviceName) -> dict[str, Any]:
    """Make the index where it is not there yet; say how the items were made, and how long and how much it took."""
    identity = {"format": FORMAT, "noise": round(recipe.noise, 4), "made_of": len(recipe.real), "seed": recipe.seed}
    note = path / "built.json"
    known: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
    if identity.items() <= known.items():
        return known
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # so that the memory is that of building
        known = identity | pool.submit(_build, recipe, count, path / "index", device).result()
    note.write_text(json.dumps(known))
    return known


def _build(recipe: MadeItems, count: int, path: Path, device: DeviceName) -> dict[str, float]:
    pieces = _Clock(recipe.pieces(count))
    began = time.perf_counter()
    FaissFragmentIndex.create(path, recipe.real.vectors.shape[1], pieces, Resources(choose_device(device)))
    return {
        "build_seconds": round(time.perf_counter() - began - pieces.seconds, 4),
        "build_peak_mb": round(peak_mb(), 1),
    }
