"""Measure a model's retrieval on a split of a dataset."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.alignment import AlignmentModel
from model.dataset import DatasetImage
from model.exceptions import DatasetError
from model.metrics import Ranking, Recall, mean_recall, rank_both_ways, recall
from model.score import image_sentence_scores
from model.sentence_encoder import pad_numbers
from model.vocabulary import PADDING, Vocabulary
from model.words import words_of

_IMAGES_AT_ONCE = 500
_SENTENCES_AT_ONCE = 64


@torch.inference_mode()
def score_split(model: AlignmentModel, features: npt.NDArray[np.float16], numbers: Sequence[Sequence[int]]) -> Tensor:
    """Score all images against all sentences in blocks.

    Args:
        model: in evaluation mode.
        features: float16 (I, R, F + 5).
        numbers: word numbers of the S sentences; one without a known word scores -inf with every image.

    Returns:
        float32 (I, S).
    """
    scores = torch.full((len(features), len(numbers)), -torch.inf)
    known = [number for number, words in enumerate(numbers) if words]
    known.sort(key=lambda number: len(numbers[number]))  # equal lengths side by side: less padding
    for first in range(0, len(features), _IMAGES_AT_ONCE):
        block = np.asarray(features[first : first + _IMAGES_AT_ONCE], dtype=np.float32)
        regions = model.image_encoder(torch.from_numpy(block))  # (I, R, D)
        region_mask = torch.ones(regions.shape[:2], dtype=torch.bool)
        for start in range(0, len(known), _SENTENCES_AT_ONCE):
            chosen = known[start : start + _SENTENCES_AT_ONCE]
            padded = pad_numbers([numbers[number] for number in chosen])
            words = model.sentence_encoder(padded)  # (S, W, D)
            scores[first : first + len(regions), chosen] = image_sentence_scores(
                regions, region_mask, words, padded != PADDING, model.config.score
            )
    return scores


@dataclass(frozen=True)
class SplitRanking:
    """What a model ranks where, over the images of a split in equal folds, each a pool of its own.

    Attributes:
        images: image -> sentence, a row per image; answers are numbers of sentences of the whole split.
        sentences: sentence -> image, a row per sentence; answers are numbers of images.
        image_of: the image of each sentence, int64 (S,).
        fold_of: the fold of each image, 0 for the first, int64 (I,).
    """

    images: Ranking
    sentences: Ranking
    image_of: npt.NDArray[np.int64]
    fold_of: npt.NDArray[np.int64]

    def recalls(self) -> list[tuple[Recall, Recall]]:
        """Measure each fold: image -> sentence, sentence -> image."""
        of_sentence = self.fold_of[self.image_of]
        return [
            (recall(self.images.ranks[self.fold_of == fold]), recall(self.sentences.ranks[of_sentence == fold]))
            for fold in range(int(self.fold_of[-1]) + 1)
        ]

    def recall(self) -> tuple[Recall, Recall]:
        """Measure both directions, the mean of the folds: image -> sentence, sentence -> image."""
        of_images, of_sentences = zip(*self.recalls(), strict=True)
        return mean_recall(of_images), mean_recall(of_sentences)


def check_folds(images: int, folds: int) -> None:
    """Refuse folds that are not equal.

    Raises:
        DatasetError: the images do not divide into that many folds.
    """
    if images % folds:
        raise DatasetError(f"{images:,} photos do not make {folds} equal folds; take a number that divides them")


def rank_split(
    model: AlignmentModel,
    vocabulary: Vocabulary,
    images: Sequence[DatasetImage],
    features: npt.NDArray[np.float16],
    folds: int = 1,
) -> SplitRanking:
    """Rank all photos and all sentences of a split against each other.

    Args:
        model: in either mode.
        vocabulary: of the model.
        images: each with one sentence at least.
        features: float16 (I, R, F + 5).
        folds: equal parts of the images, in their order, each ranked by itself; 5 parts of 1,000 are COCO's "1K".

    Raises:
        DatasetError: the images do not divide into that many folds.
    """
    check_folds(len(images), folds)
    numbers = [vocabulary.numbers(words_of(sentence)) for image in images for sentence in image.sentences]
    image_of = np.repeat(np.arange(len(images)), [len(image.sentences) for image in images])
    size, ranked = len(images) // folds, []
    was_training = model.training
    model.eval()
    for start in range(0, len(images), size):
        chosen = np.flatnonzero((image_of >= start) & (image_of < start + size))  # one run: (S of the fold,)
        scores = score_split(model, features[start : start + size], [numbers[number] for number in chosen])
        of_images, of_sentences = rank_both_ways(scores.numpy(), image_of[chosen] - start)
        ranked.append((_shifted(of_images, int(chosen[0])), _shifted(of_sentences, start)))
    model.train(was_training)
    joined = [_joined([fold[direction] for fold in ranked]) for direction in (0, 1)]
    return SplitRanking(joined[0], joined[1], image_of, np.arange(len(images)) // size)


def measure_retrieval(
    model: AlignmentModel,
    vocabulary: Vocabulary,
    images: Sequence[DatasetImage],
    features: npt.NDArray[np.float16],
) -> tuple[Recall, Recall]:
    """Measure Recall@K over all photos and all sentences of a split.

    Returns:
        image -> sentence, sentence -> image.
    """
    return rank_split(model, vocabulary, images, features).recall()


def _shifted(ranking: Ranking, start: int) -> Ranking:
    """Number the answers of a fold as in the whole split."""
    return replace(ranking, best_true=ranking.best_true + start, first=ranking.first + start)


def _joined(folds: Sequence[Ranking]) -> Ranking:
    """Put the queries of folds one after the other; as many first answers as the smallest fold has."""
    shown = min(fold.first.shape[1] for fold in folds)
    return Ranking(
        np.concatenate([fold.ranks for fold in folds]),
        np.concatenate([fold.best_true for fold in folds]),
        np.concatenate([fold.margin for fold in folds]),
        np.concatenate([fold.first[:, :shown] for fold in folds]),
    )
