import itertools
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
import torch

from engine import scoring
from engine.fragments import Fragments, Kind, ScoreTerms
from engine.scoring import exact_scores, top_k
from model.score import ScoreConfig, image_sentence_scores

REDUCTIONS: tuple[Literal["sum", "mean"], ...] = ("sum", "mean")

# Query: (1, 0) and (0, 2). Item 5: (3, 1) and (0, -1). Item 6: (-1, -2).
# Products with item 5: 3, 0 | 2, -2. With item 6: -1 | -4.
QUERY = np.array([[1, 0], [0, 2]], np.float32)
STORED = Fragments.of([5, 6], [np.array([[3, 1], [0, -1]], np.float32), np.array([[-1, -2]], np.float32)], 2)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (ScoreTerms(True, False, "sum"), [3 + 2, -1 - 4]),
        (ScoreTerms(True, False, "mean"), [2.5, -2.5]),
        (ScoreTerms(False, True, "sum"), [3 + 0, -1]),
        (ScoreTerms(False, True, "mean"), [1.5, -1]),
        (ScoreTerms(True, True, "sum"), [8, -6]),
    ],
)
def test_scores_worked_out_by_hand(terms: ScoreTerms, expected: list[float]) -> None:
    np.testing.assert_array_equal(exact_scores(QUERY, STORED, terms), expected)


def slow_scores(query: npt.NDArray[np.float32], stored: Fragments, terms: ScoreTerms) -> list[float]:
    scores = []
    for number in range(len(stored)):
        item = stored.item(number)
        by_query = [max(float(q @ v) for v in item) for q in query]
        by_stored = [max(float(q @ v) for q in query) for v in item]
        reduce = sum if terms.reduction == "sum" else np.mean
        scores.append(float(terms.query * reduce(by_query) + terms.stored * reduce(by_stored)))
    return scores


def random_items(random: np.random.Generator, counts: list[int], dimension: int = 6) -> Fragments:
    vectors = [random.standard_normal((count, dimension)).astype(np.float32) for count in counts]
    return Fragments.of(list(range(len(counts))), vectors, dimension)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("query_term", "stored_term"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("counts", [[1], [4, 4, 4], [1, 7, 2, 3, 1]])
@pytest.mark.parametrize("asked", [1, 5])
def test_scores_equal_plain_loops(
    reduction: Literal["sum", "mean"], query_term: bool, stored_term: bool, counts: list[int], asked: int
) -> None:
    random = np.random.default_rng(asked)
    stored, terms = random_items(random, counts), ScoreTerms(query_term, stored_term, reduction)
    query = random.standard_normal((asked, 6)).astype(np.float32)
    np.testing.assert_allclose(exact_scores(query, stored, terms), slow_scores(query, stored, terms), rtol=1e-5)


@pytest.mark.parametrize("directions", ["words", "both"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("asked_by", ["sentences", "images"])
def test_scores_equal_the_model_whichever_side_asks(
    directions: Literal["words", "both"], reduction: Literal["sum", "mean"], asked_by: Kind
) -> None:
    random = np.random.default_rng(3)
    config = ScoreConfig(directions, reduction)
    query, stored = random.standard_normal((4, 6)).astype(np.float32), random_items(random, [2, 5, 1, 3])
    wanted = "images" if asked_by == "sentences" else "sentences"
    for number, score in enumerate(exact_scores(query, stored, ScoreTerms.between(asked_by, wanted, config))):  # type: ignore[arg-type]
        regions, words = (stored.item(number), query) if asked_by == "sentences" else (query, stored.item(number))
        masks = [torch.ones(1, len(side), dtype=torch.bool) for side in (regions, words)]
        expected = image_sentence_scores(
            torch.from_numpy(regions)[None], masks[0], torch.from_numpy(words)[None], masks[1], config
        )
        assert float(score) == pytest.approx(float(expected[0, 0]), rel=1e-5)


def test_two_items_of_one_kind_are_compared_by_a_mean() -> None:
    assert ScoreTerms.between("images", "images", ScoreConfig("words", "sum")) == ScoreTerms(True, False, "mean")
    assert ScoreTerms.between("sentences", "sentences", ScoreConfig("both", "sum")) == ScoreTerms(True, True, "mean")


@pytest.mark.parametrize("at_once", [1, 20, 64])
def test_blocks_change_no_score(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    random = np.random.default_rng(5)
    stored, query = random_items(random, [3, 9, 1, 4, 30, 2]), random.standard_normal((4, 6)).astype(np.float32)
    terms = ScoreTerms(True, True, "sum")
    whole = exact_scores(query, stored, terms)
    monkeypatch.setattr(scoring, "PRODUCTS_AT_ONCE", at_once)
    np.testing.assert_allclose(exact_scores(query, stored, terms), whole, rtol=1e-5)


def test_a_score_does_not_depend_on_the_other_items() -> None:
    random = np.random.default_rng(6)
    stored, query = random_items(random, [3, 9, 1, 4]), random.standard_normal((4, 6)).astype(np.float32)
    for number, terms in itertools.product(range(4), [ScoreTerms(True, False, "sum"), ScoreTerms(False, True, "mean")]):
        alone = exact_scores(query, stored.take(np.array([number])), terms)
        np.testing.assert_allclose(alone[0], exact_scores(query, stored, terms)[number], rtol=1e-5)


def test_no_item_has_no_score() -> None:
    assert len(exact_scores(QUERY, Fragments.of([], [], 2), ScoreTerms(True, True, "sum"))) == 0


def test_the_best_come_first_and_ties_by_id() -> None:
    scores, ids = np.array([1, 3, 3, 2, 3], np.float32), np.array([50, 40, 10, 20, 30])
    for k, expected in ((1, [10]), (2, [10, 30]), (3, [10, 30, 40]), (4, [10, 30, 40, 20]), (99, [10, 30, 40, 20, 50])):
        found, of = top_k(scores, ids, k)
        assert found.tolist() == expected
        assert of.tolist() == sorted(scores.tolist(), reverse=True)[:k]


def test_top_k_of_nothing_is_nothing() -> None:
    ids, scores = top_k(np.empty(0, np.float32), np.empty(0, np.int64), 5)
    assert len(ids) == len(scores) == 0
