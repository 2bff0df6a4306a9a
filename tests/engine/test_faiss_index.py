"""The embedded index: its files, what it holds in memory, what half precision costs."""

import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import faiss_index
from engine.exceptions import IndexDamaged
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments, ScoreTerms
from engine.ranking import best_items
from engine.scoring import exact_scores
from tests.engine.some_items import REGIONS_ASK, WORDS_ASK, D, half, query_of, some_items

NewIndex = Callable[..., FragmentIndex]


@pytest.fixture(params=[10**6, 0], ids=["exact", "compressed"])
def new(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewIndex:
    """Makes an index of some pieces."""
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", request.param)

    def create(*pieces: Fragments) -> FragmentIndex:
        path = tmp_path / "ein Ordner ä" / str(len(list(tmp_path.glob("*/*"))))
        return FaissFragmentIndex.create(path, D, pieces)

    return create


def test_an_item_larger_than_a_piece_is_one_piece(new: NewIndex) -> None:
    vectors = [half(query_of(count, seed=count)) for count in (2, 5000, 3, 4094)]
    index = new(Fragments.of([1, 2, 3, 4], vectors, D))
    for asked in (None, np.array([4, 2, 1, 3])):
        ids = [1, 2, 3, 4] if asked is None else asked.tolist()
        pieces = [(piece.ids.tolist(), piece.vectors.copy()) for piece in index.pieces(asked)]
        assert [number for numbers, _ in pieces for number in numbers] == ids
        np.testing.assert_array_equal(
            np.concatenate([rows for _, rows in pieces]), np.concatenate([vectors[n - 1] for n in ids])
        )
        assert [len(rows) for _, rows in pieces] == ([2, 5000, 3, 4094] if asked is None else [4094, 5000, 5])


@pytest.mark.parametrize("name", ["ids.npy", "offsets.npy", "vectors.npy", "sums.npy"])
@pytest.mark.parametrize("content", [b"", b"something else"])
def test_other_files_are_damage(tmp_path: Path, new: NewIndex, name: str, content: bytes) -> None:
    index = new(some_items([1, 2, 3]))
    (path,) = (tmp_path / "ein Ordner ä").iterdir()
    (path / "000001" / name).write_bytes(content)
    with pytest.raises(IndexDamaged, match="--repair"):
        type(index).open(path)
    (path / "000001" / name).unlink()
    with pytest.raises(IndexDamaged, match="--repair"):
        type(index).open(path)


def test_a_folder_without_segments_is_damage(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="--repair"):
        FaissFragmentIndex.open(tmp_path)


def test_files_of_two_indexes_are_damage(tmp_path: Path) -> None:
    for name, ids in (("one", [1, 2]), ("two", [1, 2, 3])):
        FaissFragmentIndex.create(tmp_path / name, D, [some_items(ids)])
    (tmp_path / "one/000001/offsets.npy").rename(tmp_path / "two/000001/offsets.npy")
    with pytest.raises(IndexDamaged, match="do not fit together"):
        FaissFragmentIndex.open(tmp_path / "two")


def test_vectors_outlive_the_index_and_its_files(tmp_path: Path) -> None:
    index = FaissFragmentIndex.create(tmp_path / "index", D, [some_items([1, 2, 3])])
    shutil.rmtree(tmp_path / "index")
    piece = next(index.pieces())
    del index
    np.testing.assert_array_equal(piece.vectors, some_items([1, 2, 3]).vectors)


def test_writing_and_revising_hold_a_few_pieces_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 50_000)  # a codebook's training holds its sample, besides

    def pieces() -> Iterator[Fragments]:  # 40 MB as float32
        for number in range(40):
            yield Fragments.of([number], [np.full((1024, 256), number, np.float32)], 256)

    tracemalloc.start()
    index = FaissFragmentIndex.create(tmp_path / "first", 256, pieces())
    second = index.revise(tmp_path / "second", np.arange(3), [])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(second) == 37
    assert peak < 12e6


@pytest.mark.parametrize("terms", [WORDS_ASK, REGIONS_ASK], ids=["query term", "stored term"])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_half_precision_moves_a_score_by_less_than_its_terms_allow(
    tmp_path: Path, terms: ScoreTerms, size: float
) -> None:
    random = np.random.default_rng(2)
    vectors = [size * random.standard_normal((count, D)).astype(np.float32) for count in random.integers(1, 9, 50)]
    items, query = Fragments.of(list(range(50)), vectors, D), query_of(5)
    ids, scores = best_items(FaissFragmentIndex.create(tmp_path / "index", D, [items]), query, terms, 50)
    sizes = exact_scores(np.abs(query), Fragments.of(ids.tolist(), [np.abs(items.item(i)) for i in ids], D), terms)
    assert (np.abs(scores - exact_scores(query, items.take(ids), terms)) <= sizes * 2.0**-11 + 1e-6).all()
    assert (scores != exact_scores(query, items.take(ids), terms)).any()
