"""Queries with what they found: the best and the worst, boxes drawn and named by their words."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from api.drawing import COLOURS, drawn_words, photo_with_words, word_colours
from api.evaluation_report.evaluation import Evaluation
from engine.alignment import Box, WordRegion, best_regions
from engine.encoder import ModelEncoder, PhotoFragments
from model.grounding import GroundedPhrase
from model.metrics import Ranking
from model.photo import load_photo

PICTURE = (330, 250)  # most width and height, pixels
LABEL = 17  # size of the words on it, pixels; the page shows it at two thirds
DRAWN = 4  # words of a picture: more hide it
BEST, WORST = 4, 6  # queries shown of each kind
PHRASES = 4  # phrases shown of each kind
PHOTO_HITS, SENTENCE_HITS = 3, 5


@dataclass(frozen=True)
class Picture:
    """A photo with boxes: a JPEG file, its size in pixels, and what it shows in words."""

    jpeg: bytes
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Piece:
    """A piece of a text, with the colour of its box as #rrggbb, or none."""

    text: str
    colour: str | None = None


@dataclass(frozen=True)
class Hit:
    """An answer: its rank, whether it is true, and a photo or a sentence."""

    rank: int
    right: bool
    picture: Picture | None = None
    text: str = ""


@dataclass(frozen=True)
class Query:
    """A query and its answers.

    Attributes:
        rank: of the best true answer.
        pieces: a sentence that is asked; empty where a photo asks.
        picture: the photo that asks; None where a sentence asks.
        hits: the first answers, and the best true one where it is not among them.
    """

    rank: int
    pieces: Sequence[Piece]
    picture: Picture | None
    hits: Sequence[Hit]


@dataclass(frozen=True)
class PhraseCase:
    """A phrase and its photo with the chosen and the right box."""

    text: str
    sentence: str
    picture: Picture


class Gallery:
    """Draws queries of an evaluation."""

    def __init__(self, evaluation: Evaluation) -> None:
        """Take what was measured; nothing is drawn yet."""
        self._evaluation = evaluation
        self._encoder = ModelEncoder(evaluation.checkpoint)

    def sentence_queries(self) -> tuple[list[Query], list[Query]]:
        """Draw the best and the worst sentences as queries, each of another photo."""
        ranking, image_of = self._evaluation.ranking.sentences, self._evaluation.ranking.image_of
        best, worst = chosen(ranking, image_of)
        return [self._sentence_query(row) for row in best], [self._sentence_query(row) for row in worst]

    def photo_queries(self) -> tuple[list[Query], list[Query]]:
        """Draw the best and the worst photos as queries."""
        ranking = self._evaluation.ranking.images
        best, worst = chosen(ranking, np.arange(len(ranking.ranks)))
        return [self._photo_query(row) for row in best], [self._photo_query(row) for row in worst]

    def phrases(self) -> tuple[list[PhraseCase], list[PhraseCase]]:
        """Draw a sample, evenly spread, of phrases that were found, and of those missed that had a right region."""
        grounded = self._evaluation.grounded
        hits = [one for one in grounded if one.hit]
        misses = [one for one in grounded if one.possible and not one.hit]
        return [self._phrase(one) for one in _spread(hits)], [self._phrase(one) for one in _spread(misses)]

    def _sentence_query(self, row: int) -> Query:
        ranking, text = self._evaluation.ranking.sentences, self._evaluation.sentences[row]
        rank, true = int(ranking.ranks[row]), int(ranking.best_true[row])
        answers = [(place, int(image)) for place, image in enumerate(ranking.first[row, :PHOTO_HITS], start=1)]
        if true not in [image for _, image in answers]:
            answers.append((rank, true))
        names = self._strongest(true, text)
        hits = [
            Hit(place, image == true, self._picture(image, self._words(image, text, names))) for place, image in answers
        ]
        return Query(rank, pieces(text, self._words(true, text, names)), None, hits)

    def _photo_query(self, row: int) -> Query:
        ranking, image_of = self._evaluation.ranking.images, self._evaluation.ranking.image_of
        rank, true = int(ranking.ranks[row]), int(ranking.best_true[row])
        answers = [(place, int(number)) for place, number in enumerate(ranking.first[row, :SENTENCE_HITS], start=1)]
        if rank > len(answers):
            answers.append((rank, true))
        sentences = self._evaluation.sentences
        hits = [Hit(place, bool(image_of[number] == row), None, sentences[number]) for place, number in answers]
        text = sentences[answers[0][1]]
        return Query(rank, [], self._picture(row, self._words(row, text, self._strongest(row, text))), hits)

    def _phrase(self, one: GroundedPhrase) -> PhraseCase:
        boxes = [_box(self._evaluation.boxes[one.image, one.region]), *(_box(box) for box in one.phrase.boxes)]
        names = ["chosen", "right", *(f"right {number}" for number in range(2, len(boxes)))]
        regions = [WordRegion(name, 0, 0, box, 0.0) for name, box in zip(names, boxes, strict=True)]
        return PhraseCase(one.phrase.text, one.phrase.sentence, self._picture(one.image, regions[: len(COLOURS)]))

    def _strongest(self, image: int, text: str) -> set[str]:
        """Choose the words of a text that are worth drawing, those that a photo answers most."""
        words = drawn_words(self._regions(image, text))
        return {word.word for word in sorted(words, key=lambda word: -word.product)[:DRAWN]}

    def _words(self, image: int, text: str, names: set[str]) -> list[WordRegion]:
        """Give each of the named words of a text its best region of a photo, a word at its first place."""
        firsts = {word.word: word for word in reversed(self._regions(image, text)) if word.word in names}
        return sorted(firsts.values(), key=lambda word: word.start)

    @torch.inference_mode()
    def _regions(self, image: int, text: str) -> list[WordRegion]:
        sentence = self._encoder.encode_sentences([text])[0]
        if not sentence.words:
            return []
        features = torch.from_numpy(np.asarray(self._evaluation.features[image], dtype=np.float32))  # (R, F + 5)
        vectors = self._evaluation.checkpoint.model.image_encoder(features).numpy()  # (R, D)
        return best_regions(sentence, PhotoFragments(self._evaluation.boxes[image], vectors))

    def _picture(self, image: int, words: Sequence[WordRegion]) -> Picture:
        about = self._evaluation.images[image]
        drawn = photo_with_words(load_photo(about.path), words, PICTURE, LABEL)
        buffer = io.BytesIO()
        drawn.save(buffer, format="JPEG", quality=82)
        boxes = f" Boxes: {', '.join(word.word for word in words)}." if words else ""
        return Picture(buffer.getvalue(), *drawn.size, f"A photo that people describe as: {about.sentences[0]}{boxes}")


