"""The compiled loops, each against numpy."""

import shutil
import subprocess
import sys
import threading
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import kernels, torch_look_ups
from engine.cores import share_out
from engine.fragments import Fragments, ScoreTerms
from engine.kernels.checksum import checksum
from engine.kernels.lanes import NARROW
from engine.kernels.sharing import DONE, WRONG
from engine.scoring import exact_scores
from engine.stored_fragments import item_sums

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


def board() -> npt.NDArray[np.int64]:
    return np.zeros(3, np.int64)


def halves(rows: Floats) -> tuple[npt.NDArray[np.uint16], Floats]:
    """Rows in half precision, and what they are then."""
    half = rows.astype(np.float16)
    return half.view(np.uint16), half.astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 23), asked=SHAPES["asked"], size=SHAPES["size"], seed=SHAPES["seed"])
def test_products_with_a_query_in_lanes(rows: int, asked: int, size: int, seed: int) -> None:
    query, known = numbers(seed, asked, size), numbers(seed + 1, rows, size)
    lanes, scale = kernels.in_lanes(query), kernels.LONGEST / np.linalg.norm(known, axis=1).max()
    whole = np.pad(np.rint(known * scale).astype(np.int16), ((0, 0), (0, size % 2)))
    assert lanes.shape[1] % NARROW == 0
    found = np.full((rows, lanes.shape[1]), np.nan, np.float32)
    kernels.multiply(whole, scale, lanes, found, board())
    rounded = 0.5 / scale, 0.5 * np.linalg.norm(query, axis=1).max() / kernels.LONGEST  # of a number of each
    most = (
        rounded[0] * np.abs(query).sum(axis=1) + (rounded[1] * (np.abs(known).sum(axis=1) + size * rounded[0]))[:, None]
    )
    assert (np.abs(found[:, :asked] - known @ query.T) <= most + 1e-5).all()
    np.testing.assert_array_equal(found[:, asked:], np.repeat(found[:, :1], lanes.shape[1] - asked, axis=1))
    best = np.full(rows, -np.inf, np.float32)
    kernels.raise_to_best(found, best)
    np.testing.assert_array_equal(best, found.max(axis=1))


@settings(max_examples=60, deadline=None)
@given(**SHAPES, read=st.booleans())
def test_items_are_scored_by_their_vectors(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], asked: int, size: int, seed: int, read: bool
) -> None:
    begins, sizes = places(counts)
    queries, (half, known) = (
        [numbers(seed, asked, size), numbers(7, 3, size)],
        halves(numbers(seed + 1, sum(counts), size)),
    )
    ids, scores = np.arange(len(counts)) - 1, np.empty((2, 2, len(counts)), np.float32)
    lanes, states = [kernels.in_lanes(query) for query in queries], np.empty(len(counts), np.uint8)
    parts = np.cumsum([0, *(part.shape[1] for part in lanes)])
    query_is = np.ascontiguousarray(np.concatenate(lanes, axis=1)), parts, np.array([asked, 3])
    path = tmp_path_factory.mktemp("read") / "vectors"
    path.write_bytes(b"header" + half.tobytes())
    sums = item_sums(ids, np.append(begins, len(half)), half.view(np.float16))
    with path.open("rb") as file:
        source = (
            (np.zeros_like(half), file.fileno(), 6, ids, sums) if read else (half, kernels.NO_FILE, 0, ids, sums[:0])
        )
        kernels.score(begins, sizes, *source, *query_is, scores, states, board())
    assert (states == kernels.SOUND).all()
    items = Fragments(ids, np.append(begins, len(known)), known)
    for query, (by_query, by_stored) in zip(queries, scores, strict=True):
        np.testing.assert_allclose(by_query, exact_scores(query, items, ScoreTerms(True, False, "sum")), atol=1e-3)
        np.testing.assert_allclose(by_stored, exact_scores(query, items, ScoreTerms(False, True, "sum")), atol=1e-3)


def test_vectors_that_changed_or_are_missing_are_told(tmp_path: Path) -> None:
    half = np.arange(24, dtype=np.uint16).reshape(6, 4)
    begins, sizes = places([2, 2, 2])
    sums = item_sums(np.arange(3), np.array([0, 2, 4, 6]), half.view(np.float16))
    changed = half.copy()
    changed[3, 1] ^= 1
    (tmp_path / "vectors").write_bytes(changed.tobytes()[:-1])
    query, scores, states = kernels.in_lanes(numbers(0, 2, 4)), np.empty((1, 2, 3), np.float32), np.empty(3, np.uint8)
    with (tmp_path / "vectors").open("rb") as file:
        source = half, file.fileno(), 0, np.arange(3), sums
        kernels.score(begins, sizes, *source, query, np.array([0, 8]), np.array([2]), scores, states, board())
    assert states.tolist() == [kernels.SOUND, kernels.CHANGED, kernels.CUT]


