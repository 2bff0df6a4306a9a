"""The benchmark of search: what it makes, what it measures, and the real command."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from api.benchmark import report
from api.benchmark.changes import time_changes
from api.benchmark.made_items import MadeItems, gathered, neighbour_distance
from api.benchmark.measure import exact_hits, measure
from api.benchmark.run import made_index
from engine import faiss_index
from engine.exceptions import StorageError
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, Fragments, ScoreTerms
from engine.ranking import best_items

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
    return gathered(MadeItems(real_items(), seed).pieces(count))


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


@pytest.fixture
def compressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    monkeypatch.setattr("api.benchmark.measure.BUS_NUMBERS", 10_000)
    FaissFragmentIndex.create(tmp_path / "index", D, MadeItems(real_items()).pieces(2000))
    return tmp_path / "index"


def test_every_effort_is_measured_and_exact_search_misses_nothing(compressed: Path, tmp_path: Path) -> None:
    queries = [real_items().item(number) for number in range(8)]
    measured = measure(compressed, tmp_path / "exact.json", queries, ScoreTerms(True, True, "mean"), "cpu")
    assert {row["effort"] for row in measured["settings"]} == set(get_args(Effort))
    for row in measured["settings"]:
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["resident_mb"] > 50
        assert row["floor_ms"] >= 0
        assert 0.5 < row["recall_at_10"] <= 1
        if row["effort"] == "exact":
            assert (row["recall_at_10"], row["recall_at_100"]) == (1, 1)
    assert [(row["kept"], row["hits"]) for row in measured["filtered"]] == [(0.01, 10), (0.0001, 1)]


def test_exact_hits_are_found_once_and_then_read(compressed: Path, tmp_path: Path) -> None:
    index, file = FaissFragmentIndex.open(compressed), tmp_path / "exact.json"
    words, both = ScoreTerms(True, False, "sum"), ScoreTerms(True, True, "sum")
    first, second = real_items().item(0), real_items().item(1)
    found = exact_hits(index, file, [first], both)
    known = json.loads(file.read_text())
    ((key, ids),) = known.items()
    file.write_text(json.dumps({key: ids[::-1]}))
    again, other = exact_hits(index, file, [first, second], both)
    assert again.tolist() == found[0].tolist()[::-1]  # it was read
    assert other.tolist() == best_items(index, second, both, 100, "exact")[0].tolist()
    assert exact_hits(index, file, [first], words)[0].tolist() != found[0].tolist()  # the score is part of the key


def test_changes_are_timed_and_leave_the_index_as_it_was(compressed: Path, tmp_path: Path) -> None:
    index, recipe = FaissFragmentIndex.open(compressed), MadeItems(real_items())
    before = sorted(file.name for file in tmp_path.rglob("*"))
    figures = time_changes(index, recipe, tmp_path / "changed")
    assert figures["changed_items"] == 1000
    assert figures["add_seconds"] > 0 < figures["delete_seconds"]
    assert sorted(file.name for file in tmp_path.rglob("*")) == before


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
    plot, keep = tmp_path / "plot.png", tmp_path / "kept"
    arguments = ("--images", "30", "--queries", "3", "--examples", examples, "--keep", keep)
    done = dvsa("benchmark", "search", *arguments, "--json", "--plot", plot)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    (size,) = figures["sizes"]
    assert (size["images"], figures["dimension"]) == (30, 256)
    for direction in ("text_to_images", "image_to_sentences"):
        part = size[direction]
        assert (part["items"], part["queries"]) == (30, 3)
        assert part["fragments"] > 30
        assert part["disk_bytes_per_item"] > 512 * part["fragments"] / 30
        assert part["build_seconds"] > 0 < part["build_peak_mb"]
        for row in part["settings"]:
            assert row["recall_at_10"] == row["recall_at_100"] == 1  # so few items are searched exactly
            assert {"p50_ms", "p99_ms", "resident_mb", "effort", "clients"} <= row.keys()
    with Image.open(plot) as picture:
        assert picture.width > 500
    assert any("text -> photos: 30 items" in line for line in report.lines(figures))
    with pytest.raises(StorageError, match="cannot write"):
        report.plot(figures, tmp_path / "nowhere" / "plot.png")
    assert len(list(keep.rglob("built.json"))) == 2


def test_what_was_built_is_taken_again_if_it_is_of_the_same_items(tmp_path: Path) -> None:
    first = made_index(MadeItems(real_items()), 40, tmp_path / "one", "cpu")
    built = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("vectors.npy")}
    assert made_index(MadeItems(real_items()), 40, tmp_path / "one", "cpu") == first
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("vectors.npy")} == built
    made_index(MadeItems(real_items(), seed=1), 40, tmp_path / "one", "cpu")
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("vectors.npy")} != built


def test_a_folder_without_photos_is_one_sentence(dvsa: Run, tmp_path: Path) -> None:
    done = dvsa("benchmark", "search", "--examples", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "fewer than two .jpg files" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_cache_without_a_dataset_is_wrong_usage(dvsa: Run) -> None:
    assert dvsa("benchmark", "search", "--cache", "x").returncode == 2
