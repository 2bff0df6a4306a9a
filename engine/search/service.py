"""The door of searches: a question is encoded, asked of what is published, and answered page by page."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.alignment import understood
from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue
from engine.encoder import Encoder, PhotoFragments, SentenceFragments
from engine.exceptions import EmptyCollection, IndexDamaged
from engine.fragments import QueryPart, ScoreTerms
from engine.search.answer import Answer, Hit
from engine.search.explanation import Explain, nothing, words_of_sentences, words_on_photos
from engine.search.hits import Stale, hits_of
from engine.search.paging import Marks, Page
from engine.search.ranking import Ids, best_of_all, rank_to
from engine.search.request import SearchRequest
from engine.search.views import View, Views

ATTEMPTS = 3  # a collection may be published anew between reading its name and reading its hits


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


class SearchService:
    """Answers queries from what is published. Thread-safe.

    Args:
        catalogue: what the collections hold.
        home: the folder of the collections' snapshots.
        encoder: the model.
        captioner: captions query photos; None leaves them without.
    """

    def __init__(
        self, catalogue: Catalogue, home: Path, encoder: Encoder, captioner: PhotoCaptioner | None = None
    ) -> None:
        self._catalogue, self._encoder, self._captioner = catalogue, encoder, captioner
        self._views = Views(catalogue, home, encoder.model_hash)

    def search_text(self, text: str, request: SearchRequest) -> Answer:
        """Find photos or sentences by text.

        Raises:
            BadRequest: the request makes no sense, or its cursor is of another search.
            CursorOutdated: a collection has changed since the first page.
            TextError: a text has no word that the model knows.
            EngineError: a collection does not exist, is empty, is damaged or was indexed by another model.
        """
        self.check(request)
        return self.search_sentences(text, self._encoder.encode_sentences(request.texts(text)), request)

    def search_sentences(self, text: str, encoded: Sequence[SentenceFragments], request: SearchRequest) -> Answer:
        """Find photos or sentences by a text that is encoded; see `search_text`.

        Args:
            text: the query.
            encoded: `request.texts(text)`, each.
            request: how to search, checked by `check`.
        """
        sentence, *excluded = (understood(fragments) for fragments in encoded)
        terms = ScoreTerms.between("sentences", request.target, self._encoder.score)
        explain = words_on_photos(self._catalogue, sentence) if request.target == "images" else nothing
        parts = [QueryPart(sentence.vectors, terms), *self._away(excluded, request)]
        unknown = [word for fragments in encoded for word in fragments.unknown]
        return self._answer(Question(text, ("text", text), parts, explain, unknown), request)

    def search_photo(self, photo: npt.NDArray[np.uint8], request: SearchRequest, name: str = "photo") -> Answer:
        """Find sentences or photos by a photo: upright RGB, uint8 (height, width, 3); `name` is for the answer.

        Where there is a captioner, the answer has a caption of the photo, and no hits where no sentences are held.

        Raises: as `search_text`.
        """
        self.check(request)
        fragments = self._encoder.encode_photo(photo)
        caption = self._captioner.caption(fragments).text if self._captioner else None
        terms = ScoreTerms.between("images", request.target, self._encoder.score)
        explain = words_of_sentences(self._encoder, fragments) if request.target == "sentences" else nothing
        excluded = self._excluded(request)
        question = Question(
            name,
            ("photo", photo.shape, hashlib.sha256(np.ascontiguousarray(photo).data).digest()),
            [QueryPart(fragments.vectors, terms), *self._away(excluded, request)],
            explain,
            [word for sentence in excluded for word in sentence.unknown],
            caption,
        )
        return self._answer(question, request)

    def check(self, request: SearchRequest) -> None:
        """Refuse a request before the model is asked.

        Raises:
            BadRequest: it makes no sense.
            UnknownCollection: a collection does not exist.
        """
        request.check()
        for name in request.collections:
            self._catalogue.collection(name)

    def _excluded(self, request: SearchRequest) -> list[SentenceFragments]:
        return [understood(sentence) for sentence in self._encoder.encode_sentences(request.texts())]

    def _away(self, excluded: Sequence[SentenceFragments], request: SearchRequest) -> list[QueryPart]:
        """Return the part of a query that leads away from what is excluded, if anything is."""
        if request.exclude is None or not excluded:
            return []
        terms = ScoreTerms.between("sentences", request.target, self._encoder.score)
        return [QueryPart(sentence.vectors, terms, -request.exclude.weight) for sentence in excluded]

    def _answer(self, question: Question, request: SearchRequest) -> Answer:
        """Answer from one published state of each collection; once more where a newer one was published meanwhile."""
        for attempt in range(1, ATTEMPTS + 1):
            views: list[View] = []
            try:
                views = self._views.holding(request.collections, request.target)
                hits, cursor = self._page(question, request, views)
                break
            except EmptyCollection:
                if question.caption is None or request.target != "sentences":
                    raise
                hits, cursor = [], None  # the caption alone is an answer
                break
            except (Stale, IndexDamaged) as error:
                if attempt < ATTEMPTS and (not views or self._views.changed(views)):
                    continue
                raise _damaged(request, error) from error
        return Answer(
            question.name,
            request.target,
            tuple(dict.fromkeys(request.collections)),
            question.not_understood,
            hits,
            question.caption,
            cursor,
        )

    def _page(
        self, question: Question, request: SearchRequest, views: Sequence[View]
    ) -> tuple[list[Hit], str | None]:
        """Return the hits of the page that the request asks for, and the cursor of the next."""
        allowed: list[Ids | None] = [None] * len(views)
        marks = Marks.of(question.asked, request, views, allowed)
        page = marks.page(request.cursor, request.k)
        end = page.start + request.k
        ranking = rank_to(
            end + 1, page.first, lambda depth: best_of_all(views, question.parts, request, allowed, depth)
        )
        shown = ranking.take(slice(page.start, end))
        hits = hits_of(self._catalogue, views, request.target, shown, page.start)
        if request.explain:
            hits = question.explain(views, shown, hits)
        return hits, marks.cursor(Page(page.first, end)) if len(ranking) > end else None


def _damaged(request: SearchRequest, error: Exception) -> IndexDamaged:
    if isinstance(error, IndexDamaged):
        return error
    names = " or ".join(repr(name) for name in request.collections)
    return IndexDamaged(
        f"the index and the catalogue of {names} do not match; index it again with: "
        f"dvsa index PATH... --collection NAME --rebuild"
    )
