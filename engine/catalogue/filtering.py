"""Which photos of a collection, or sentences that describe them, a filter on metadata lets through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, exists, select

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.metadata import Attribute
from engine.catalogue.tables import LIVE, Document, Photo, PhotoAttribute, PhotoTag, Sentence
from engine.fragments import Kind


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included; None: no bound."""

    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class PhotoFilter:
    """What a photo must have, all of it.

    Attributes:
        tags: each.
        attributes: texts or numbers, each equal.
        ranges: of attributes that are numbers.
        taken_from, taken_before: when it was taken, UTC; a photo of unknown date is in no such span.
    """

    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    taken_from: datetime | None = None
    taken_before: datetime | None = None


def matching_ids(catalogue: Catalogue, collection_id: int, kind: Kind, wanted: PhotoFilter) -> npt.NDArray[np.int64]:
    """Return the ids of published photos that a filter lets through, or of the sentences that describe these.

    Returns:
        Ids, int64, ascending.
    """
    photos = select(Photo.id).where(Photo.collection_id == collection_id, Photo.state == LIVE, *_conditions(wanted))
    with catalogue.read() as connection:
        return np.fromiter(connection.scalars(_of_kind(photos, collection_id, kind)), np.int64)


def _of_kind(photos: Select[tuple[int]], collection_id: int, kind: Kind) -> Select[tuple[int]]:
    if kind == "images":
        return photos.order_by(Photo.id)
    published = (Document.collection_id == collection_id, Document.state == LIVE)
    sentences = select(Sentence.id).join(Document, Document.id == Sentence.document_id).where(*published)
    return sentences.where(Sentence.photo_id.in_(photos)).order_by(Sentence.id)


def _conditions(wanted: PhotoFilter) -> list[ColumnElement[bool]]:
    tagged = (exists().where(PhotoTag.photo_id == Photo.id, PhotoTag.tag == tag) for tag in wanted.tags)
    found: list[ColumnElement[bool]] = [*tagged]
    for name, value in wanted.attributes.items():
        column = PhotoAttribute.text if isinstance(value, str) else PhotoAttribute.number
        found.append(_has(name, column == value))
    for name, span in wanted.ranges.items():
        lower = [] if span.least is None else [PhotoAttribute.number >= span.least]
        upper = [] if span.most is None else [PhotoAttribute.number <= span.most]
        found.append(_has(name, PhotoAttribute.number.is_not(None), *lower, *upper))
    if wanted.taken_from is not None:
        found.append(Photo.taken_at >= wanted.taken_from)
    if wanted.taken_before is not None:
        found.append(Photo.taken_at < wanted.taken_before)
    return found


def _has(name: str, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(PhotoAttribute.photo_id == Photo.id, PhotoAttribute.name == name, *conditions)
