"""Reads the catalogue; the indexer, its only writer, works in the transactions that it hands out."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import URL, BindParameter, Connection, Row, Select, bindparam, func, make_url, select

from engine.catalogue.database import connect
from engine.catalogue.database_errors import plain_errors
from engine.catalogue.tables import LIVE, Collection, Document, Photo, Region, Sentence
from engine.catalogue.transactions import WRITE_OPTION
from engine.exceptions import UnknownCollection, UnknownPhoto

CHUNK = 500  # ids in one statement; databases bound the number of parameters


ORPHANS = "SELECT * FROM pragma_foreign_key_check LIMIT 10"


DOCUMENT = func.coalesce(Document.name, Document.path)

_COLUMNS = (
    Collection.id,
    Collection.name,
    Collection.snapshot,
    Collection.model_hash,
    Collection.dimension,
    Collection.photo_count,
    Collection.sentence_count,
)
_PHOTO_COLUMNS = (
    Photo.id,
    Photo.path,
    Photo.width,
    Photo.height,
    Photo.content_hash,
    Photo.caption,
    Photo.captioner_hash,
    Photo.name,
    Photo.taken_at,
    Collection.name.label("collection"),
)
_HELD: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)

# Built once: every search asks these, and building them takes longer than asking.
_COLLECTION = select(*_COLUMNS).where(Collection.name == bindparam("name"))
_PHOTOS = select(*_PHOTO_COLUMNS).join_from(Photo, Collection).where(Photo.state == LIVE, Photo.id.in_(_HELD))
_REGIONS = (
    select(Region.photo_id, Region.x0, Region.y0, Region.x1, Region.y1)
    .where(Region.photo_id.in_(_HELD))
    .order_by(Region.photo_id, Region.number)
)
_SENTENCES = (
    select(Sentence.id, Sentence.text, DOCUMENT, Sentence.photo_id)
    .join(Document, Document.id == Sentence.document_id)
    .where(Document.state == LIVE, Sentence.id.in_(_HELD))
)


@dataclass(frozen=True)
class CollectionInfo:
    """A collection as it was published last.

    Attributes:
        snapshot: name of the snapshot's folder; None before the first publication.
        model_hash: the model that made the vectors.
        dimension: D.
        photos: number of photos.
        sentences: number of sentences.
    """

    id: int
    name: str
    snapshot: str | None
    model_hash: str
    dimension: int
    photos: int
    sentences: int


@dataclass(frozen=True)
class PhotoInfo:
    """A photo: absolute path, pixels of the upright photo, SHA-256 of the file, and, if any, caption and captioner.

    `name` is the file's, or what the uploader called it; `taken_at` is when the photo was taken, where that is known;
    `collection` is the name of the collection that holds the photo.
    """

    id: int
    path: str
    width: int
    height: int
    content_hash: str
    caption: str | None
    captioner_hash: str | None
    name: str
    taken_at: datetime | None
    collection: str


@dataclass(frozen=True)
class SentenceInfo:
    """A sentence, its document (a file, or what the sender calls it), and the photo that it describes, if any."""

    id: int
    text: str
    document: str
    photo_id: int | None

    @property
    def document_name(self) -> str:
        """The document's name, without its folder."""
        return os.path.basename(self.document)


