"""Measure where a model sees what a phrase names: weakly supervised phrase grounding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import box_iou

from model.alignment import AlignmentModel
from model.entities import Phrase
from model.sentence_encoder import pad_numbers
from model.vocabulary import Vocabulary
from model.words import words_of

IOU = 0.5


@dataclass(frozen=True)
class Grounding:
    """Percentages of phrases.

    Attributes:
        phrases: how many.
        iou50: the chosen region overlaps one of the phrase's boxes by an IoU of 0.5 or more.
        pointing: the centre of the chosen region lies in one of them.
        proposal_recall: any region overlaps one of them so: what a perfect choice would reach.
    """

    phrases: int
    iou50: float
    pointing: float
    proposal_recall: float


def phrase_places(sentence: Sequence[str], phrase: Sequence[str]) -> list[int]:
    """Find the first run of a phrase's words in a sentence; the places of its words, empty where it has no such run.

    >>> phrase_places(["a", "dog", "and", "a", "cat"], ["a", "cat"])
    [3, 4]
    """
    for start in range(len(sentence) - len(phrase) + 1):
        if list(sentence[start : start + len(phrase)]) == list(phrase):
            return list(range(start, start + len(phrase)))
    return []


@torch.inference_mode()
def measure_grounding(
    model: AlignmentModel,
    vocabulary: Vocabulary,
    phrases: Sequence[Sequence[Phrase]],
    features: npt.NDArray[np.float16],
    boxes: npt.NDArray[np.float32],
) -> Grounding:
    """Choose for each phrase the region with the highest sum of its words' products, and compare with its boxes.

    A phrase none of whose words is known takes the whole photo.

    Args:
        model: in evaluation mode.
        vocabulary: of the model.
        phrases: of each of the I photos.
        features: float16 (I, R, F + 5).
        boxes: of the regions, float32 (I, R, 4), pixels, the whole photo last.
    """
    found = np.zeros(3)  # iou50, pointing, proposal recall
    total = 0
    for row, of_photo in enumerate(phrases):
        regions = model.image_encoder(torch.from_numpy(np.asarray(features[row], dtype=np.float32)))  # (R, D)
        vectors = _sentence_vectors(model, vocabulary, {phrase.sentence for phrase in of_photo})
        for phrase in of_photo:
            words, encoded = vectors[phrase.sentence]
            places = phrase_places(words, [word for word in words_of(phrase.text) if word in vocabulary])
            sums = (regions @ encoded[places].T).sum(dim=1)  # (R,)
            chosen = int(sums.argmax()) if places else len(boxes[row]) - 1
            found += _hits(boxes[row], chosen, phrase.boxes)
            total += 1
    iou50, pointing, proposal_recall = (round(float(value), 2) for value in 100.0 * found / max(total, 1))
    return Grounding(total, iou50, pointing, proposal_recall)


def _sentence_vectors(
    model: AlignmentModel, vocabulary: Vocabulary, sentences: set[str]
) -> dict[str, tuple[list[str], torch.Tensor]]:
    """Encode sentences: their known words and word vectors (W, D)."""
    known = {sentence: [word for word in words_of(sentence) if word in vocabulary] for sentence in sorted(sentences)}
    vectors = {sentence: (words, torch.empty(0, model.config.dimension)) for sentence, words in known.items()}
    filled = [sentence for sentence, words in known.items() if words]
    if filled:
        encoded = model.sentence_encoder(pad_numbers([vocabulary.numbers(known[sentence]) for sentence in filled]))
        for sentence, rows in zip(filled, encoded, strict=True):
            vectors[sentence] = (known[sentence], rows[: len(known[sentence])])
    return vectors


def _hits(regions: npt.NDArray[np.float32], chosen: int, true: npt.NDArray[np.float32]) -> list[bool]:
    """Tell whether the chosen region overlaps, points into, and any region overlaps a true box."""
    overlaps = box_iou(torch.from_numpy(regions), torch.from_numpy(true)).amax(dim=1)  # (R,)
    x, y = (regions[chosen, :2] + regions[chosen, 2:]) / 2
    inside = (true[:, 0] <= x) & (x < true[:, 2]) & (true[:, 1] <= y) & (y < true[:, 3])
    return [bool(overlaps[chosen] >= IOU), bool(inside.any()), bool(overlaps.max() >= IOU)]
