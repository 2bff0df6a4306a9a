"""The contract of FragmentIndex: one suite over every implementation.

Another engine joins by a line in IMPLEMENTATIONS.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

from engine import faiss_index
from engine.exceptions import BadFragments, BadRequest
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, FragmentIndex, Fragments, QueryPart, ScoreTerms
from engine.ranking import best_items
from engine.scoring import exact_scores, top_k
from tests.engine.reference_index import ReferenceIndex
from tests.engine.some_items import REGIONS_ASK, WORDS_ASK, D, half, query_of, some_items

BOTH = ScoreTerms(query=True, stored=True, reduction="mean")
TERMS = [WORDS_ASK, REGIONS_ASK, BOTH]
EFFORTS: tuple[Effort, ...] = get_args(Effort)
IMPLEMENTATIONS: dict[str, tuple[type[FragmentIndex], int]] = {
    "exact": (FaissFragmentIndex, 10**6),
    "compressed": (FaissFragmentIndex, 0),
    "reference": (ReferenceIndex, 0),
}
"""Each with the number of fragments up to which the embedded one is not compressed."""

NewIndex = Callable[..., FragmentIndex]


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[FragmentIndex]:
    found, exact_up_to = IMPLEMENTATIONS[request.param]
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", exact_up_to)
    return found


@pytest.fixture
def new(implementation: type[FragmentIndex], tmp_path: Path) -> NewIndex:
    """Makes an index of some pieces."""

    def create(*pieces: Fragments) -> FragmentIndex:
        path = tmp_path / "ein Ordner ä" / str(len(list(tmp_path.glob("*/*"))))
        return implementation.create(path, D, pieces)

    return create


def best_ids(
    index: FragmentIndex, query: npt.NDArray[np.float32], terms: ScoreTerms, k: int, effort: Effort = "normal"
) -> list[int]:
    ids, _ = best_items(index, query, terms, k, effort)
    return [int(number) for number in ids]


def test_an_index_of_nothing_is_empty(new: NewIndex) -> None:
    index = new()
    assert (len(index), index.fragment_count, index.dimension) == (0, 0, D)
    assert list(index.pieces()) == []
    assert len(index.candidates([QueryPart(query_of(), WORDS_ASK)], 5, "normal")[0]) == 0
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
        np.testing.assert_allclose(scores, exact_scores(query_of(), items.take(ids), terms), atol=2e-6)


def test_more_candidates_than_items_are_each_item_once(new: NewIndex) -> None:
    index = new(some_items(list(range(40))))
    assert sorted(index.candidates([QueryPart(query_of(), WORDS_ASK)], 1000, "fast")[0].tolist()) == list(range(40))


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
    assert sorted(index.candidates([QueryPart(query_of(), WORDS_ASK)], 10, "fast", allowed)[0].tolist()) == [4, 8]
    assert index.candidates([QueryPart(query_of(), WORDS_ASK)], 1, "exact", allowed)[0].tolist()[0] in (4, 8)


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


@pytest.mark.parametrize(
    ("ids", "offsets", "rows"), [([1], [0, 2], 3), ([1, 2], [0, 2, 2], 2), ([1], [0, 1, 2], 2), ([1, 2], [0, 3, 2], 2)]
)
def test_offsets_that_do_not_fit_are_refused(ids: list[int], offsets: list[int], rows: int) -> None:
    with pytest.raises(ValueError, match="offsets"):
        Fragments(np.array(ids), np.array(offsets), np.ones((rows, D), np.float32))


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_every_effort_answers_by_exact_score_and_id(new: NewIndex, terms: ScoreTerms, effort: Effort) -> None:
    twins = [half(query_of(2, seed=number // 3)) for number in range(60)]  # three of each
    items = Fragments.of(list(range(60, 0, -1)), twins, D)
    index = new(items)
    for k in (1, 7, 60, 1000):
        ids, scores = best_items(index, query_of(4), terms, k, effort)
        wanted, exact = top_k(exact_scores(query_of(4), items, terms), items.ids, k)
        assert ids.tolist() == wanted.tolist()
        np.testing.assert_allclose(scores, exact, rtol=1e-5)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_all_scores_equal_come_by_id(new: NewIndex, terms: ScoreTerms, effort: Effort) -> None:
    index = new(Fragments.of(list(range(300, 0, -1)), [np.ones((2, D), np.float32)] * 300, D))
    assert best_ids(index, query_of(), terms, 300, effort) == list(range(1, 301))


@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_an_item_of_five_thousand_words_is_one_of_the_others(new: NewIndex, terms: ScoreTerms) -> None:
    long = half(query_of(5000, seed=3))
    items = Fragments.of([1, 2, 3], [half(query_of(2, seed=1)), long, half(query_of(1, seed=2))], D)
    index = new(items)
    assert index.fragment_counts().tolist() == [2, 5000, 1]
    np.testing.assert_array_equal(index.fragments(np.array([2])).vectors, long)
    wanted, _ = top_k(exact_scores(query_of(), items, terms), items.ids, 3)
    assert best_ids(index, query_of(), terms, 3) == wanted.tolist()


def test_an_item_without_fragments_is_refused_before_any_index() -> None:
    with pytest.raises(ValueError, match="every item needs a vector"):
        Fragments.of([1, 2], [np.ones((1, D), np.float32), np.empty((0, D), np.float32)], D)


def test_a_refused_revision_leaves_the_index_as_it_was(new: NewIndex, tmp_path: Path) -> None:
    index = new(some_items([1, 2, 3]))
    wrong = Fragments.of([9], [np.full((1, D), np.inf, np.float32)], D)
    for number, pieces in enumerate(([some_items([3])], [some_items([4]), wrong])):
        with pytest.raises(BadFragments):
            index.revise(tmp_path / f"refused{number}", np.array([1]), pieces)
    assert index.ids().tolist() == [1, 2, 3]
    assert sorted(best_ids(index, query_of(), WORDS_ASK, 10)) == [1, 2, 3]


def test_items_left_out_in_memory_are_not_found(new: NewIndex) -> None:
    index = new(some_items(list(range(20))))
    less = index.without(np.array([3, 19, 77]))
    assert sorted(less.ids().tolist()) == [number for number in range(20) if number not in (3, 19)]
    assert less.fragment_count == less.fragment_counts().sum() < index.fragment_count
    assert not {3, 19} & set(best_ids(less, query_of(), BOTH, 20))
    with pytest.raises(KeyError):
        less.fragments(np.array([3]))
    assert len(index) == 20


def test_a_renewed_index_holds_the_same(new: NewIndex, tmp_path: Path) -> None:
    items = some_items(list(range(40)))
    index = new(items.take(np.arange(25))).revise(tmp_path / "second", np.arange(9), [items.take(np.arange(25, 40))])
    renewed = index.renew(tmp_path / "third")
    assert renewed.ageing() is None
    assert sorted(renewed.ids().tolist()) == list(range(9, 40))
    np.testing.assert_array_equal(renewed.fragments(np.arange(9, 40)).vectors, items.take(np.arange(9, 40)).vectors)
    assert best_ids(renewed, query_of(), BOTH, 31) == best_ids(index, query_of(), BOTH, 31)


def test_an_open_index_outlives_its_files(new: NewIndex, tmp_path: Path) -> None:
    index = new(some_items(list(range(40))))
    wanted = best_ids(index, query_of(), BOTH, 10)
    (path,) = (tmp_path / "ein Ordner ä").iterdir()
    again = index.open(path)
    shutil.rmtree(path)
    assert best_ids(again, query_of(), BOTH, 10) == wanted
    np.testing.assert_array_equal(again.fragments(np.array([7, 3])).item(1), index.fragments(np.array([3])).vectors)


def test_sixteen_readers_are_answered_as_one(new: NewIndex) -> None:
    index = new(some_items(list(range(200))))
    asked = [(query_of(3, seed=seed), effort) for seed in range(8) for effort in EFFORTS]

    def search(one: tuple[npt.NDArray[np.float32], Effort]) -> list[int]:
        return best_ids(index, one[0], BOTH, 20, one[1])

    alone = [search(one) for one in asked]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(search, asked * 2)) == alone * 2
