import numpy as np
import numpy.typing as npt
import pytest

from model.metrics import Recall, rank_answers, rank_both_ways, ranks, recall


def random_case(seed: int, levels: int | None = None) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Scores of 20 queries and 50 answers, of a few levels where ties are wanted, and which answers are true."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(20, 50)) if levels is None else random.integers(levels, size=(20, 50))
    true = random.random((20, 50)) < 0.1
    true[:, 3] = True
    return scores.astype(np.float32), true


def test_ranks_equal_plain_argsort_without_ties() -> None:
    scores, true = random_case(0)
    found = rank_answers(scores, true)
    for row, rank in enumerate(ranks(scores, true)):
        order = np.argsort(-scores[row])
        assert rank == found.ranks[row] == 1 + int(np.flatnonzero(true[row][order])[0])
        assert found.best_true[row] == order[rank - 1]
        assert found.first[row].tolist() == order[:10].tolist()
        best_false = scores[row][~true[row]].max()
        assert found.margin[row] == scores[row, found.best_true[row]] - best_false


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_ties_rank_as_an_argsort_with_false_answers_first(levels: int) -> None:
    scores, true = random_case(1, levels)
    found = rank_answers(scores, true)
    for row in range(len(scores)):
        order = sorted(range(50), key=lambda answer: (-scores[row, answer], true[row, answer], answer))
        assert found.ranks[row] == 1 + [bool(true[row, answer]) for answer in order].index(True)
        assert found.first[row].tolist() == order[:10]


def test_ties_are_not_counted_in_our_favour() -> None:
    scores = np.zeros((1, 4), dtype=np.float32)
    true = np.array([[True, False, False, False]])
    assert ranks(scores, true).tolist() == [4]


def test_unscored_sentences_rank_last() -> None:
    scores = np.array([[1.0, -np.inf]], dtype=np.float32)
    assert ranks(scores, np.array([[False, True]])).tolist() == [2]
    found = rank_answers(np.full((1, 3), -np.inf, dtype=np.float32), np.array([[False, True, False]]))
    assert (found.ranks[0], found.best_true[0], found.margin[0]) == (3, 1, 0.0)


def test_a_score_that_is_not_a_number_is_no_hit() -> None:
    scores = np.array([[np.nan, np.nan, np.nan], [np.nan, 1.0, 0.5]], dtype=np.float32)
    true = np.array([[True, False, False], [True, False, False]])
    assert ranks(scores, true).tolist() == [3, 3]
    assert rank_answers(scores, true).first.tolist() == [[1, 2, 0], [1, 2, 0]]


def test_answers_that_are_all_true_are_found_first() -> None:
    found = rank_answers(np.array([[0.1, 0.2]], dtype=np.float32), np.ones((1, 2), dtype=np.bool_))
    assert (found.ranks[0], found.best_true[0], found.margin[0]) == (1, 1, np.inf)


def test_recall_of_a_hand_made_case_with_unequal_numbers_of_sentences() -> None:
    # images 0 and 1 with one and two sentences; sentence 1 is nearer to the wrong image
    scores = np.array([[0.9, 0.8, 0.1], [0.2, 0.3, 0.95]], dtype=np.float32)
    photo, sentence = rank_both_ways(scores, np.array([0, 1, 1]))
    assert recall(photo.ranks) == Recall(r1=100.0, r5=100.0, r10=100.0, median_rank=1.0)
    assert recall(sentence.ranks) == Recall(r1=66.67, r5=100.0, r10=100.0, median_rank=1.0)
    assert sentence.ranks.tolist() == [1, 2, 1]
    assert photo.first.tolist() == [[0, 1, 2], [2, 1, 0]]


def test_a_hand_made_case_with_a_tie_in_each_direction() -> None:
    # photo 0 ties its own sentence with photo 1's; photo 1 wins; sentence 0 is the same for both photos
    scores = np.array([[0.5, 0.5], [0.5, 0.9]], dtype=np.float32)
    photo, sentence = rank_both_ways(scores, np.array([0, 1]))
    assert photo.ranks.tolist() == [2, 1]
    assert sentence.ranks.tolist() == [2, 1]
