"""What people say of photos, through the transaction that publishes a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from engine.catalogue import Catalogue
from engine.catalogue.catalogue import chunks
from engine.catalogue.metadata import Attribute
from engine.catalogue.tables import LIVE, Photo, PhotoAttribute, PhotoTag
from engine.exceptions import UnknownPhoto
from indexer.rows import photo_rows
from indexer.run import Run


def hand_down_metadata(connection: Connection, pairs: Sequence[Mapping[str, int]]) -> None:
    """Give the metadata of photos to the rows that replace them.

    Args:
        connection: of the transaction.
        pairs: ids, "old" and "new"; new rows have no metadata but the date of their EXIF.
    """
    for table in (PhotoTag, PhotoAttribute):
        moved = update(table).where(table.photo_id == bindparam("old")).values(photo_id=bindparam("new"))
        connection.execute(moved, pairs)
    news = {pair["old"]: pair["new"] for pair in pairs}
    columns = (Photo.id, Photo.managed, Photo.name, Photo.dated, Photo.taken_at)
    for chunk in chunks(list(news)):
        for row in connection.execute(select(*columns).where(Photo.id.in_(chunk))).all():
            values = {"managed": row.managed, "name": row.name, "dated": row.dated}
            if row.dated:  # a person knows better than the file
                values["taken_at"] = row.taken_at
            connection.execute(update(Photo).where(Photo.id == news[row.id]).values(values))


def describe(connection: Connection, run: Run) -> None:
    """Add what uploaders say of the photos of a run, which are published, to what is known of them."""
    if not run.scan.descriptions:
        return
    rows = photo_rows(connection, run.collection.id, LIVE)
    for path, said in run.scan.descriptions.items():
        if path in rows:
            number = rows[path].id
            connection.execute(update(Photo).where(Photo.id == number).values(managed=True, name=said.name))
            add_tags(connection, number, said.tags)
            set_attributes(connection, number, said.attributes)


@dataclass(frozen=True)
class MetadataChange:
    """What a person says of a photo; what is None stays as it is.

    Attributes:
        tags: in place of those that it has.
        attributes: in place of those of the same names; None takes one away.
        taken_at: a list of one: the date, or None: not known.
    """

    tags: Sequence[str] | None = None
    attributes: Mapping[str, Attribute | None] | None = None
    taken_at: tuple[datetime | None] | None = None


def change_metadata(catalogue: Catalogue, photo_id: int, change: MetadataChange) -> None:
    """Change what is known of a published photo.

    Raises:
        UnknownPhoto: there is none of that id.
    """
    with catalogue.write() as connection:
        known = select(Photo.id).where(Photo.id == photo_id, Photo.state == LIVE).with_for_update()
        if connection.execute(known).one_or_none() is None:
            raise UnknownPhoto(f"there is no photo {photo_id}")
        if change.tags is not None:
            connection.execute(delete(PhotoTag).where(PhotoTag.photo_id == photo_id))
            add_tags(connection, photo_id, change.tags)
        set_attributes(connection, photo_id, change.attributes or {})
        if change.taken_at is not None:
            values = {"taken_at": change.taken_at[0], "dated": change.taken_at[0] is not None}
            connection.execute(update(Photo).where(Photo.id == photo_id).values(values))


def add_tags(connection: Connection, photo_id: int, tags: Sequence[str]) -> None:
    """Give a photo tags; those that it has it keeps."""
    known = set(connection.scalars(select(PhotoTag.tag).where(PhotoTag.photo_id == photo_id)))
    rows = [{"photo_id": photo_id, "tag": tag} for tag in dict.fromkeys(tags) if tag not in known]
    if rows:
        connection.execute(insert(PhotoTag), rows)


def set_attributes(connection: Connection, photo_id: int, attributes: Mapping[str, Attribute | None]) -> None:
    """Give a photo attributes in place of those of the same names; None takes one away."""
    if not attributes:
        return
    same = (PhotoAttribute.photo_id == photo_id, PhotoAttribute.name.in_(attributes))
    connection.execute(delete(PhotoAttribute).where(*same))
    rows = [
        {
            "photo_id": photo_id,
            "name": name,
            "text": value if isinstance(value, str) else None,
            "number": None if isinstance(value, str) else value,
        }
        for name, value in attributes.items()
        if value is not None
    ]
    if rows:
        connection.execute(insert(PhotoAttribute), rows)
