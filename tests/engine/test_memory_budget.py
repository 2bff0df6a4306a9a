"""What opened indexes may keep in memory, and that those beyond it answer the same."""

import gc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine import faiss_index
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, ScoreTerms
from engine.memory_budget import MemoryBudget
from engine.ranking import best_items
from engine.resources import Resources
from engine.row_files import RowFile
from engine.settings import Settings

D = 16


class _Owner:
    """Anything that holds a file open."""


def test_files_are_claimed_until_their_owners_are_gone_and_once_for_many_owners(tmp_path: Path) -> None:
    for name, size in (("large", 60), ("small", 30)):
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "link").hardlink_to(tmp_path / "large")
    budget, first, second = MemoryBudget(100), _Owner(), _Owner()
    assert budget.claim(first, tmp_path / "large")
    assert budget.claim(second, tmp_path / "link")  # the same bytes
    assert budget.claim(second, tmp_path / "small")
    (tmp_path / "more").write_bytes(bytes(11))
    assert not budget.claim(first, tmp_path / "more")
    del first
    gc.collect()
    assert not budget.claim(second, tmp_path / "more")
    del second
    gc.collect()
    third = _Owner()
    assert budget.claim(third, tmp_path / "more")


def test_settings_take_sizes_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().index_memory is None
    monkeypatch.setenv("DVSA_INDEX_MEMORY", "2.5GB")
    assert Settings().index_memory == 2_500_000_000


@pytest.mark.parametrize("size", [None, 0])
def test_rows_are_the_same_mapped_and_read(tmp_path: Path, size: int | None) -> None:
    array = np.arange(60, dtype=np.int32).reshape(20, 3)
    np.save(tmp_path / "rows.npy", array)
    rows = RowFile(tmp_path / "rows.npy", np.int32, 2, Resources(memory=MemoryBudget(size)))
    assert rows.mapped == (size is None)
    np.testing.assert_array_equal(rows.rows(3, 9), array[3:9])
    firsts, counts = np.array([4, 0, 19, 7]), np.array([2, 3, 1, 0])
    part, begins = rows.part(firsts, counts)
    taken = np.concatenate([part[begin : begin + count] for begin, count in zip(begins, counts, strict=True)])
    np.testing.assert_array_equal(taken, array[[4, 5, 0, 1, 2, 19]])
    np.testing.assert_array_equal(rows.take(firsts, counts).numpy(), taken)
    nothing = np.empty(0, np.int64)
    assert len(rows.take(nothing, nothing)) == len(rows.part(nothing, nothing)[1]) == 0


def clustered(count: int) -> Fragments:
    random = np.random.default_rng(0)
    centres = random.standard_normal((40, D)).astype(np.float32)
    sizes = random.integers(1, 9, count)
    vectors = [centres[random.integers(0, 40, size)] + 0.3 * random.standard_normal((size, D)) for size in sizes]
    return Fragments.of(range(count), [rows.astype(np.float32) for rows in vectors], D)


def answers(index: FaissFragmentIndex) -> list[npt.NDArray[np.int64]]:
    random = np.random.default_rng(5)
    queries = [random.standard_normal((4, D)).astype(np.float32) for _ in range(5)]
    scores = [ScoreTerms(*directions, "mean") for directions in ((True, True), (True, False), (False, True))]
    return [best_items(index, query, terms, 10, "normal")[0] for query in queries for terms in scores]


@pytest.mark.parametrize("part", [0, 0.3, 0.9])
def test_searches_under_a_budget_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: float) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    plain = FaissFragmentIndex.create(tmp_path / "index", D, [clustered(3000)])
    size = sum(file.stat().st_size for file in tmp_path.rglob("*.npy"))
    bounded = FaissFragmentIndex.open(tmp_path / "index", Resources(memory=MemoryBudget(round(part * size))))
    for found, expected in zip(answers(bounded), answers(plain), strict=True):
        np.testing.assert_array_equal(found, expected)
