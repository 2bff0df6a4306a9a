"""What is asked, encoded: a text, a photo, or a box on a photo, and what is excluded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from engine.alignment import Box, understood
from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue
from engine.encoder import Encoder, SentenceFragments
from engine.exceptions import BadRequest
from engine.fragments import QueryPart, ScoreTerms
from engine.search.explanation import Explain, box_on_photos, nothing, words_of_sentences, words_on_photos
from engine.search.request import SearchRequest

BEST_PART = ScoreTerms(query=True, stored=False, reduction="mean")
"""Score of a box: an item counts by its region or word that is most like it. What shows the same may show much else,
and what says the same say much else: scripts/region_search.py compares this with whole photos."""

SMALLEST_SIDE = 1  # pixel of a box


@dataclass(frozen=True)
class Question:
    """What is asked, encoded.

    Attributes:
        name: the text, or the name of the photo.
        asked: tells it from any other question.
        parts: of the query.
        explain: gives hits their words or boxes.
        not_understood: words that the model does not know.
        caption: of the query photo.
    """

    name: str
    asked: tuple[object, ...]
    parts: list[QueryPart]
    explain: Explain = nothing
    not_understood: list[str] = field(default_factory=list)
    caption: str | None = None


class Questions:
    """Makes questions. Thread-safe.

    Args:
        catalogue: for what explains hits.
        encoder: the model.
        captioner: captions query photos; None leaves them without.
    """

    def __init__(self, catalogue: Catalogue, encoder: Encoder, captioner: PhotoCaptioner | None) -> None:
        self._catalogue, self._encoder, self._captioner = catalogue, encoder, captioner

    def text(self, text: str, encoded: Sequence[SentenceFragments], request: SearchRequest) -> Question:
        """Ask by a text; `encoded` is each of `request.texts(text)`.

        Raises:
            TextError: a text has no word that the model knows.
        """
        sentence = understood(encoded[0])
        terms = ScoreTerms.between("sentences", request.target, self._encoder.score)
        explain = words_on_photos(self._catalogue, sentence) if request.target == "images" else nothing
        asked = Question(text, ("text", text), [QueryPart(sentence.vectors, terms)], explain, sentence.unknown)
        return self._away(asked, encoded[1:], request)

    def photo(self, photo: npt.NDArray[np.uint8], name: str, request: SearchRequest) -> Question:
        """Ask by a photo, upright RGB, uint8 (height, width, 3)."""
        fragments = self._encoder.encode_photo(photo)
        caption = self._captioner.caption(fragments).text if self._captioner else None
        terms = ScoreTerms.between("images", request.target, self._encoder.score)
        explain = words_of_sentences(self._encoder, fragments) if request.target == "sentences" else nothing
        parts = [QueryPart(fragments.vectors, terms)]
        asked = Question(name, ("photo", _digest(photo)), parts, explain, caption=caption)
        return self._away(asked, self._encoder.encode_sentences(request.texts()), request)

    def box(self, photo: npt.NDArray[np.uint8], box: Box, name: str, request: SearchRequest) -> Question:
        """Ask by a box on a photo, (x0, y0, x1, y1) in pixels.

        Raises:
            BadRequest: it encloses nothing of the photo.
        """
        region = self._encoder.encode_box(photo, _within(box, photo))
        if request.target == "images":
            explain = box_on_photos(self._catalogue, region.vectors)
        else:
            explain = words_of_sentences(self._encoder, region)
        told_apart = ("box", _digest(photo), region.boxes.tolist())
        asked = Question(name, told_apart, [QueryPart(region.vectors, BEST_PART)], explain)
        return self._away(asked, self._encoder.encode_sentences(request.texts()), request)

    def _away(self, asked: Question, excluded: Sequence[SentenceFragments], request: SearchRequest) -> Question:
        """Lead a question away from what is excluded, if anything is."""
        if request.exclude is None:
            return asked
        terms = ScoreTerms.between("sentences", request.target, self._encoder.score)
        sentence = understood(excluded[0])
        away = QueryPart(sentence.vectors, terms, -request.exclude.weight)
        unknown = [*asked.not_understood, *sentence.unknown]
        return replace(asked, parts=[*asked.parts, away], not_understood=unknown)


def _digest(photo: npt.NDArray[np.uint8]) -> tuple[object, ...]:
    return photo.shape, hashlib.sha256(np.ascontiguousarray(photo).data).digest()


def _within(box: Box, photo: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Cut a box at the edges of a photo."""
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = box[0], box[1], min(box[2], width), min(box[3], height)
    if x1 - x0 < SMALLEST_SIDE or y1 - y0 < SMALLEST_SIDE:
        raise BadRequest(f"the box must enclose a part of the photo, which has {width} x {height} pixels")
    return np.array([x0, y0, x1, y1], np.float32)
