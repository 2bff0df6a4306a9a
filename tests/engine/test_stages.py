"""Parts of the stages of an indexed search, each against a slow loop."""

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import faiss_index, inverted_lists
from engine.approximate_scores import ApproximateScores
from engine.codebook import Table
from engine.cores import SharedCores
from engine.effort import DEPTHS
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import Fragments, QueryPart, ScoreTerms
from engine.inverted_lists import InvertedLists, write_lists
from engine.kernels import largest_places
from engine.ranking import best_items
from engine.resources import PLAIN

D = 16


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 30_000), part=st.floats(0, 1), seed=st.integers(0, 99), values=st.sampled_from([3, 10**6]))
def test_the_largest_are_chosen_as_by_sorting(count: int, part: float, seed: int, values: int) -> None:
    scores = np.random.default_rng(seed).integers(-values, values, count).astype(np.float32)
    wanted = max(1, int(part * count))
    expected = np.sort(np.lexsort((np.arange(count), -scores))[:wanted])
    assert largest_places(scores * np.float32(0.5), wanted).tolist() == expected.tolist()
    assert largest_places(np.where(scores > 0, scores, -0.0).astype(np.float32), count).tolist() == list(range(count))


def slow_query_term(
    codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], table: npt.NDArray[np.float32], probes: int
) -> list[float]:
    """The query's term; a fragment of which no list is looked at has at most the best product that is not."""
    total = []
    for first, last in pairwise(offsets):
        score = 0.0
        for products in table:
            order = np.argsort(-products)
            seen, least = set(order[:probes].tolist()), products[order[probes:]].max(initial=-np.inf)
            found = [products[code] for code in codes[first:last] if code in seen]
            score += max(found, default=least)
        total.append(score)
    return total


def slow_stored_term(
    codes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], values: npt.NDArray[np.float32], probes: int
) -> list[float]:
    """The stored term; a fragment of which no list is looked at has the mean of those."""
    order = np.argsort(-values)
    seen, entries = set(order[:probes].tolist()), []
    for first, last in pairwise(offsets):  # each item once
        entries += [values[code] for code in set(codes[first:last].tolist()) if code not in seen]
    mean = float(np.mean(entries)) if entries else 0.0
    known = [float(value) if code in seen else mean for code, value in enumerate(values)]
    return [sum(known[code] for code in codes[first:last]) for first, last in pairwise(offsets)]


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    centroids=st.integers(1, 12),
    probes=st.integers(1, 12),
    at_once=st.sampled_from([1, 7, 1000]),
    seed=st.integers(0, 99),
)
def test_lists_say_what_looking_at_every_fragment_says(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], centroids: int, probes: int, at_once: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    codes = random.integers(0, centroids, offsets[-1]).astype(np.int32)
    table = random.standard_normal((2, centroids)).astype(np.float32)
    path = tmp_path_factory.mktemp("lists")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inverted_lists, "AT_ONCE", at_once)  # the same in one part or many
        write_lists(path, codes, offsets, centroids)
    lists = InvertedLists(path, len(counts), centroids, PLAIN)
    part, probes = min(1.0, probes / centroids), min(probes, centroids)
    expected = slow_query_term(codes, offsets, table, probes)
    lanes = Table(2, np.empty((0, 8), np.float32), np.ascontiguousarray(table[[0, 1, 0, 0, 0, 0, 0, 0]].T))
    np.testing.assert_allclose(lists.query_term(lanes, part), expected, atol=1e-5)
    expected, sizes = slow_stored_term(codes, offsets, table[0], probes), np.array(counts, np.float32)
    np.testing.assert_allclose(lists.stored_term(table[0], part, sizes, mean=False), expected, atol=1e-5)
    means = np.array(expected) / sizes
    np.testing.assert_allclose(lists.stored_term(table[0], part, sizes, mean=True), means, atol=1e-5)


