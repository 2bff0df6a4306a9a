"""The contract of FragmentIndex, run over every implementation."""

import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine import faiss_index
from engine.exceptions import BadFragments, BadRequest, IndexDamaged
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments, QueryPart, ScoreTerms
from engine.ranking import best_items
from engine.scoring import exact_scores

D = 16
WORDS_ASK = ScoreTerms(query=True, stored=False, reduction="sum")
REGIONS_ASK = ScoreTerms(query=False, stored=True, reduction="mean")

NewIndex = Callable[..., FragmentIndex]


@pytest.fixture(params=[10**6, 0], ids=["exact", "compressed"])
def new(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewIndex:
    """Makes an index of some pieces."""
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", request.param)

    def create(*pieces: Fragments) -> FragmentIndex:
        path = tmp_path / "ein Ordner ä" / str(len(list(tmp_path.glob("*/*"))))
        return FaissFragmentIndex.create(path, D, pieces)

    return create


def half(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return vectors.astype(np.float16).astype(np.float32)


def some_items(ids: list[int], seed: int = 0) -> Fragments:
    random = np.random.default_rng(seed)
    vectors = [half(random.standard_normal((int(random.integers(1, 6)), D)).astype(np.float32)) for _ in ids]
    return Fragments.of(ids, vectors, D)


def query_of(count: int = 3, seed: int = 9) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, D)).astype(np.float32)


def best_ids(index: FragmentIndex, query: npt.NDArray[np.float32], terms: ScoreTerms, k: int) -> list[int]:
    ids, _ = best_items(index, query, terms, k)
    return [int(number) for number in ids]


def test_an_index_of_nothing_is_empty(new: NewIndex) -> None:
    index = new()
    assert (len(index), index.fragment_count, index.dimension) == (0, 0, D)
    assert list(index.pieces()) == []
    assert len(index.candidates([QueryPart(query_of(), WORDS_ASK)], 5, "normal")) == 0
    assert len(index.fragments(np.empty(0, np.int64))) == 0
    assert best_ids(index, query_of(), WORDS_ASK, 5) == []


def test_items_come_back_by_id_in_the_order_asked(new: NewIndex) -> None:
    items = some_items([70, 2**40, 5, 33])
    index = new(items)
    assert index.ids().tolist() == [70, 2**40, 5, 33]
    assert index.fragment_count == len(items.vectors)
    found = index.fragments(np.array([5, 2**40]))
    assert found.ids.tolist() == [5, 2**40]
    np.testing.assert_array_equal(found.item(0), items.item(2))
    np.testing.assert_array_equal(found.item(1), items.item(1))


def test_an_unknown_id_is_a_key_error(new: NewIndex) -> None:
    for index in (new(), new(some_items([1, 3]))):
        with pytest.raises(KeyError):
            index.fragments(np.array([1, 2]))


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


def test_a_revision_leaves_the_former_state_as_it_was(new: NewIndex, tmp_path: Path) -> None:
    items = some_items([10, 20, 30, 40])
    index = new(items)
    second = index.revise(tmp_path / "second", np.array([20, 99]), [some_items([25], seed=4)])
    assert sorted(second.ids().tolist()) == [10, 25, 30, 40]
    np.testing.assert_array_equal(second.fragments(np.array([30])).item(0), items.item(2))
    np.testing.assert_array_equal(second.fragments(np.array([25])).vectors, some_items([25], seed=4).vectors)
    third = second.revise(tmp_path / "third", np.array([10, 25, 30, 40]), [])
    assert len(third) == third.fragment_count == 0
    assert index.ids().tolist() == [10, 20, 30, 40]


def test_scores_do_not_depend_on_the_pieces_that_were_added(new: NewIndex) -> None:
    items = some_items(list(range(30)))
    index = new(items.take(np.arange(12)), items.take(np.arange(12, 30)))
    for terms in (WORDS_ASK, REGIONS_ASK):
        ids, scores = best_items(index, query_of(), terms, 30)
        np.testing.assert_allclose(scores, exact_scores(query_of(), items.take(ids), terms), rtol=1e-6)


