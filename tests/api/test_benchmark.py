"""The benchmark of search: what it makes, what it measures, and the real command."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from api.benchmark import report
from api.benchmark.made_items import MadeItems, neighbour_distance
from api.benchmark.measure import measure
from engine import faiss_index
from engine.exceptions import StorageError
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, Fragments, ScoreTerms

Run = Callable[..., "subprocess.CompletedProcess[str]"]

D = 12
REAL_LENGTHS = (1.0, 3.0)


def real_items(count: int = 30) -> Fragments:
    random = np.random.default_rng(0)
    vectors = [random.standard_normal((int(size), D)).astype(np.float32) for size in random.integers(1, 7, count)]
    lengths = random.choice(REAL_LENGTHS, sum(map(len, vectors)))
    items = Fragments.of(list(range(count)), vectors, D)
    rows = items.vectors / np.linalg.norm(items.vectors, axis=1, keepdims=True) * lengths[:, None]
    return Fragments(items.ids, items.offsets, rows.astype(np.float32))


def made(count: int, seed: int = 0) -> Fragments:
    pieces = list(MadeItems(real_items(), seed).pieces(count))
    vectors = [piece.item(number) for piece in pieces for number in range(len(piece))]
    return Fragments.of([int(item) for piece in pieces for item in piece.ids], vectors, D)


def test_made_items_are_as_many_as_asked_and_the_same_each_time() -> None:
    items = made(620)
    assert items.ids.tolist() == list(range(1, 621))
    np.testing.assert_array_equal(items.vectors, made(620).vectors)
    assert not np.array_equal(items.vectors[:9], made(620, seed=1).vectors[:9])


def test_made_fragments_have_real_lengths_and_lie_at_the_distance_of_neighbours() -> None:
    real, items = real_items(), made(500)
    lengths = np.linalg.norm(items.vectors, axis=1)
    assert np.isclose(lengths[:, None], REAL_LENGTHS, rtol=1e-4).any(axis=1).all()
    assert set(np.diff(items.offsets)) <= set(np.diff(real.offsets))
    nearest = np.linalg.norm(items.vectors[:200, None] - real.vectors, axis=2).min(axis=1)
    noise = neighbour_distance(real, 0)
    assert 0.3 * noise < np.median(nearest) < 1.2 * noise
    assert nearest.min() > 0


def test_neighbour_distance_looks_at_other_items_only() -> None:
    vectors = [np.array([[0, 0], [0.1, 0]], np.float32), np.array([[3, 0], [3.1, 0]], np.float32)]
    distance = neighbour_distance(Fragments.of([1, 2], vectors, 2), 0)
    assert distance == pytest.approx((2.9 + 3.0) / 2, abs=1e-3)


def test_every_effort_is_measured_and_exact_search_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    monkeypatch.setattr("api.benchmark.measure.BUS_NUMBERS", 10_000)
    FaissFragmentIndex.create(tmp_path / "index", D, MadeItems(real_items()).pieces(2000))
    queries = [real_items().item(number) for number in range(8)]
    settings = measure(tmp_path / "index", queries, ScoreTerms(True, True, "mean"))
    assert {setting.effort for setting in settings} == set(get_args(Effort))
    for setting in settings:
        values = asdict(setting)
        assert 0 < values["p50_ms"] <= values["p99_ms"]
        assert values["resident_mb"] > 50
        assert values["floor_ms"] >= 0
        assert 0.5 < values["recall_at_10"] <= 1
        if setting.effort == "exact":
            assert (setting.recall_at_10, setting.recall_at_100) == (1, 1)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "photos").mkdir()
    source = Path(__file__).resolve().parents[2] / "examples" / "photos"
    for name in ("orchestra", "white-duck", "desert-hikers"):
        for suffix in (".jpg", ".txt"):
            shutil.copy(source / (name + suffix), folder / "photos")
    return folder


def test_the_command_measures_both_directions_and_draws_them(dvsa: Run, examples: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    arguments = ("--images", "300", "--queries", "3", "--examples", examples, "--json", "--plot", plot)
    done = dvsa("benchmark", "search", *arguments)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["images"], figures["dimension"]) == (300, 256)
    for direction in ("text_to_images", "image_to_sentences"):
        part = figures[direction]
        assert (part["items"], part["queries"]) == (300, 3)
        assert part["fragments"] > 300
        assert part["disk_bytes_per_item"] > 512 * part["fragments"] / 300
        assert part["build_seconds"] > 0
        for row in part["settings"]:
            assert row["recall_at_10"] == row["recall_at_100"] == 1  # so few items are searched exactly
            assert {"p50_ms", "p99_ms", "resident_mb", "effort", "clients"} <= row.keys()
    with Image.open(plot) as picture:
        assert picture.width > 500
    assert any("text -> photos: 300 items" in line for line in report.lines(figures))
    with pytest.raises(StorageError, match="cannot write"):
        report.plot(figures, tmp_path / "nowhere" / "plot.png")


def test_a_folder_without_photos_is_one_sentence(dvsa: Run, tmp_path: Path) -> None:
    done = dvsa("benchmark", "search", "--examples", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "fewer than two .jpg files" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_cache_without_a_dataset_is_wrong_usage(dvsa: Run) -> None:
    assert dvsa("benchmark", "search", "--cache", "x").returncode == 2
