"""The compiled loops, each against numpy."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import kernels, torch_look_ups
from engine.cores import in_parts
from engine.fragments import Fragments, ScoreTerms
from engine.kernels.lanes import NARROW
from engine.scoring import exact_scores

ROOT = Path(__file__).parents[2]
Floats = npt.NDArray[np.float32]
SHAPES = {
    "counts": st.lists(st.integers(1, 40), min_size=1, max_size=30),
    "asked": st.integers(1, 40),
    "size": st.sampled_from([1, 3, 4, 16, 37]),
    "seed": st.integers(0, 99),
}


def numbers(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def places(counts: list[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    sizes = np.array(counts, np.int64)
    return np.cumsum(sizes) - sizes, sizes


def halves(rows: Floats) -> tuple[npt.NDArray[np.uint16], Floats]:
    """Rows in half precision, and what they are then."""
    half = rows.astype(np.float16)
    return half.view(np.uint16), half.astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 23), asked=SHAPES["asked"], size=SHAPES["size"], seed=SHAPES["seed"])
def test_products_with_a_query_in_lanes(rows: int, asked: int, size: int, seed: int) -> None:
    query, (half, known) = numbers(seed, asked, size), halves(numbers(seed + 1, rows, size))
    lanes = kernels.in_lanes(query)
    assert lanes.shape[1] % NARROW == 0
    found = np.full((rows, lanes.shape[1]), np.nan, np.float32)
    in_parts(rows, lambda first, last: kernels.multiply(half, lanes, found, first, last))
    np.testing.assert_allclose(found[:, :asked], known @ query.T, atol=1e-4)
    np.testing.assert_array_equal(found[:, asked:], np.repeat(found[:, :1], lanes.shape[1] - asked, axis=1))
    best = np.full(rows, -np.inf, np.float32)
    kernels.raise_to_best(found, best)
    np.testing.assert_array_equal(best, found.max(axis=1))


@settings(max_examples=60, deadline=None)
@given(**SHAPES)
def test_items_are_scored_by_their_vectors(counts: list[int], asked: int, size: int, seed: int) -> None:
    begins, sizes = places(counts)
    query, (half, known) = numbers(seed, asked, size), halves(numbers(seed + 1, int(sizes.sum()), size))
    by_query, by_stored = np.empty(len(counts), np.float32), np.empty(len(counts), np.float32)
    kernels.score(begins, sizes, half, kernels.in_lanes(query), asked, by_query, by_stored, 0, len(counts))
    items = Fragments(np.arange(len(counts)), np.append(begins, len(known)), known)
    np.testing.assert_allclose(by_query, exact_scores(query, items, ScoreTerms(True, False, "sum")), atol=1e-3)
    np.testing.assert_allclose(by_stored, exact_scores(query, items, ScoreTerms(False, True, "sum")), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(**SHAPES, centroids=st.integers(1, 300))
def test_the_processor_and_torch_look_up_the_same(
    counts: list[int], asked: int, size: int, seed: int, centroids: int
) -> None:
    random = np.random.default_rng(seed)
    begins, sizes = places(counts)
    codes = random.integers(0, centroids, sizes.sum()).astype(np.int32)
    residuals = random.integers(0, 256, (len(codes), size)).astype(np.uint8)
    query, patterns = numbers(seed, asked, 4 * size), numbers(seed + 1, size, 256, 4)
    lanes = kernels.in_lanes(query)
    products = kernels.in_lanes(numbers(seed + 2, asked, centroids))
    on_torch = torch.from_numpy(codes), torch.from_numpy(products[:, :asked].copy())
    by_query, by_stored, refined = (np.zeros(len(counts), np.float32) for _ in range(3))
    given = begins, sizes, codes
    assert kernels.add_query_term(*given, products, asked, by_query, 0, len(counts))
    np.testing.assert_allclose(by_query, torch_look_ups.query_term(*on_torch, begins).numpy(), atol=1e-4)
    assert kernels.add_stored_term(*given, products[:, 0].copy(), by_stored, 0, len(counts))
    expected = torch_look_ups.stored_term(on_torch[0], torch.from_numpy(products[:, 0].copy()), begins)
    np.testing.assert_allclose(by_stored, expected.numpy(), atol=1e-4)
    scale = 32_000 / float(np.abs(patterns).max() * 4 * np.abs(query).max() * size)
    best = np.full(len(codes), -np.inf, np.float32)
    query_is = products, patterns, lanes, asked, scale
    assert kernels.refine(begins, sizes, codes, residuals, *query_is, refined, begins, best, 0, len(counts))
    tensors = (torch.from_numpy(array) for array in (residuals, products[:, :asked], patterns, lanes[:, :asked]))
    found = torch_look_ups.refined_products(on_torch[0], *tensors).numpy()
    rounding = 0.5 * size / scale + 1e-4
    np.testing.assert_allclose(best, found.max(axis=1), atol=rounding)
    whole = np.maximum.reduceat(found, begins, axis=0).sum(axis=1)
    np.testing.assert_allclose(refined, whole, atol=asked * rounding)


@pytest.mark.parametrize("wrong", [-1, 5, 2**30])
def test_codes_of_no_centroid_are_told(wrong: int) -> None:
    codes, (begins, sizes) = np.array([0, 1, wrong, 4], np.int32), places([2, 2])
    products, scores = numbers(0, 5, 8), np.zeros(2, np.float32)
    assert not kernels.add_query_term(begins, sizes, codes, products, 8, scores, 0, 2)
    assert not kernels.add_stored_term(begins, sizes, codes, products[:, 0].copy(), scores, 0, 2)
    best, residuals = np.zeros(4, np.float32), np.zeros((4, 2), np.uint8)
    query_is = products, numbers(1, 2, 256, 4), numbers(2, 8, 8), 8, 1.0
    assert not kernels.refine(begins, sizes, codes, residuals, *query_is, scores, begins, best, 0, 2)
    assert scores[0] != 0  # the item before is scored
    assert scores[1] == 0


@pytest.mark.parametrize("wrong", [-1, 6, 2**30])
def test_lists_of_items_that_are_not_there_are_told(wrong: int) -> None:
    items, counts, gains = np.array([1, 5, wrong], np.int32), np.ones(3, np.uint8), np.ones(1, np.float32)
    begins, ends, scores = np.array([0]), np.array([3]), np.zeros(6, np.float32)
    assert kernels.add_lists(begins, ends - 1, gains, items, counts, scores, 0, 6)
    assert not kernels.add_lists(begins, ends, gains, items, counts, scores, 0, 6)
    assert not kernels.add_best_lists(begins[None], ends[None], gains[None], items, scores, 0, 6)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 3000), part=st.floats(0.001, 1), seed=st.integers(0, 99), values=st.sampled_from([2, 10**6])
)
def test_the_best_lists_are_ranked(count: int, part: float, seed: int, values: int) -> None:
    drawn = np.random.default_rng(seed).integers(0, values, (3, count)).astype(np.float32)
    products, most = kernels.in_lanes(drawn), max(1, int(part * count))
    lists, gains, least = np.empty((3, most), np.int32), np.empty((3, most), np.float32), np.empty(3, np.float32)
    in_parts(3, lambda first, last: kernels.rank_lists(products, lists, gains, least, first, last))
    order = np.argsort(-drawn, axis=1, kind="stable")
    np.testing.assert_array_equal(lists, order[:, :most])
    np.testing.assert_array_equal(
        least, [row[ranks[min(most, count - 1)]] for row, ranks in zip(drawn, order, strict=True)]
    )
    np.testing.assert_array_equal(gains, np.take_along_axis(drawn, order[:, :most], axis=1) - least[:, None])


def test_what_is_shared_out_comes_back_in_order() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert in_parts(10, lambda first, last: (first, last)) == [(0, 3), (3, 6), (6, 10)]
        assert in_parts(10, lambda first, last: (first, last), least=4) == [(0, 5), (5, 10)]
        assert in_parts(1, lambda first, last: (first, last)) == [(0, 1)]
        with pytest.raises(ZeroDivisionError):
            in_parts(3, lambda first, _: 1 // first)
    finally:
        torch.set_num_threads(threads)


def raised(tree: Path, cache: Path) -> "subprocess.CompletedProcess[str]":
    """Call a compiled loop of the sources below a folder in a process of its own."""
    lines = (
        "import numpy as np; from engine.kernels import raise_to_best",
        "best = np.zeros(2, np.float32); raise_to_best(np.ones((2, 8), np.float32), best); print(best.sum())",
    )
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        env={"XDG_CACHE_HOME": str(cache), "HOME": str(cache.parent), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(tree)},
        cwd=tree,
    )


@pytest.mark.parametrize("kept", [True, False])
def test_compiled_loops_are_kept_where_that_can_be_and_run_where_it_cannot(tmp_path: Path, kept: bool) -> None:
    cache = tmp_path / "cache"
    if not kept:
        cache.write_text("a file, and no folder")
    done = raised(ROOT, cache)
    assert (done.stdout, done.stderr) == ("2.0\n", "")
    assert any(tmp_path.rglob("*.nbi")) == kept


def test_a_change_of_what_a_loop_is_made_of_compiles_it_anew(tmp_path: Path) -> None:
    tree, cache = tmp_path / "tree", tmp_path / "cache"
    shutil.copytree(ROOT / "engine/kernels", tree / "engine/kernels")
    (tree / "engine/__init__.py").touch()
    assert raised(tree, cache).stdout == "2.0\n"
    with (tree / "engine/kernels/lanes.py").open("a") as file:
        file.write("# another state\n")
    assert raised(tree, cache).stdout == "2.0\n"
    states = list((cache / "dvsa/compiled").iterdir())
    assert len(states) == 2
    assert all(any(state.rglob("*.nbi")) for state in states)