def test_more_candidates_than_items_are_each_item_once(new: NewIndex) -> None:
    index = new(some_items(list(range(40))))
    assert sorted(index.candidates([QueryPart(query_of(), WORDS_ASK)], 1000, "fast").tolist()) == list(range(40))


def test_one_item_of_one_fragment_is_found(new: NewIndex) -> None:
    index = new(Fragments.of([7], [-np.ones((1, D), np.float32)], D))
    assert best_ids(index, np.ones((1, D), np.float32), WORDS_ASK, 10) == [7]


def test_equal_scores_come_by_id(new: NewIndex) -> None:
    index = new(Fragments.of([9, 3, 6, 1], [np.ones((2, D), np.float32)] * 4, D))
    assert best_ids(index, query_of(), WORDS_ASK, 3) == [1, 3, 6]


def test_only_negative_scores_are_ordered_like_others(new: NewIndex) -> None:
    vectors = [-np.full((count, D), size, np.float32) for size, count in ((3, 1), (1, 4), (2, 2))]
    index = new(Fragments.of([1, 2, 3], vectors, D))
    assert best_ids(index, np.ones((2, D), np.float32), WORDS_ASK, 3) == [2, 3, 1]


def test_only_allowed_ids_are_candidates(new: NewIndex) -> None:
    index = new(some_items(list(range(40))))
    allowed = np.array([4, 8, 99])
    assert sorted(index.candidates([QueryPart(query_of(), WORDS_ASK)], 10, "fast", allowed).tolist()) == [4, 8]
    assert index.candidates([QueryPart(query_of(), WORDS_ASK)], 1, "exact", allowed).tolist()[0] in (4, 8)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 70_000])
def test_vectors_that_half_precision_cannot_hold_are_refused_by_item(new: NewIndex, value: float) -> None:
    vectors = np.ones((2, D), np.float32)
    vectors[1, 3] = value
    with pytest.raises(BadFragments, match="item 5 holds NaN"):
        new(some_items([1, 2]), Fragments.of([4, 5, 6], [np.ones((3, D), np.float32), vectors, vectors], D))


def test_vectors_of_another_size_are_refused(new: NewIndex) -> None:
    with pytest.raises(BadFragments, match="17 numbers in an index of 16"):
        new(Fragments.of([1], [np.ones((1, D + 1), np.float32)], D + 1))


def test_an_id_is_refused_the_second_time(new: NewIndex) -> None:
    for pieces in ([some_items([1, 2]), some_items([5, 2])], [some_items([2, 2])]):
        with pytest.raises(BadFragments, match="the id 2 was given twice"):
            new(*pieces)


@pytest.mark.parametrize("query", [np.ones((2, D + 1)), np.ones((0, D)), np.ones(D), np.full((1, D), np.nan)])
def test_queries_that_cannot_be_scored_are_refused(new: NewIndex, query: npt.NDArray[np.float64]) -> None:
    with pytest.raises(BadRequest, match="16 finite numbers"):
        best_items(new(some_items([1, 2])), query.astype(np.float32), WORDS_ASK, 1)


def test_what_is_written_is_opened_again(tmp_path: Path, new: NewIndex) -> None:
    items = some_items(list(range(40, 0, -1)))
    index = new(items)
    (path,) = (tmp_path / "ein Ordner ä").iterdir()
    again = type(index).open(path)
    np.testing.assert_array_equal(again.ids(), items.ids)
    np.testing.assert_array_equal(again.fragments(items.ids).vectors, items.vectors)
    assert best_ids(again, query_of(), WORDS_ASK, 10) == best_ids(index, query_of(), WORDS_ASK, 10)


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


def test_writing_and_revising_hold_a_few_pieces_at_a_time(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("ids", "offsets", "rows"), [([1], [0, 2], 3), ([1, 2], [0, 2, 2], 2), ([1], [0, 1, 2], 2), ([1, 2], [0, 3, 2], 2)]
)
def test_offsets_that_do_not_fit_are_refused(ids: list[int], offsets: list[int], rows: int) -> None:
    with pytest.raises(ValueError, match="offsets"):
        Fragments(np.array(ids), np.array(offsets), np.ones((rows, D), np.float32))