@settings(deadline=None)
@given(data=st.binary(max_size=100), before=st.binary(max_size=20))
def test_checksums_are_those_of_zlib(data: bytes, before: bytes) -> None:
    words = np.frombuffer(data + bytes(-len(data) % 8), np.uint64)
    assert checksum(words, np.uint64(len(data)), np.uint32(zlib.crc32(before))) == zlib.crc32(data, zlib.crc32(before))


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
    told = board()
    kernels.add_query_term(*given, products, asked, by_query, board())
    np.testing.assert_allclose(by_query, torch_look_ups.query_term(*on_torch, begins).numpy(), atol=1e-4)
    kernels.add_stored_term(*given, products[:, 0].copy(), by_stored, board())
    expected = torch_look_ups.stored_term(on_torch[0], torch.from_numpy(products[:, 0].copy()), begins)
    np.testing.assert_allclose(by_stored, expected.numpy(), atol=1e-4)
    lengths = np.linalg.norm(patterns, axis=2).max(axis=1)
    parts = np.linalg.norm(query.reshape(asked, size, 4), axis=2)  # (Q, B)
    scale = kernels.scale_of(lengths, lanes)
    assert scale == pytest.approx(32_000 / (parts @ lengths).max(), rel=1e-4)
    best = np.full(len(codes), -np.inf, np.float32)
    query_is = products, patterns, lanes, asked, scale
    kernels.refine(begins, sizes, codes, residuals, *query_is, refined, begins, best, told)
    assert told.tolist() == [told[0], len(counts), 0]
    alone = np.zeros_like(refined)
    kernels.refine(begins, sizes, codes, residuals, *query_is, alone, begins, best[:0], board())
    np.testing.assert_array_equal(alone, refined)
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
    best, residuals, boards = np.zeros(4, np.float32), np.zeros((4, 2), np.uint8), [board() for _ in range(3)]
    query_is = products, numbers(1, 2, 256, 4), numbers(2, 8, 8), 8, 1.0
    kernels.add_query_term(begins, sizes, codes, products, 8, scores, boards[0])
    kernels.add_stored_term(begins, sizes, codes, products[:, 0].copy(), scores, boards[1])
    kernels.refine(begins, sizes, codes, residuals, *query_is, scores, begins, best, boards[2])
    assert [told[WRONG] for told in boards] == [1, 1, 1]
    assert scores[0] != 0  # the item before is scored
    assert scores[1] == 0


@pytest.mark.parametrize("wrong", [-1, 6, 2**30])
def test_lists_of_items_that_are_not_there_are_told(wrong: int) -> None:
    items, counts, gains = np.array([1, 5, wrong], np.int32), np.ones(3, np.uint8), np.ones(1, np.float32)
    lists, scores, boards = np.zeros(1, np.int32), np.zeros(6, np.float32), [board() for _ in range(3)]
    rest = items, counts, np.ones(6, np.float32), np.zeros(1, np.float32), False, scores, 4
    kernels.list_by_stored(np.array([0, 2]), lists, gains, *rest, boards[0])
    kernels.list_by_stored(np.array([0, 3]), lists, gains, *rest, boards[1])
    kernels.list_by_query(np.array([0, 3]), lists[None], gains[None], gains, items, scores, 4, boards[2])
    assert [told[WRONG] > 0 for told in boards] == [False, True, True]


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 3000),
    asked=st.integers(1, 20),
    part=st.floats(0.001, 1),
    seed=st.integers(0, 99),
    values=st.sampled_from([2, 10**6]),
)
def test_the_best_lists_are_ranked(count: int, asked: int, part: float, seed: int, values: int) -> None:
    drawn = np.random.default_rng(seed).integers(-values, values, (asked, count)).astype(np.float32)
    products, most = kernels.in_lanes(drawn), max(1, int(part * count))
    lists, gains = np.empty((asked, most), np.int32), np.empty((asked, most), np.float32)
    least = np.empty(asked, np.float32)
    kernels.rank_lists(products, lists, gains, least, board())
    order = np.argsort(-drawn, axis=1, kind="stable")
    np.testing.assert_array_equal(lists, order[:, :most])
    np.testing.assert_array_equal(
        least, [row[ranks[min(most, count - 1)]] for row, ranks in zip(drawn, order, strict=True)]
    )
    np.testing.assert_array_equal(gains, np.take_along_axis(drawn, order[:, :most], axis=1) - least[:, None])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_what_is_shared_out_is_done_once(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    codes, (begins, sizes) = np.arange(5000, dtype=np.int32), places([5] * 1000)
    values = numbers(3, 5000)
    try:
        for _ in range(200):
            scores = np.zeros(1000, np.float32)
            work = partial(kernels.add_stored_term, begins, sizes, codes, values, scores)
            assert share_out(1000, work)
            np.testing.assert_allclose(scores, values.reshape(1000, 5).sum(axis=1), atol=1e-5)
        assert not share_out(1000, partial(kernels.add_stored_term, begins, sizes, codes - 1, values, scores))
    finally:
        torch.set_num_threads(before)


def test_a_thread_that_has_no_memory_leaves_its_work_to_the_others() -> None:
    caller = threading.get_ident()

    def work(told: npt.NDArray[np.int64]) -> None:
        if threading.get_ident() != caller:
            raise MemoryError
        told[DONE] += 1

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert all(share_out(2, work) for _ in range(20))  # and its thread goes on
    finally:
        torch.set_num_threads(before)


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
