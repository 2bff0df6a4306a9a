"""Which items a collection holds by the catalogue, as arrays that compare with those of an index."""

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select

from engine.catalogue.tables import LIVE, Document, Photo, Region, Sentence

Ids = npt.NDArray[np.int64]


def published_photos(connection: Connection, collection_id: int) -> tuple[Ids, Ids]:
    """Return the ids of the published photos, int64 (I,), ascending, and the number of boxes of each."""
    here = (Photo.collection_id == collection_id, Photo.state == LIVE)
    photos = connection.execute(select(Photo.id).where(*here).order_by(Photo.id)).scalars()
    ids = np.fromiter(photos, np.int64)
    counted = (
        select(Region.photo_id, func.count())
        .join(Photo, Photo.id == Region.photo_id)
        .where(*here)
        .group_by(Region.photo_id)
    )
    rows = np.fromiter((tuple(row) for row in connection.execute(counted)), np.dtype((np.int64, 2)))
    boxes = np.zeros(len(ids), np.int64)
    boxes[np.searchsorted(ids, rows[:, 0])] = rows[:, 1]
    return ids, boxes


def published_sentences(connection: Connection, collection_id: int) -> Ids:
    """Return the ids of the published sentences, int64 (I,), ascending."""
    query = (
        select(Sentence.id)
        .join(Document, Document.id == Sentence.document_id)
        .where(Document.collection_id == collection_id, Document.state == LIVE)
    )
    return np.sort(np.fromiter(connection.execute(query).scalars(), np.int64))
