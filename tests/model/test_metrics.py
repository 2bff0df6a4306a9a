import numpy as np

from model.metrics import Recall, ranks, retrieval_recall


def test_ranks_equal_plain_argsort_without_ties() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(20, 50)).astype(np.float32)
    true = random.random((20, 50)) < 0.1
    true[:, 3] = True
    for row, rank in enumerate(ranks(scores, true)):
        order = np.argsort(-scores[row])
        assert rank == 1 + int(np.flatnonzero(true[row][order])[0])


def test_ties_are_not_counted_in_our_favour() -> None:
    scores = np.zeros((1, 4), dtype=np.float32)
    true = np.array([[True, False, False, False]])
    assert ranks(scores, true).tolist() == [4]


def test_unscored_sentences_rank_last() -> None:
    scores = np.array([[1.0, -np.inf]], dtype=np.float32)
    assert ranks(scores, np.array([[False, True]])).tolist() == [2]


def test_recall_of_a_hand_made_case_with_unequal_numbers_of_sentences() -> None:
    # images 0 and 1 with one and two sentences; sentence 1 is nearer to the wrong image
    scores = np.array([[0.9, 0.8, 0.1], [0.2, 0.3, 0.95]], dtype=np.float32)
    photo, sentence = retrieval_recall(scores, image_of=[0, 1, 1])
    assert photo == Recall(r1=100.0, r5=100.0, r10=100.0, median_rank=1.0)
    assert sentence == Recall(r1=66.67, r5=100.0, r10=100.0, median_rank=1.0)