def test_an_item_of_more_fragments_at_a_centroid_than_a_byte_counts_is_found(tmp_path: Path) -> None:
    codes = np.concatenate([np.zeros(1000), [1, 1]]).astype(np.int32)
    write_lists(tmp_path, codes, np.array([0, 1000, 1002]), 2)
    assert np.load(tmp_path / "list_counts.npy").tolist() == [255, 2]
    lists, sizes = InvertedLists(tmp_path, 2, 2, PLAIN), np.array([1000, 2], np.float32)
    assert lists.stored_term(np.array([3, 1], np.float32), 1, sizes, mean=False).tolist() == [765, 2]


def test_searches_at_the_same_time_take_a_share_of_the_cores_each() -> None:
    cores, meet = SharedCores(), threading.Barrier(4)
    all_threads = cores.mine

    def search(_: int) -> int:
        with cores.share():
            meet.wait(timeout=30)  # four are within
            return cores.mine

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(search, range(4)))
    assert max(shares) <= all_threads
    assert min(shares) == max(1, all_threads // 4)
    with cores.share():
        assert cores.mine == all_threads
    assert cores.mine == all_threads


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(faiss_index, "EXACT_UP_TO", 0)
    random = np.random.default_rng(0)
    centres = random.standard_normal((100, D)).astype(np.float32)
    rows = centres[random.integers(0, 100, 30_000)] + 0.3 * random.standard_normal((30_000, D)).astype(np.float32)
    items = Fragments(np.arange(6000), np.arange(0, 30_001, 5), rows)
    FaissFragmentIndex.create(tmp_path / "index", D, [items])
    return tmp_path / "index"


def asked() -> list[npt.NDArray[np.float32]]:
    return list(np.random.default_rng(3).standard_normal((24, 4, D)).astype(np.float32))


def hits(index: FaissFragmentIndex, query: npt.NDArray[np.float32]) -> list[int]:
    found: list[int] = best_items(index, query, ScoreTerms(True, True, "mean"), 10)[0].tolist()
    return found


def hits_of_path(path: Path) -> list[list[int]]:
    index = FaissFragmentIndex.open(path)
    return [hits(index, query) for query in asked()]


def test_one_client_and_sixteen_and_other_processes_get_the_same_hits(path: Path) -> None:
    index = FaissFragmentIndex.open(path)
    alone = [hits(index, query) for query in asked()]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(partial(hits, index), asked() * 4)) == alone * 4
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert list(processes.map(hits_of_path, [path] * 2)) == [alone] * 2


@pytest.mark.parametrize("kept", [1.0, 0.3, 0.01, 0.001])
def test_a_filter_of_any_size_gives_ten_hits_or_all_that_it_allows(path: Path, kept: float) -> None:
    index, terms = FaissFragmentIndex.open(path), ScoreTerms(True, True, "mean")
    allowed = np.random.default_rng(1).choice(6000, round(kept * 6000), replace=False)
    unknown = np.array([99_999, 7_000])  # ids that the index does not have
    recalls = []
    for query in asked():
        ids, _ = best_items(index, query, terms, 10, "normal", np.append(allowed, unknown))
        exact, _ = best_items(index, query, terms, 10, "exact", allowed)
        assert len(ids) == min(10, len(allowed))
        assert np.isin(ids, allowed).all()
        recalls.append(np.isin(exact, ids).mean())
    assert np.mean(recalls) > 0.95


def test_scores_of_several_parts_do_not_change_what_a_part_keeps(path: Path) -> None:
    index, words = FaissFragmentIndex.open(path), ScoreTerms(True, False, "sum")
    assert index._codebook is not None
    parts = [QueryPart(query, words, weight) for query, weight in zip(asked(), (1.0, -0.5), strict=False)]
    scores = ApproximateScores(index._items, parts, index._codebook, DEPTHS["normal"])
    for score in (scores.listed, lambda: scores.coarse_of(index.ids()), lambda: scores.refined_of(index.ids())):
        np.testing.assert_array_equal(score(), score())
