"""Metadata of photos: tags, and attributes that are texts or numbers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from engine.catalogue.catalogue import Catalogue, chunks
from engine.catalogue.tables import PhotoAttribute, PhotoTag

Attribute = str | float


@dataclass(frozen=True)
class PhotoMetadata:
    """What people say of a photo: tags in the order of the alphabet, attributes by name."""

    tags: list[str] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)


def photo_metadata(catalogue: Catalogue, ids: Sequence[int]) -> dict[int, PhotoMetadata]:
    """Return the metadata of photos; an id that has none is there, too."""
    found: defaultdict[int, PhotoMetadata] = defaultdict(PhotoMetadata)
    tags = select(PhotoTag).order_by(PhotoTag.tag)
    attributes = select(PhotoAttribute).order_by(PhotoAttribute.name)
    with catalogue.read() as connection:
        for chunk in chunks(ids):
            for tag in connection.execute(tags.where(PhotoTag.photo_id.in_(chunk))):
                found[tag.photo_id].tags.append(tag.tag)
            for row in connection.execute(attributes.where(PhotoAttribute.photo_id.in_(chunk))):
                found[row.photo_id].attributes[row.name] = row.text if row.number is None else row.number
    return {number: found[number] for number in ids}
