"""Measure a model's retrieval on a split of a dataset."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.alignment import AlignmentModel
from model.dataset import DatasetImage
from model.metrics import Recall, retrieval_recall
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
    numbers = [vocabulary.numbers(words_of(sentence)) for image in images for sentence in image.sentences]
    image_of = [row for row, image in enumerate(images) for _ in image.sentences]
    was_training = model.training
    scores = score_split(model.eval(), features, numbers)
    model.train(was_training)
    return retrieval_recall(scores.numpy(), image_of)
