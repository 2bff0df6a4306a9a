"""Reads the documents of a collection, and their sentences, page by page."""

import os
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select

from engine.catalogue.catalogue import DOCUMENT, Catalogue, SentenceInfo
from engine.catalogue.tables import LIVE, Collection, Document, Sentence
from engine.exceptions import UnknownDocument


@dataclass(frozen=True)
class DocumentInfo:
    """A document: its collection's name, its path, the file's name or the sender's, and how many sentences it holds."""

    id: int
    collection: str
    path: str
    name: str
    sentences: int


def document(catalogue: Catalogue, document_id: int) -> DocumentInfo:
    """Return a published document.

    Raises:
        UnknownDocument: there is none of that id.
    """
    with catalogue.read() as connection:
        row = connection.execute(_documents(Document.id == document_id)).one_or_none()
    if row is None:
        raise UnknownDocument(f"there is no document {document_id}")
    return _info(row)


def document_page(catalogue: Catalogue, collection: str, after: int, count: int) -> list[DocumentInfo]:
    """Return the first `count` published documents of a collection whose id is greater than `after`, by id.

    Raises:
        UnknownCollection: there is no collection of that name.
    """
    held = (Document.collection_id == catalogue.collection(collection).id, Document.id > after)
    with catalogue.read() as connection:
        return [_info(row) for row in connection.execute(_documents(*held).order_by(Document.id).limit(count))]


def sentence_page(
    catalogue: Catalogue, collection: str, document_id: int | None, after: int, count: int
) -> list[SentenceInfo]:
    """Return the first `count` published sentences of a collection whose id is greater than `after`, by id.

    Args:
        catalogue: where they are.
        collection: its name.
        document_id: of this document; None: of all.
        after: as the last page ended; 0 at first.
        count: at most.

    Raises:
        UnknownCollection: there is no collection of that name.
    """
    held = [Document.collection_id == catalogue.collection(collection).id, Document.state == LIVE, Sentence.id > after]
    if document_id is not None:
        held.append(Document.id == document_id)
    query = select(Sentence.id, Sentence.text, DOCUMENT, Sentence.photo_id).join_from(Sentence, Document).where(*held)
    with catalogue.read() as connection:
        return [SentenceInfo(*row) for row in connection.execute(query.order_by(Sentence.id).limit(count))]


def _documents(*conditions: ColumnElement[bool]) -> Select[Any]:
    sentences = select(func.count()).where(Sentence.document_id == Document.id).scalar_subquery()
    columns = (Document.id, Collection.name, Document.path, Document.name, sentences)
    return select(*columns).join_from(Document, Collection).where(Document.state == LIVE, *conditions)


def _info(row: Row[Any]) -> DocumentInfo:
    number, collection, path, name, sentences = row
    return DocumentInfo(number, collection, path, name or os.path.basename(path), sentences)
