"""Search: a query's fragments, candidates, exact scores, and the hits with what the catalogue knows of them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.alignment import WordRegion, best_regions, encode_text
from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue, CollectionInfo
from engine.encoder import Encoder, PhotoFragments
from engine.exceptions import BadRequest, EmptyCollection, IndexDamaged
from engine.fragments import Effort, FragmentIndex, Kind, ScoreTerms
from engine.ranking import DEFAULT_EFFORT, best_items
from engine.resources import PLAIN, Resources
from engine.snapshot import Snapshot, open_snapshot

ATTEMPTS = 3  # the collection may be published anew between reading its name and reading its hits


@dataclass(frozen=True)
class Hit:
    """A photo or a sentence that was found.

    Attributes:
        rank: from 1.
        id: the catalogue's id.
        score: the image-sentence score, or that of two items of one kind; higher is better.
        path, width, height: of a photo; pixels of the upright photo.
        caption: of a photo that was captioned when it was indexed.
        text, document: of a sentence, and the file that it comes from.
        words: of a photo found by text, the query's words with their regions of this photo; of a sentence found by
            photo, its words with their regions of the query photo.
    """

    rank: int
    id: int
    score: float
    path: str | None = None
    width: int | None = None
    height: int | None = None
    caption: str | None = None
    text: str | None = None
    document: str | None = None
    words: list[WordRegion] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What a search found, best first; of equal scores the smaller id comes first.

    Attributes:
        query: the text, or the name of the photo.
        not_understood: words of the text that the model does not know.
        caption: of the query photo, where there is a captioner.
    """

    query: str
    target: Kind
    collection: str
    not_understood: list[str]
    hits: list[Hit]
    caption: str | None = None


@dataclass(frozen=True)
class _View:
    """One published state of a collection."""

    info: CollectionInfo
    snapshot: Snapshot

    def index(self, target: Kind) -> FragmentIndex:
        index = self.snapshot.regions if target == "images" else self.snapshot.words
        if not len(index):
            held = "photos" if target == "images" else "sentences"
            raise EmptyCollection(f"the collection {self.info.name!r} holds no {held}")
        return index


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
        self._resources = resources
        self._catalogue = catalogue
        self._home = home
        self._encoder = encoder
        self._captioner = captioner
        self._views: dict[int, _View] = {}
        self._opening = threading.Lock()

    def search_text(
        self, collection: str, text: str, k: int = 10, target: Kind = "images", effort: Effort = DEFAULT_EFFORT
    ) -> Answer:
        """Find photos or sentences by text; `effort` is of this search alone.

        Raises:
            BadRequest: k is less than 1.
            TextError: the text has no word that the model knows.
            EngineError: the collection does not exist, is empty, is damaged or was indexed by another model.
        """
        _check(k)
        self._catalogue.collection(collection)  # an unknown name is told before the model is asked
        sentence = encode_text(self._encoder, text)

        def find(view: _View) -> list[Hit]:
            terms = ScoreTerms.between("sentences", target, self._encoder.score)
            ids, scores = best_items(view.index(target), sentence.vectors, terms, k, effort)
            if target == "sentences":
                return self._sentences(ids, scores)
            photos = self._photos(ids, scores)
            boxes, regions = self._catalogue.regions(ids.tolist()), view.index("images").fragments(ids)
            for number, hit in enumerate(photos):
                if hit.id not in boxes or len(boxes[hit.id]) != len(regions.item(number)):
                    raise _Stale
                hit.words.extend(best_regions(sentence, PhotoFragments(boxes[hit.id], regions.item(number))))
            return photos

        return Answer(text, target, collection, sentence.unknown, self._settled(collection, find))

    def search_photo(
        self,
        collection: str,
        photo: npt.NDArray[np.uint8],
        k: int = 10,
        target: Kind = "sentences",
        name: str = "photo",
        effort: Effort = DEFAULT_EFFORT,
    ) -> Answer:
        """Find sentences or photos by a photo: upright RGB, uint8 (height, width, 3); `name` is for the answer.

        Where there is a captioner, the answer has a caption of the photo, and no hits where no sentences are held.

        Raises:
            BadRequest: k is less than 1.
            EngineError: the collection does not exist, is empty, is damaged or was indexed by another model.
        """
        _check(k)
        self._catalogue.collection(collection)
        fragments = self._encoder.encode_photo(photo)
        caption = self._captioner.caption(fragments).text if self._captioner else None

        def find(view: _View) -> list[Hit]:
            if caption is not None and target == "sentences" and not len(view.snapshot.words):
                return []
            terms = ScoreTerms.between("images", target, self._encoder.score)
            ids, scores = best_items(view.index(target), fragments.vectors, terms, k, effort)
            if target == "images":
                return self._photos(ids, scores)
            hits = self._sentences(ids, scores)
            sentences = self._encoder.encode_sentences([hit.text or "" for hit in hits])
            for hit, sentence in zip(hits, sentences, strict=True):
                hit.words.extend(best_regions(sentence, fragments))
            return hits

        return Answer(name, target, collection, [], self._settled(collection, find), caption)

    def _settled(self, collection: str, find: Callable[[_View], list[Hit]]) -> list[Hit]:
        """Find hits in one published state; once more where a newer one was published in between."""
        for _ in range(ATTEMPTS):
            view: _View | None = None
            try:
                view = self._view(self._catalogue.collection(collection))
                return find(view)
            except (_Stale, IndexDamaged) as error:
                damage = error
                newest = self._catalogue.collection(collection)
                if view is not None and newest.snapshot == view.info.snapshot:
                    break
        if isinstance(damage, IndexDamaged):
            raise damage
        raise IndexDamaged(
            f"the index and the catalogue of {collection!r} do not match; index it again with: "
            f"dvsa index PATH... --collection {collection} --rebuild"
        )

    def _view(self, info: CollectionInfo) -> _View:
        if info.snapshot is None:
            raise EmptyCollection(
                f"nothing has been indexed in {info.name!r} yet; run: dvsa index PATH... --collection {info.name}"
            )
        with self._opening:
            view = self._views.get(info.id)
            if view is None or view.info.snapshot != info.snapshot:
                directory = self._home / "collections" / str(info.id) / info.snapshot
                view = self._views[info.id] = _View(
                    info, open_snapshot(directory, self._encoder.model_hash, self._resources)
                )
            return view

    def _photos(self, ids: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> list[Hit]:
        known = self._catalogue.photos(ids.tolist())
        if len(known) < len(ids):
            raise _Stale
        found = [known[number] for number in ids.tolist()]
        return [
            Hit(
                rank,
                photo.id,
                float(score),
                path=photo.path,
                width=photo.width,
                height=photo.height,
                caption=photo.caption,
            )
            for rank, (photo, score) in enumerate(zip(found, scores, strict=True), start=1)
        ]

    def _sentences(self, ids: npt.NDArray[np.int64], scores: npt.NDArray[np.float32]) -> list[Hit]:
        known = self._catalogue.sentences(ids.tolist())
        if len(known) < len(ids):
            raise _Stale
        found = [known[number] for number in ids.tolist()]
        return [
            Hit(rank, sentence.id, float(score), text=sentence.text, document=sentence.document)
            for rank, (sentence, score) in enumerate(zip(found, scores, strict=True), start=1)
        ]


class _Stale(Exception):
    """The snapshot and the catalogue are of two publications."""


def _check(k: int) -> None:
    if k < 1:
        raise BadRequest(f"the number of hits must be 1 or more, not {k}")
