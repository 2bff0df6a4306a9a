import math

import numpy as np
import pytest

from model.captions.cider import CorpusCider


def test_sentence_like_its_only_reference_scores_most_and_one_of_other_words_nothing() -> None:
    cider = CorpusCider([[[1, 2, 3, 4]], [[5, 6, 7, 8]]])
    assert cider.score(0, [1, 2, 3, 4]) == pytest.approx(10)
    assert cider.score(1, [1, 2, 3, 4]) == 0


def test_one_rare_word_of_two_scores_its_share_of_the_single_words_alone() -> None:
    cider = CorpusCider([[[1, 2]], [[3, 4]]])
    # single words: cosine of (1, 0) with (1, 1); pairs and more: nothing; a word's difference in length: e^(-1/72)
    assert cider.score(0, [1]) == pytest.approx(10 / 4 / math.sqrt(2) * math.exp(-1 / 72))


def test_words_of_every_item_are_worth_nothing() -> None:
    cider = CorpusCider([[[1, 2]], [[1, 3]]])
    assert cider.score(0, [1]) == 0


def test_scores_of_a_corpus_are_those_of_the_coco_evaluation() -> None:
    measured = pytest.importorskip("pycocoevalcap.cider.cider_scorer")
    random = np.random.default_rng(0)

    def sentence() -> list[int]:
        return [int(number) for number in random.integers(1, 9, random.integers(2, 9))]

    references = [[sentence() for _ in range(3)] for _ in range(20)]
    said = [of_item[0][: 1 + row % 5] + sentence() for row, of_item in enumerate(references)]
    scorer = measured.CiderScorer()
    for caption, of_item in zip(said, references, strict=True):
        scorer += (" ".join(map(str, caption)), [" ".join(map(str, words)) for words in of_item])
    _, theirs = scorer.compute_score()
    cider = CorpusCider(references)
    ours = [cider.score(item, caption) for item, caption in enumerate(said)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert max(ours) > 1
