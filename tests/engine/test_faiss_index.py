"""The contract of FragmentIndex, run over every implementation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.exceptions import IndexDamaged
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments, ScoreTerms
from engine.scoring import exact_scores, top_k

D = 16
WORDS_ASK = ScoreTerms(query=True, stored=False, reduction="sum")
REGIONS_ASK = ScoreTerms(query=False, stored=True, reduction="mean")

IMPLEMENTATIONS = [
    pytest.param(lambda: FaissFragmentIndex(D), id="exact"),
    pytest.param(lambda: FaissFragmentIndex(D, exact_up_to=50), id="codebook"),
]
NewIndex = Callable[[], FragmentIndex]


def some_items(ids: list[int], seed: int = 0) -> Fragments:
    random = np.random.default_rng(seed)
    vectors = [random.standard_normal((int(random.integers(1, 6)), D)).astype(np.float32) for _ in ids]
    return Fragments.of(ids, vectors, D)


def query_of(count: int = 3, seed: int = 9) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, D)).astype(np.float32)


def best_ids(index: FragmentIndex, query: npt.NDArray[np.float32], terms: ScoreTerms, k: int) -> list[int]:
    stored = index.fragments(index.candidates(query, terms, 60))
    ids, _ = top_k(exact_scores(query, stored, terms), stored.ids, k)
    return [int(number) for number in ids]


@pytest.mark.parametrize("new", IMPLEMENTATIONS)
class TestContract:
    def test_a_new_index_is_empty(self, new: NewIndex) -> None:
        index = new()
        assert len(index) == 0
        assert len(index.all_fragments()) == 0
        assert len(index.candidates(query_of(), WORDS_ASK, 5)) == 0
        assert len(index.fragments(np.empty(0, np.int64))) == 0

    def test_items_come_back_by_id_in_the_order_asked(self, new: NewIndex) -> None:
        index, items = new(), some_items([70, 2**40, 5, 33])
        index.add(items)
        found = index.fragments(np.array([5, 2**40]))
        assert found.ids.tolist() == [5, 2**40]
        np.testing.assert_array_equal(found.item(0), items.item(2))
        np.testing.assert_array_equal(found.item(1), items.item(1))

    def test_an_unknown_id_is_a_key_error(self, new: NewIndex) -> None:
        index = new()
        with pytest.raises(KeyError):
            index.fragments(np.array([1]))
        index.add(some_items([1, 3]))
        with pytest.raises(KeyError):
            index.fragments(np.array([1, 2]))

    def test_ids_survive_removals_and_additions(self, new: NewIndex) -> None:
        index, items = new(), some_items([10, 20, 30, 40])
        index.add(items)
        assert index.remove(np.array([20, 99])) == 1
        index.add(some_items([25], seed=4))
        assert sorted(index.ids().tolist()) == [10, 25, 30, 40]
        np.testing.assert_array_equal(index.fragments(np.array([30])).item(0), items.item(2))
        assert index.remove(np.array([10, 25, 30, 40])) == 4
        assert len(index) == 0

    def test_scores_of_all_fragments_equal_scores_of_what_was_added(self, new: NewIndex) -> None:
        index, items = new(), some_items(list(range(30)))
        index.add(items.take(np.arange(12)))
        index.add(items.take(np.arange(12, 30)))
        for terms in (WORDS_ASK, REGIONS_ASK):
            np.testing.assert_array_equal(
                exact_scores(query_of(), index.all_fragments(), terms), exact_scores(query_of(), items, terms)
            )

    def test_more_candidates_than_items_are_each_item_once(self, new: NewIndex) -> None:
        index = new()
        index.add(some_items(list(range(40))))
        assert sorted(index.candidates(query_of(), WORDS_ASK, 1000).tolist()) == list(range(40))

    def test_one_item_of_one_fragment_is_found(self, new: NewIndex) -> None:
        index = new()
        index.add(Fragments.of([7], [-np.ones((1, D), np.float32)], D))
        assert best_ids(index, np.ones((1, D), np.float32), WORDS_ASK, 10) == [7]

    def test_equal_scores_come_by_id(self, new: NewIndex) -> None:
        index = new()
        index.add(Fragments.of([9, 3, 6, 1], [np.ones((2, D), np.float32)] * 4, D))
        assert best_ids(index, query_of(), WORDS_ASK, 3) == [1, 3, 6]

    def test_only_negative_scores_are_ordered_like_others(self, new: NewIndex) -> None:
        index = new()
        vectors = [-np.full((count, D), size, np.float32) for size, count in ((3, 1), (1, 4), (2, 2))]
        index.add(Fragments.of([1, 2, 3], vectors, D))
        assert best_ids(index, np.ones((2, D), np.float32), WORDS_ASK, 3) == [2, 3, 1]

    def test_only_allowed_ids_are_candidates(self, new: NewIndex) -> None:
        index = new()
        index.add(some_items(list(range(40))))
        allowed = np.array([4, 8, 99])
        assert sorted(index.candidates(query_of(), WORDS_ASK, 10, allowed).tolist()) == [4, 8]
        assert index.candidates(query_of(), WORDS_ASK, 1, allowed).tolist()[0] in (4, 8)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_vectors_that_are_not_finite_are_refused(self, new: NewIndex, value: float) -> None:
        index, vectors = new(), np.ones((2, D), np.float32)
        vectors[1, 3] = value
        with pytest.raises(ValueError, match="NaN"):
            index.add(Fragments.of([1], [vectors], D))
        assert len(index) == 0

    def test_vectors_of_another_size_are_refused(self, new: NewIndex) -> None:
        index = new()
        with pytest.raises(ValueError, match="index of 16"):
            index.add(Fragments.of([1], [np.ones((1, D + 1), np.float32)], D))
        assert len(index) == 0

    def test_an_id_is_refused_the_second_time(self, new: NewIndex) -> None:
        index = new()
        index.add(some_items([1, 2]))
        for ids in ([2, 3], [4, 4]):
            with pytest.raises(ValueError, match="id"):
                index.add(some_items(ids))
        assert len(index) == 2

    def test_what_is_written_is_read_back(self, new: NewIndex, tmp_path: Path) -> None:
        index = new()
        index.add(some_items(list(range(40, 0, -1))))
        index.write(tmp_path / "ein Ordner ä")
        again = type(index).read(tmp_path / "ein Ordner ä")
        assert again.dimension == D
        np.testing.assert_array_equal(again.ids(), index.ids())
        np.testing.assert_array_equal(again.all_fragments().offsets, index.all_fragments().offsets)
        np.testing.assert_array_equal(again.all_fragments().vectors, index.all_fragments().vectors)
        again.add(some_items([100]))
        assert len(again) == 41

    def test_an_empty_index_is_written_and_read_back(self, new: NewIndex, tmp_path: Path) -> None:
        new().write(tmp_path / "empty")
        assert len(FaissFragmentIndex.read(tmp_path / "empty")) == 0

    def test_other_files_are_damage(self, new: NewIndex, tmp_path: Path) -> None:
        with pytest.raises(IndexDamaged):
            type(new()).read(tmp_path / "nowhere")
        index = new()
        index.add(some_items([1, 2, 3]))
        index.write(tmp_path / "index")
        (tmp_path / "index" / "vectors.faiss").write_bytes(b"something else")
        with pytest.raises(IndexDamaged):
            type(new()).read(tmp_path / "index")


def test_vectors_outlive_the_index_that_held_them() -> None:
    index = FaissFragmentIndex(D)
    index.add(some_items([1, 2, 3]))
    expected = index.all_fragments().vectors.copy()
    vectors = index.all_fragments().vectors
    del index
    FaissFragmentIndex(D).add(some_items(list(range(500)), seed=3))
    np.testing.assert_array_equal(vectors, expected)


def clustered_items(count: int, random: np.random.Generator, centres: npt.NDArray[np.float32]) -> Fragments:
    """Items whose vectors lie near a few hundred centres, as the words of one vocabulary do."""
    vectors = [
        centres[random.integers(0, len(centres), size)] + 0.05 * random.standard_normal((size, D)).astype(np.float32)
        for size in random.integers(3, 12, count)
    ]
    return Fragments.of(list(range(count)), vectors, D)


@pytest.mark.parametrize("terms", [WORDS_ASK, REGIONS_ASK], ids=["query term", "stored term"])
def test_codebook_candidates_hold_nine_of_ten_exact_hits(terms: ScoreTerms) -> None:
    random = np.random.default_rng(1)
    centres = random.standard_normal((150, D)).astype(np.float32)
    items = clustered_items(4000, random, centres)
    index = FaissFragmentIndex(D, exact_up_to=0)
    index.add(items)
    found = 0
    for _ in range(20):
        query = centres[random.integers(0, 150, 5)] + 0.1 * random.standard_normal((5, D)).astype(np.float32)
        exact, _ = top_k(exact_scores(query, items, terms), items.ids, 10)
        candidates = index.candidates(query, terms, 100)
        assert len(candidates) == 100
        found += len(np.intersect1d(candidates, exact))
    assert found >= 180  # of 200


@pytest.mark.parametrize(
    ("ids", "offsets", "rows"), [([1], [0, 2], 3), ([1, 2], [0, 2, 2], 2), ([1], [0, 1, 2], 2), ([1, 2], [0, 3, 2], 2)]
)
def test_offsets_that_do_not_fit_are_refused(ids: list[int], offsets: list[int], rows: int) -> None:
    with pytest.raises(ValueError, match="offsets"):
        Fragments(np.array(ids), np.array(offsets), np.ones((rows, D), np.float32))
