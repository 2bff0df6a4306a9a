"""Which word went to which region."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.encoder import Encoder, PhotoFragments, SentenceFragments
from engine.exceptions import BadRequest
from engine.fragments import Fragments, ScoreTerms
from engine.scoring import exact_scores
from model.exceptions import TextError
from model.word_regions import align_words

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class WordRegion:
    """A word and the region that it went to.

    Attributes:
        word: as the model reads it, lower-cased.
        start, end: where it stands in its text, characters, end exclusive.
        box: (x0, y0, x1, y1) in pixels of the upright photo.
        product: inner product of the two vectors, which is what the word adds to the score.
    """

    word: str
    start: int
    end: int
    box: Box
    product: float


@dataclass(frozen=True)
class Alignment:
    """A sentence laid over a photo.

    Attributes:
        words: the known words with their regions, in order.
        not_understood: the other words.
        score: the image-sentence score of the pair, whatever regions the words took.
    """

    words: list[WordRegion]
    not_understood: list[str]
    score: float


def align(encoder: Encoder, photo: npt.NDArray[np.uint8], text: str, beta: float = 0.0) -> Alignment:
    """Give each known word of a text a region of a photo.

    Args:
        encoder: the model.
        photo: upright RGB, uint8 (height, width, 3).
        text: a sentence.
        beta: 0 gives each word its own best region; larger makes neighbouring words share one.

    Raises:
        TextError: the text has no word that the model knows.
        BadRequest: beta is negative or not a number.
    """
    if not 0 <= beta < np.inf:
        raise BadRequest(f"beta must be 0 or more, not {beta}")
    sentence = encode_text(encoder, text)
    fragments = encoder.encode_photo(photo)
    products = fragments.vectors @ sentence.vectors.T  # (R, W)
    words = word_regions(sentence, fragments.boxes, products, align_words(products, beta))
    terms = ScoreTerms.between("sentences", "images", encoder.score)
    stored = Fragments.of([0], [fragments.vectors], encoder.dimension)
    return Alignment(words, sentence.unknown, float(exact_scores(sentence.vectors, stored, terms)[0]))


def best_regions(sentence: SentenceFragments, photo: PhotoFragments) -> list[WordRegion]:
    """Give each word its own best region; of equal products the first region."""
    products = photo.vectors @ sentence.vectors.T  # (R, W)
    return word_regions(sentence, photo.boxes, products, [int(number) for number in products.argmax(axis=0)])


def word_regions(
    sentence: SentenceFragments,
    boxes: npt.NDArray[np.float32],
    products: npt.NDArray[np.float32],
    regions: Sequence[int],
) -> list[WordRegion]:
    """Name the words and boxes of an assignment: regions[w] is the region of word w, products float32 (R, W)."""
    found = []
    for number, (word, (start, end), region) in enumerate(zip(sentence.words, sentence.spans, regions, strict=True)):
        x0, y0, x1, y1 = (float(edge) for edge in boxes[region])
        found.append(WordRegion(word, start, end, (x0, y0, x1, y1), float(products[region, number])))
    return found


def encode_text(encoder: Encoder, text: str) -> SentenceFragments:
    """Encode a query.

    Raises:
        TextError: there is no word in it that the model knows.
    """
    return understood(encoder.encode_sentences([text])[0])


def understood(sentence: SentenceFragments) -> SentenceFragments:
    """Return an encoded query.

    Raises:
        TextError: there is no word in it that the model knows.
    """
    if not sentence.words and not sentence.unknown:
        raise TextError("the text holds no word; write a few English words")
    if not sentence.words:
        named = ", ".join(dict.fromkeys(sentence.unknown[:10]))
        raise TextError(f"the model knows none of the words of the text ({named}); try others")
    return sentence
