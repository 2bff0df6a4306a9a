from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.dataset import DatasetImage
from model.exceptions import DatasetError
from model.metrics import mean_recall
from model.retrieval import measure_retrieval, rank_split
from model.sentence_encoder import SentenceEncoderConfig
from model.vocabulary import Vocabulary

COLOURS = ("red", "green", "blue", "white", "black", "pink")
VOCABULARY = Vocabulary(COLOURS)


def made_split(sentences: Sequence[int]) -> tuple[AlignmentModel, list[DatasetImage], np.ndarray]:
    """A model at random, and photos with so many sentences each, of features at random."""
    torch.manual_seed(0)
    sentence = SentenceEncoderConfig("gru", 16, 16, words="learned")
    config = AlignmentConfig(features=("pooled",), streams=1, feature_size=3, dimension=16, sentence=sentence)
    random = np.random.default_rng(0)
    images = [
        DatasetImage(Path(f"{row}.jpg"), "dev", tuple(" ".join(random.choice(COLOURS, 4)) for _ in range(count)))
        for row, count in enumerate(sentences)
    ]
    features = random.normal(size=(len(images), 3, 8)).astype(np.float16)
    return build_alignment_model(config, VOCABULARY), images, features


def test_each_fold_is_ranked_as_if_there_were_no_other() -> None:
    model, images, features = made_split([1, 3, 2, 5, 1, 2, 4, 1, 1, 2, 3, 1])
    ranking = rank_split(model, VOCABULARY, images, features, folds=3)
    alone = [
        measure_retrieval(model, VOCABULARY, images[start : start + 4], features[start : start + 4])
        for start in (0, 4, 8)
    ]
    assert ranking.recalls() == alone
    photo, sentence = ranking.recall()
    assert photo == mean_recall([one for one, _ in alone])
    assert sentence == mean_recall([other for _, other in alone])
    assert ranking.fold_of.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_answers_of_a_fold_are_numbered_as_in_the_whole_split() -> None:
    model, images, features = made_split([1, 3, 2, 5, 1, 2])
    ranking = rank_split(model, VOCABULARY, images, features, folds=2)
    own = ranking.image_of[ranking.images.best_true]
    assert own.tolist() == list(range(6))
    assert (ranking.fold_of[ranking.image_of[ranking.images.first]] == ranking.fold_of[:, None]).all()
    assert ranking.sentences.best_true.tolist() == ranking.image_of.tolist()
    assert (ranking.fold_of[ranking.sentences.first] == ranking.fold_of[ranking.image_of][:, None]).all()


def test_one_fold_is_the_whole_split_and_the_mode_of_the_model_stays() -> None:
    model, images, features = made_split([2, 1, 3])
    model.train()
    assert rank_split(model, VOCABULARY, images, features).recall() == measure_retrieval(
        model, VOCABULARY, images, features
    )
    assert model.training


def test_folds_that_do_not_fit_are_refused() -> None:
    model, images, features = made_split([1, 1, 1])
    with pytest.raises(DatasetError, match="3 photos do not make 2 equal folds"):
        rank_split(model, VOCABULARY, images, features, folds=2)
