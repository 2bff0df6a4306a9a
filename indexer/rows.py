"""What the catalogue knows about photos and documents, as the steps of a run compare it with the disk."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, select

from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import STAGED, Document, Photo, Sentence, State
from indexer.sources import PhotoFile


@dataclass(frozen=True)
class PhotoRow:
    """A photo in the catalogue."""

    id: int
    path: str
    root: str
    size: int
    mtime_ns: int
    content_hash: str
    model_hash: str

    def looks_like(self, file: PhotoFile) -> bool:
        """Whether the file's size and time of change say that it is the same still."""
        return (self.size, self.mtime_ns) == (file.size, file.mtime_ns)


@dataclass(frozen=True)
class DocumentRow:
    """A document in the catalogue."""

    id: int
    path: str
    root: str
    digest: str
    model_hash: str


def photo_rows(connection: Connection, collection_id: int, state: State) -> dict[str, PhotoRow]:
    """Return the photos of a collection by path."""
    columns = (Photo.id, Photo.path, Photo.root, Photo.size, Photo.mtime_ns, Photo.content_hash, Photo.model_hash)
    query = select(*columns).where(Photo.collection_id == collection_id, Photo.state == state).order_by(Photo.id)
    return {row.path: PhotoRow(*row) for row in connection.execute(query)}


def document_rows(connection: Connection, collection_id: int, state: State) -> dict[str, DocumentRow]:
    """Return the documents of a collection by path."""
    columns = (Document.id, Document.path, Document.root, Document.digest, Document.model_hash)
    query = select(*columns).where(Document.collection_id == collection_id, Document.state == state)
    return {row.path: DocumentRow(*row) for row in connection.execute(query.order_by(Document.id))}


def sentence_numbers(connection: Connection, collection_id: int, state: State) -> dict[int, set[int]]:
    """Return which sentences of each document are in the catalogue."""
    query = (
        select(Sentence.document_id, Sentence.number)
        .join(Document, Document.id == Sentence.document_id)
        .where(Document.collection_id == collection_id, Document.state == state)
    )
    numbers: dict[int, set[int]] = {}
    for document_id, number in connection.execute(query):
        numbers.setdefault(document_id, set()).add(number)
    return numbers


def sentence_ids(connection: Connection, collection_id: int, state: State) -> dict[str, int]:
    """Return a sentence of each text in the catalogue."""
    query = (
        select(Sentence.text, Sentence.id)
        .join(Document, Document.id == Sentence.document_id)
        .where(Document.collection_id == collection_id, Document.state == state)
    )
    return {row.text: row.id for row in connection.execute(query)}


def delete_staged(connection: Connection, table: type[Photo] | type[Document], ids: list[int]) -> None:
    """Delete staged rows that no run will publish."""
    for chunk in chunks(ids):
        connection.execute(delete(table).where(table.id.in_(chunk), table.state == STAGED))


def box_rows(photo_id: int, boxes: npt.NDArray[np.float32]) -> list[dict[str, float]]:
    """Return the rows of a photo's boxes, float32 (R, 4)."""
    return [
        {"photo_id": photo_id, "number": number, "x0": x0, "y0": y0, "x1": x1, "y1": y1}
        for number, (x0, y0, x1, y1) in enumerate(boxes.tolist())
    ]


def to_blob(vectors: npt.NDArray[np.float32]) -> bytes:
    """Pack vectors, float32 (n, D), for a staged row."""
    return np.ascontiguousarray(vectors, dtype="<f4").tobytes()


def from_blob(blob: bytes, dimension: int) -> npt.NDArray[np.float32]:
    """Unpack the vectors of a staged row, float32 (n, D)."""
    return np.frombuffer(blob, dtype="<f4").astype(np.float32, copy=False).reshape(-1, dimension)