def chosen(ranking: Ranking, photo_of: npt.NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Choose the best and the worst queries, each of another photo.

    Args:
        ranking: of N queries.
        photo_of: the photo of each query, int64 (N,).

    Returns:
        The best, by rank and then by the margin over the best false answer, and the worst, the worst first. No query is
        in both.
    """
    order = np.lexsort((-ranking.margin, ranking.ranks))
    best = _one_a_photo(order[: (len(order) + 1) // 2], photo_of, BEST)
    return best, _one_a_photo(order[(len(order) + 1) // 2 :][::-1], photo_of, WORST)


def pieces(text: str, words: Iterable[WordRegion]) -> list[Piece]:
    """Cut a text into pieces, drawn words in the colours of their boxes; only where they stand first."""
    listed = list(words)
    colours, found, place = word_colours(listed), [], 0
    for word in sorted(listed, key=lambda word: word.start):
        red, green, blue = colours[word.word]
        found.append(Piece(text[place : word.start]))
        found.append(Piece(text[word.start : word.end], f"#{red:02x}{green:02x}{blue:02x}"))
        place = word.end
    return [piece for piece in [*found, Piece(text[place:])] if piece.text]


def _one_a_photo(order: npt.NDArray[np.int64], photo_of: npt.NDArray[np.int64], most: int) -> list[int]:
    firsts = {int(photo_of[query]): int(query) for query in order[::-1]}  # the first of each photo stays
    kept = set(firsts.values())
    return [int(query) for query in order if int(query) in kept][:most]


def _spread(phrases: Sequence[GroundedPhrase]) -> list[GroundedPhrase]:
    shown = min(PHRASES, len(phrases))
    return [phrases[len(phrases) * (2 * number + 1) // (2 * shown)] for number in range(shown)]


def _box(edges: npt.NDArray[np.float32]) -> Box:
    x0, y0, x1, y1 = (float(edge) for edge in edges)
    return (x0, y0, x1, y1)
