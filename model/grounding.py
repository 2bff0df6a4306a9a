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


@dataclass(frozen=True)
class GroundedPhrase:
    """A phrase and what a model made of it.

    Attributes:
        image: row of its photo.
        phrase: with its boxes.
        region: number of the chosen region.
        hit: the region overlaps one of the phrase's boxes by an IoU of 0.5 or more.
        pointed: the region's centre lies in one of them.
        possible: any region overlaps one of them so.
    """

    image: int
    phrase: Phrase
    region: int
    hit: bool
    pointed: bool
    possible: bool


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
def ground_phrases(
    model: AlignmentModel,
    vocabulary: Vocabulary,
    phrases: Sequence[Sequence[Phrase]],
    features: npt.NDArray[np.float16],
    boxes: npt.NDArray[np.float32],
) -> list[GroundedPhrase]:
    """Choose for each phrase the region with the highest sum of its words' products, and compare with its boxes.

    A phrase none of whose words is known takes the whole photo.

    Args:
        model: in evaluation mode.
        vocabulary: of the model.
        phrases: of each of the I photos.
        features: float16 (I, R, F + 5).
        boxes: of the regions, float32 (I, R, 4), pixels, the whole photo last.

    Returns:
        The phrases in their order.
    """
    found = []
    for row, of_photo in enumerate(phrases):
        regions = model.image_encoder(torch.from_numpy(np.asarray(features[row], dtype=np.float32)))  # (R, D)
        vectors = _sentence_vectors(model, vocabulary, {phrase.sentence for phrase in of_photo})
        for phrase in of_photo:
            words, encoded = vectors[phrase.sentence]
            places = phrase_places(words, [word for word in words_of(phrase.text) if word in vocabulary])
            sums = (regions @ encoded[places].T).sum(dim=1)  # (R,)
            chosen = int(sums.argmax()) if places else len(boxes[row]) - 1
            found.append(grounded(row, phrase, boxes[row], chosen))
    return found


def grounded(image: int, phrase: Phrase, regions: npt.NDArray[np.float32], chosen: int) -> GroundedPhrase:
    """Compare a chosen region, and all regions, float32 (R, 4), with the boxes of a phrase."""
    overlaps = box_iou(torch.from_numpy(regions), torch.from_numpy(phrase.boxes)).amax(dim=1)  # (R,)
    x, y = (regions[chosen, :2] + regions[chosen, 2:]) / 2
    x0, y0, x1, y1 = phrase.boxes.T
    inside = bool(((x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)).any())
    return GroundedPhrase(image, phrase, chosen, bool(overlaps[chosen] >= IOU), inside, bool(overlaps.max() >= IOU))


def summary(found: Sequence[GroundedPhrase]) -> Grounding:
    """Count what was found, as percentages of all phrases."""
    counts = np.array([[one.hit, one.pointed, one.possible] for one in found], dtype=np.float64).reshape(-1, 3)
    hit, pointed, possible = (round(float(value), 2) for value in 100.0 * counts.sum(axis=0) / max(len(found), 1))
    return Grounding(len(found), hit, pointed, possible)


def measure_grounding(
    model: AlignmentModel,
    vocabulary: Vocabulary,
    phrases: Sequence[Sequence[Phrase]],
    features: npt.NDArray[np.float16],
    boxes: npt.NDArray[np.float32],
) -> Grounding:
    """Measure grounding over all phrases; the arguments are those of `ground_phrases`."""
    return summary(ground_phrases(model, vocabulary, phrases, features, boxes))


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
