"""Search through compressed fragments against exact search, on clustered data, for every form of the score."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import faiss_index
from engine.approximate_scores import ApproximateScores
from engine.codebook import Codebook
from engine.effort import DEPTHS, Depth
from engine.exceptions import IndexDamaged
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Effort, Fragments, QueryPart, ScoreTerms
from engine.kernels import LONGEST, multiply
from engine.ranking import best_items
from engine.scoring import exact_scores, top_k
from engine.segmented_items import SegmentedItems
from engine.segments import read_segments

D = 18  # no multiple of the four numbers of a byte
ITEMS = 4000
REDUCTIONS: tuple[Literal["sum", "mean"], ...] = ("sum", "mean")
ALL_TERMS = [
    ScoreTerms(query, stored, reduction)
    for (query, stored), reduction in product([(True, False), (False, True), (True, True)], REDUCTIONS)
]
RANDOM = np.random.default_rng(1)
CENTRES = RANDOM.standard_normal((150, D)).astype(np.float32)


def near_centres(count: int, spread: float, random: np.random.Generator) -> npt.NDArray[np.float32]:
    noise = random.standard_normal((count, D)).astype(np.float32)
    return (CENTRES[random.integers(0, len(CENTRES), count)] + spread * noise).astype(np.float16).astype(np.float32)


def clustered(count: int, seed: int = 2, unit: bool = False) -> Fragments:
    """Items whose vectors lie near some centres, as the words of a vocabulary do."""
    random = np.random.default_rng(seed)
    vectors = [near_centres(int(size), 0.3, random) for size in random.integers(3, 12, count)]
    if unit:
        vectors = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in vectors]
    return Fragments.of(list(range(count)), vectors, D)


@pytest.fixture(autouse=True)
def compressed_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)


@pytest.fixture(scope="module", params=[False, True], ids=["raw", "unit"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FaissFragmentIndex:
    path = tmp_path_factory.mktemp("indexed") / "index"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "EXACT_UP_TO", 0)
        return FaissFragmentIndex.create(path, D, [clustered(ITEMS, unit=request.param)])


def queries(count: int) -> list[npt.NDArray[np.float32]]:
    random = np.random.default_rng(7)
    return [near_centres(int(size), 0.3, random) for size in random.integers(1, 9, count)]


def recall(index: FaissFragmentIndex, terms: ScoreTerms, effort: Effort, k: int = 10) -> float:
    found = []
    for query in queries(20):
        exact, _ = best_items(index, query, terms, k, "exact")
        found.append(np.isin(exact, best_items(index, query, terms, k, effort)[0]).mean())
    return float(np.mean(found))


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
def test_indexed_search_finds_what_exact_search_finds(index: FaissFragmentIndex, terms: ScoreTerms) -> None:
    assert recall(index, terms, "normal") >= 0.95
    assert recall(index, terms, "thorough") >= 0.99
    assert recall(index, terms, "thorough", k=100) >= 0.98


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
def test_more_effort_finds_no_less(index: FaissFragmentIndex, terms: ScoreTerms) -> None:
    fast, normal, thorough = (recall(index, terms, effort, k=50) for effort in DEPTHS)
    assert fast <= normal + 0.02
    assert normal <= thorough + 0.02


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
def test_exact_effort_equals_scores_of_all_items(index: FaissFragmentIndex, terms: ScoreTerms) -> None:
    stored = index.fragments(index.ids())
    for query in queries(3):
        ids, scores = best_items(index, query, terms, 25, "exact")
        whole = exact_scores(query, stored, terms)
        np.testing.assert_allclose(scores, np.sort(whole)[::-1][:25], rtol=1e-5)
        np.testing.assert_allclose(whole[ids], scores, rtol=1e-5)


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
@pytest.mark.parametrize("effort", DEPTHS)
def test_scores_of_hits_are_exact_and_in_order(index: FaissFragmentIndex, terms: ScoreTerms, effort: Effort) -> None:
    query = queries(1)[0]
    ids, scores = best_items(index, query, terms, 30, effort)
    np.testing.assert_allclose(scores, exact_scores(query, index.fragments(ids), terms), rtol=1e-5)
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
def test_negative_scores_are_found_like_others(tmp_path: Path, terms: ScoreTerms) -> None:
    items = clustered(ITEMS)
    far = Fragments(items.ids, items.offsets, items.vectors - 20)
    index = FaissFragmentIndex.create(tmp_path / "index", D, [far])
    query = np.abs(queries(1)[0]) + 1
    exact, scores = best_items(index, query, terms, 10, "exact")
    assert scores.max() < 0
    assert np.isin(exact, best_items(index, query, terms, 10, "thorough")[0]).mean() >= 0.9


@pytest.mark.parametrize("effort", ["fast", "normal", "thorough", "exact"])
@pytest.mark.parametrize("terms", ALL_TERMS[::2], ids=str)
def test_a_filter_that_keeps_one_in_a_hundred_gives_all_hits(
    index: FaissFragmentIndex, terms: ScoreTerms, effort: Effort
) -> None:
    allowed = np.arange(0, ITEMS, 100)
    for query in queries(5):
        ids, _ = best_items(index, query, terms, 10, effort, allowed)
        exact, _ = top_k(exact_scores(query, index.fragments(allowed), terms), allowed, 10)
        assert ids.tolist() == exact.tolist()


@pytest.mark.parametrize("effort", DEPTHS)
def test_a_filter_that_keeps_half_gives_hits_of_that_half(index: FaissFragmentIndex, effort: Effort) -> None:
    ids, _ = best_items(index, queries(1)[0], ALL_TERMS[0], 200, effort, np.arange(1, ITEMS, 2))
    assert len(ids) == 200
    assert (ids % 2 == 1).all()


def test_deleted_items_are_not_found_and_added_ones_are(tmp_path: Path, index: FaissFragmentIndex) -> None:
    query, terms = queries(1)[0], ALL_TERMS[0]
    best, _ = best_items(index, query, terms, 5, "exact")
    second = index.revise(tmp_path / "second", best, [Fragments.of([ITEMS + 7], [query * 3], D)])
    for effort in DEPTHS:
        ids, _ = best_items(second, query, terms, 20, effort)
        assert ids[0] == ITEMS + 7
        assert len(ids) == 20
        assert not np.isin(ids, best).any()


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
@pytest.mark.parametrize("effort", DEPTHS)
def test_one_item_is_found(tmp_path: Path, terms: ScoreTerms, effort: Effort) -> None:
    index = FaissFragmentIndex.create(tmp_path / "index", D, [Fragments.of([5], [-np.ones((1, D), np.float32)], D)])
    ids, scores = best_items(index, np.ones((1, D), np.float32), terms, 10, effort)
    assert (ids.tolist(), scores.tolist()) == ([5], [pytest.approx(-D * (terms.query + terms.stored))])


@pytest.mark.parametrize("effort", DEPTHS)
def test_more_hits_than_items_are_all_items_once(tmp_path: Path, effort: Effort) -> None:
    index = FaissFragmentIndex.create(tmp_path / "index", D, [clustered(300)])
    ids, _ = best_items(index, queries(1)[0], ALL_TERMS[4], 10**6, effort)
    assert sorted(ids.tolist()) == list(range(300))


@pytest.mark.parametrize("effort", DEPTHS)
@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
def test_equal_scores_come_by_id(tmp_path: Path, terms: ScoreTerms, effort: Effort) -> None:
    items = Fragments.of(list(range(3, 1503)), [np.ones((2, D), np.float32)] * 1500, D)
    index = FaissFragmentIndex.create(tmp_path / "index", D, [items])
    ids, _ = best_items(index, np.ones((3, D), np.float32), terms, 40, effort)
    assert ids.tolist() == list(range(3, 43))


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
def test_an_item_of_five_thousand_words_is_found(tmp_path: Path, terms: ScoreTerms) -> None:
    items = clustered(ITEMS)
    long = near_centres(5000, 0.3, np.random.default_rng(3))
    index = FaissFragmentIndex.create(tmp_path / "index", D, [items, Fragments.of([ITEMS], [long], D)])
    query = queries(1)[0]
    assert best_items(index, query, terms, ITEMS, "normal")[0].tolist().count(ITEMS) == 1
    exact, _ = best_items(index, query, terms, 3, "exact")
    assert np.isin(exact, best_items(index, query, terms, 10, "thorough")[0]).all()


@pytest.mark.parametrize("terms", ALL_TERMS[::2], ids=str)
def test_a_query_of_many_vectors_is_answered_as_exactly(index: FaissFragmentIndex, terms: ScoreTerms) -> None:
    query = near_centres(700, 0.3, np.random.default_rng(4))
    exact, _ = best_items(index, query, terms, 10, "exact")
    assert np.isin(exact, best_items(index, query, terms, 10, "thorough")[0]).mean() >= 0.9


def test_concurrent_searches_of_different_effort_answer_as_alone(index: FaissFragmentIndex) -> None:
    efforts: list[Effort] = ["fast", "normal", "thorough", "exact"]
    asked = list(product(queries(6), efforts))

    def search(one: tuple[npt.NDArray[np.float32], Effort]) -> list[int]:
        return [int(item) for item in best_items(index, one[0], ALL_TERMS[5], 20, one[1])[0]]

    alone = [search(one) for one in asked]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(search, asked * 3)) == alone * 3


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(1, 6), min_size=1, max_size=40),
    asked=st.integers(1, 5),
    terms=st.sampled_from(ALL_TERMS),
    seed=st.integers(0, 1000),
)
def test_all_lists_and_all_items_leave_nothing_to_miss(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], asked: int, terms: ScoreTerms, seed: int
) -> None:
    """Coarse and refined scores equal exact scores of the decoded vectors, whatever the shapes."""
    random = np.random.default_rng(seed)
    vectors = [random.standard_normal((count, D)).astype(np.float32) for count in counts]
    items = Fragments.of(list(range(len(counts))), vectors, D)
    path = tmp_path_factory.mktemp("any") / "index"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "EXACT_UP_TO", 0)
        FaissFragmentIndex.create(path, D, [items])
    codebook = Codebook.read(path / "codebook")
    made = SegmentedItems(read_segments(path, codebook))
    query = random.standard_normal((asked, D)).astype(np.float32)
    codes, residuals = (np.load(path / "000001" / f"{name}.npy") for name in ("codes", "residuals"))
    lanes, (whole, scale) = codebook.in_lanes(query), codebook.wholes
    directions = lanes.shape[0]
    rounded = np.empty(lanes.shape, np.float32)  # the query in whole numbers, as centroids are multiplied with it
    eye = np.eye(directions, whole.shape[1], dtype=np.int16) * np.int16(LONGEST)
    multiply(eye, LONGEST, lanes, rounded, np.zeros(3, np.int64))
    known, of_query = query @ codebook.directions, np.ascontiguousarray(rounded[:, :asked].T)
    np.testing.assert_allclose(of_query, known, atol=np.linalg.norm(known, axis=1).max() / LONGEST)
    centroids = whole[:, :directions] / np.float32(scale)
    coarse = Fragments(items.ids, items.offsets, centroids[codes])
    depth = Depth(query_lists=1, stored_lists=1, listed=1, refined=1, exact=1)
    scores = ApproximateScores(made, [QueryPart(query, terms)], codebook, depth)
    found = scores.coarse_of(items.ids[::-1])
    np.testing.assert_allclose(found, exact_scores(of_query, coarse, terms)[::-1], atol=1e-4)
    first = exact_scores(of_query, coarse, replace(terms, query=not terms.stored))
    np.testing.assert_allclose(scores.listed(), first, atol=1e-4)
    patterns = np.load(path / "codebook" / "patterns.npy")
    decoded = np.stack([patterns[place, residuals[:, place]] for place in range(len(patterns))], axis=1)
    decoded = decoded.reshape(len(codes), -1)[:, :directions]
    refined = Fragments(items.ids, items.offsets, np.hstack([centroids[codes], decoded]))
    expected = exact_scores(np.hstack([of_query, known]), refined, terms)
    most = (
        0.5 * len(patterns) / codebook.quantizer.scale(codebook.quantizer.padded(lanes))
    )  # that a product is rounded by
    products = asked * terms.query + max(counts) * terms.stored  # that are added up for a score
    np.testing.assert_allclose(scores.refined_of(items.ids), expected, atol=products * most + 1e-4)


FILES = ["codebook/centroids", "codebook/directions", "codebook/patterns"]
FILES += [f"000001/{name}" for name in ("codes", "residuals", "list_items", "list_counts", "list_offsets")]


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_told(tmp_path: Path, name: str) -> None:
    FaissFragmentIndex.create(tmp_path / "index", D, [clustered(50)])
    FaissFragmentIndex.create(tmp_path / "other", D - 4, [Fragments.of([1], [np.ones((3, D - 4), np.float32)], D - 4)])
    path = tmp_path / "index" / f"{name}.npy"
    path.write_bytes((tmp_path / "other" / f"{name}.npy").read_bytes())
    with pytest.raises(IndexDamaged, match="--repair"):
        FaissFragmentIndex.open(tmp_path / "index")
    path.unlink()
    with pytest.raises(IndexDamaged, match="--repair"):
        FaissFragmentIndex.open(tmp_path / "index")


@pytest.mark.parametrize(("name", "stored"), [("codes", True), ("list_items", True), ("list_items", False)])
def test_numbers_that_a_flipped_bit_made_are_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, stored: bool
) -> None:
    small = Depth(query_lists=1, stored_lists=1, listed=1, refined=0, exact=5)  # and yet all stages
    monkeypatch.setitem(DEPTHS, "normal", small)
    FaissFragmentIndex.create(tmp_path / "index", D, [clustered(ITEMS)])
    path = tmp_path / "index" / "000001" / f"{name}.npy"
    np.save(path, np.load(path) ^ 2**28)
    index = FaissFragmentIndex.open(tmp_path / "index")
    with pytest.raises(IndexDamaged, match="dvsa verify"):
        best_items(index, queries(1)[0], ScoreTerms(True, stored, "sum"), 5, "normal")


def test_the_same_items_make_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        FaissFragmentIndex.create(tmp_path / name, D, [clustered(500)])
    files = [path for path in sorted((tmp_path / "one").rglob("*")) if path.is_file()]
    assert len(files) == 13
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path.name


def test_what_is_built_is_asked_once_so_that_its_loops_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, plain = [], FaissFragmentIndex.candidates

    def noted(index: FaissFragmentIndex, query: Sequence[QueryPart], k: int, effort: Effort) -> Any:
        asked.append(query[0].terms.stored)
        return plain(index, query, k, effort)

    monkeypatch.setattr(FaissFragmentIndex, "candidates", noted)
    FaissFragmentIndex.create(tmp_path / "large", D, [clustered(50)])
    assert asked == [True, False]
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 10**6)
    FaissFragmentIndex.create(tmp_path / "small", D, [clustered(50)])
    assert len(asked) == 2


def test_depth_grows_with_the_hits_that_are_wanted() -> None:
    depth = Depth(query_lists=0.1, stored_lists=0.1, listed=6, refined=2, exact=50)
    assert (depth.to_score(10), depth.to_score(100)) == (50, 300)
    words, both = ScoreTerms(True, False, "sum"), ScoreTerms(True, True, "sum")
    assert [depth.to_refine(1_000_000, 10, parts) for parts in ([both], [words], [both, words])] == [2000, 6000, 6000]
    assert depth.to_refine(100, 100, [both]) == 1200
    assert [depth.to_list(1_000_000, 10, parts) for parts in ([both], [words], [both, words])] == [12_000, 6000, 6000]


@pytest.mark.parametrize("terms", ALL_TERMS, ids=str)
@pytest.mark.parametrize("effort", DEPTHS)
def test_all_stages_in_one_call_choose_as_one_after_the_other(
    index: FaissFragmentIndex, monkeypatch: pytest.MonkeyPatch, terms: ScoreTerms, effort: Effort
) -> None:
    some = np.arange(0, ITEMS, 2)
    parts = [[QueryPart(query, terms)] for query in queries(6)]
    asked = list(product(parts, (3, 40), (None, some)))
    at_once = [index.candidates(query, k, effort, allowed) for query, k, allowed in asked]
    monkeypatch.setattr(faiss_index, "choose_at_once", lambda *_: None)
    for (query, k, allowed), (ids, scores) in zip(asked, at_once, strict=True):
        staged_ids, staged_scores = index.candidates(query, k, effort, allowed)
        assert len(ids) == len(staged_ids)
        both, places, staged_places = np.intersect1d(ids, staged_ids, return_indices=True)
        assert len(both) >= 0.97 * len(ids)  # scores that differ in their last bit choose others at the edge
        np.testing.assert_array_equal(scores[places], staged_scores[staged_places])
