"""The rows of the catalogue after a repair: boxes of photos that were encoded again, counts, the snapshot's name."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, insert, update

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.catalogue import chunks
from engine.catalogue.contents import published_photos, published_sentences
from engine.catalogue.tables import Collection, Region
from indexer.rows import box_rows


def keep_mended(
    catalogue: Catalogue, info: CollectionInfo, snapshot: str, boxes: Mapping[int, npt.NDArray[np.float32]]
) -> bool:
    """Make the catalogue fit a snapshot, all or nothing.

    Args:
        catalogue: where the collection is.
        info: as it was published last.
        snapshot: name of what was written.
        boxes: float32 (R, 4) each, of the photos that were encoded again, by id.

    Returns:
        Whether anything changed.
    """
    with catalogue.write() as connection:
        for chunk in chunks(list(boxes)):
            connection.execute(delete(Region).where(Region.photo_id.in_(chunk)))
            rows = [row for photo_id in chunk for row in box_rows(photo_id, boxes[photo_id])]
            connection.execute(insert(Region), rows)
        photos, _ = published_photos(connection, info.id)
        sentences = published_sentences(connection, info.id)
        values = {"snapshot": snapshot, "photo_count": len(photos), "sentence_count": len(sentences)}
        connection.execute(update(Collection).where(Collection.id == info.id).values(values))
    return bool(boxes) or (snapshot, len(photos), len(sentences)) != (info.snapshot, info.photos, info.sentences)