class Catalogue:
    """The collections and what they hold. Thread-safe.

    Args:
        url: SQLite or PostgreSQL; tables are created or brought up to date.
        busy_seconds: how long to wait for another process to finish writing.

    Raises:
        CatalogueError: the database is locked, read-only, full, damaged or cannot be opened.
    """

    def __init__(self, url: str | URL, busy_seconds: float = 5.0) -> None:
        self._url = make_url(url)
        self._engine = connect(self._url, busy_seconds)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database."""
        with plain_errors(self._url), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes: all of it or nothing."""
        with plain_errors(self._url), self._engine.execution_options(**{WRITE_OPTION: True}).begin() as connection:
            yield connection

    def damage(self) -> list[str]:
        """Let the database look for damage of its own; a sentence for each, none where there is none."""
        if self._url.get_backend_name() != "sqlite":
            return []  # PostgreSQL's pages carry checksums, which its own tools compare
        with self.read() as connection:
            found = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(10)") if row[0] != "ok"]
            found += [f"a row of {row[0]} refers to none of {row[2]}" for row in connection.exec_driver_sql(ORPHANS)]
        return [f"the database of the catalogue is damaged: {what}; restore it from a backup" for what in found]

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def collections(self) -> list[CollectionInfo]:
        """Return all collections, by name."""
        with self.read() as connection:
            return [_info(row) for row in connection.execute(select(*_COLUMNS).order_by(Collection.name))]

    def collection(self, name: str) -> CollectionInfo:
        """Return the collection of that name.

        Raises:
            UnknownCollection: there is none.
        """
        with self.read() as connection:
            found = [] if "\0" in name else connection.execute(_COLLECTION, {"name": name}).all()  # PostgreSQL: no NUL
        if found:
            return _info(found[0])
        names = ", ".join(info.name for info in self.collections())
        hint = f"there is none yet; make it with: dvsa index PATH --collection {name}"
        there = f"there are: {names}" if names else hint
        raise UnknownCollection(f"there is no collection {name!r}; {there}")

    def photos(self, ids: Sequence[int]) -> dict[int, PhotoInfo]:
        """Return the published photos among the ids."""
        return {row[0]: _photo(row) for row in self._among(_PHOTOS, ids)}

    def photo(self, photo_id: int) -> PhotoInfo:
        """Return one published photo.

        Raises:
            UnknownPhoto: there is none of that id.
        """
        found = self.photos([photo_id])
        if photo_id not in found:
            raise UnknownPhoto(f"there is no photo {photo_id}")
        return found[photo_id]

    def photo_page(self, collection: str, after: int, count: int) -> list[PhotoInfo]:
        """Return the first `count` published photos of a collection whose id is greater than `after`, by id.

        Raises:
            UnknownCollection: there is no collection of that name.
        """
        held = (Photo.collection_id == self.collection(collection).id, Photo.state == LIVE, Photo.id > after)
        query = select(*_PHOTO_COLUMNS).join_from(Photo, Collection).where(*held).order_by(Photo.id).limit(count)
        with self.read() as connection:
            return [_photo(row) for row in connection.execute(query)]

    def texts(self, collection_id: int, most: int) -> list[str]:
        """Return the published captions of a collection, and its sentences, up to `most` of each, the oldest."""
        captions = select(Photo.caption).where(
            Photo.collection_id == collection_id, Photo.state == LIVE, Photo.caption.is_not(None)
        )
        sentences = (
            select(Sentence.text)
            .join(Document, Document.id == Sentence.document_id)
            .where(Document.collection_id == collection_id, Document.state == LIVE)
        )
        with self.read() as connection:
            found = connection.scalars(captions.order_by(Photo.id).limit(most)).all()
            return [*found, *connection.scalars(sentences.order_by(Sentence.id).limit(most))]

    def regions(self, photo_ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
        """Return the boxes of photos, float32 (R, 4) each, in the order of their vectors in the snapshot."""
        rows = self._among(_REGIONS, photo_ids)
        if not rows:
            return {}
        numbers = np.fromiter(chain.from_iterable(rows), np.float64, 5 * len(rows)).reshape(-1, 5)
        photos, starts = np.unique(numbers[:, 0].astype(np.int64), return_index=True)
        return dict(zip(photos.tolist(), np.split(numbers[:, 1:].astype(np.float32), starts[1:]), strict=True))

    def sentences(self, ids: Sequence[int]) -> dict[int, SentenceInfo]:
        """Return the published sentences among the ids."""
        return {row[0]: SentenceInfo(*row) for row in self._among(_SENTENCES, ids)}

    def _among(self, query: Select[Any], ids: Sequence[int]) -> list[Row[Any]]:
        """Ask a query for these ids, some at a time."""
        with self.read() as connection:
            return [row for chunk in chunks(ids) for row in connection.execute(query, {"ids": chunk})]


def chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    """Cut ids into pieces that fit one statement, as Python integers without repeats."""
    unique = list(dict.fromkeys(int(number) for number in ids))
    for start in range(0, len(unique), CHUNK):
        yield unique[start : start + CHUNK]


def _info(row: Row[tuple[int, str, str | None, str, int, int, int]]) -> CollectionInfo:
    return CollectionInfo(*row)


def _photo(row: Row[Any]) -> PhotoInfo:
    name = row.name or os.path.basename(row.path)
    return PhotoInfo(*(name if column == "name" else value for column, value in zip(row._fields, row, strict=True)))
