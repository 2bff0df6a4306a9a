"""The door of searches: a question is encoded, asked of what is published, and answered page by page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.alignment import Box
from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue
from engine.catalogue.filtering import matching_ids
from engine.encoder import Encoder, SentenceFragments
from engine.exceptions import EmptyCollection, IndexDamaged
from engine.resources import PLAIN, Resources
from engine.search.answer import Answer, Hit
from engine.search.hits import Stale, hits_of
from engine.search.paging import Marks, Page
from engine.search.questions import Question, Questions
from engine.search.ranking import Ids, best_of_all, rank_to
from engine.search.request import SearchRequest
from engine.search.views import View, Views

ATTEMPTS = 3  # a collection may be published anew between reading its name and reading its hits


class SearchService:
    """Answers queries from what is published. Thread-safe.

    Args:
        catalogue: what the collections hold.
        home: the folder of the collections' snapshots.
        encoder: the model.
        captioner: captions query photos; None leaves them without.
        resources: what searches may use.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        home: Path,
        encoder: Encoder,
        captioner: PhotoCaptioner | None = None,
        resources: Resources = PLAIN,
    ) -> None:
        self._catalogue, self._encoder = catalogue, encoder
        self._questions = Questions(catalogue, encoder, captioner)
        self._views = Views(catalogue, home, encoder.model_hash, resources)

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
            request: how to search.
        """
        request.check()
        return self._answer(self._questions.text(text, encoded, request), request)

    def search_photo(self, photo: npt.NDArray[np.uint8], request: SearchRequest, name: str = "photo") -> Answer:
        """Find sentences or photos by a photo: upright RGB, uint8 (height, width, 3); `name` is for the answer.

        Where there is a captioner, the answer has a caption of the photo, and no hits where no sentences are held.

        Raises: as `search_text`.
        """
        self.check(request)
        return self._answer(self._questions.photo(photo, name, request), request)

    def search_box(self, photo: npt.NDArray[np.uint8], box: Box, request: SearchRequest, name: str = "photo") -> Answer:
        """Find photos that show, or sentences that say, what a box on a photo shows; edges beyond the photo are cut.

        Each photo counts by its region that is most like the box, each sentence by its word that is.

        Args:
            photo: upright RGB, uint8 (height, width, 3).
            box: (x0, y0, x1, y1) in its pixels.
            request: how to search.
            name: for the answer.

        Raises: as `search_text`.
        """
        self.check(request)
        return self._answer(self._questions.box(photo, box, name, request), request)

    def check(self, request: SearchRequest) -> None:
        """Refuse a request before the model is asked.

        Raises:
            BadRequest: it makes no sense.
            UnknownCollection: a collection does not exist.
        """
        request.check()
        for name in request.collections:
            self._catalogue.collection(name)

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
                changed = not views or self._views.changed(views) or self._views.step_back(views, error)
                if attempt < ATTEMPTS and changed:
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
            [view.warning for view in views if view.warning is not None],
        )

    def _page(self, question: Question, request: SearchRequest, views: Sequence[View]) -> tuple[list[Hit], str | None]:
        """Return the hits of the page that the request asks for, and the cursor of the next."""
        allowed = [self._allowed(view, request) for view in views]
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

    def _allowed(self, view: View, request: SearchRequest) -> Ids | None:
        """Return the ids that the request's filter lets through; None: all."""
        if request.filter is None:
            return None
        return matching_ids(self._catalogue, view.info.id, request.target, request.filter)


def _damaged(request: SearchRequest, error: Exception) -> IndexDamaged:
    if isinstance(error, IndexDamaged):
        return error
    names = " or ".join(repr(name) for name in request.collections)
    return IndexDamaged(
        f"the index and the catalogue of {names} do not match; index it again with: "
        f"dvsa index PATH... --collection NAME --rebuild"
    )
