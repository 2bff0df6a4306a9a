"""Whether a collection is whole: every byte against its checksum, the index against the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, func, select

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.tables import LIVE, Document, Photo, Region, Sentence
from engine.exceptions import IndexDamaged, IndexOutdated, ModelMismatch
from engine.fragments import FragmentIndex
from engine.manifest import read_manifest
from engine.settings import Settings
from engine.snapshot import Snapshot, open_snapshot


@dataclass
class Verification:
    """What was looked at, and what is wrong.

    Attributes:
        collection: its name.
        photos, sentences: that the catalogue holds.
        files, bytes: of the snapshot, all read.
        problems: one sentence each; none where the collection is whole.
    """

    collection: str
    photos: int
    sentences: int
    files: int = 0
    bytes: int = 0
    problems: list[str] = field(default_factory=list)


def verify_collection(catalogue: Catalogue, collection: str, settings: Settings) -> Verification:
    """Read everything that a collection's searches rest on; changes nothing.

    Raises:
        UnknownCollection: there is no collection of that name.
        CatalogueError: the catalogue cannot be read.
    """
    info = catalogue.collection(collection)
    found = Verification(info.name, info.photos, info.sentences)
    if info.snapshot is None:
        return found
    try:
        directory = settings.snapshot_directory(info.id, info.snapshot)
        manifest = read_manifest(directory)
        found.files = len(manifest.files)
        found.bytes = sum(mark.size for mark in manifest.files.values())
        found.problems += [f"{name} does not match its checksum" for name in manifest.damaged_files(directory)]
        if not found.problems:
            _compare(catalogue, info, open_snapshot(directory, info.model_hash), found)
    except (IndexDamaged, IndexOutdated, ModelMismatch) as error:
        found.problems.append(str(error))
    return found


def _compare(catalogue: Catalogue, info: CollectionInfo, snapshot: Snapshot, found: Verification) -> None:
    regions, words = snapshot.regions, snapshot.words
    photos = select(Photo.id).where(Photo.collection_id == info.id, Photo.state == LIVE).order_by(Photo.id)
    sentences = (
        select(Sentence.id)
        .join(Document, Document.id == Sentence.document_id)
        .where(Document.collection_id == info.id, Document.state == LIVE)
        .order_by(Sentence.id)
    )
    boxes = (
        select(func.count())
        .select_from(Region)
        .join(Photo, Photo.id == Region.photo_id)
        .where(Photo.collection_id == info.id, Photo.state == LIVE)
    )
    with catalogue.read() as connection:
        for kind, index, query in (("photos", regions, photos), ("sentences", words, sentences)):
            found.problems += _differences(kind, index, _ids(connection, query))
        count = connection.execute(boxes).scalar_one()
    if count != regions.fragment_count:
        found.problems.append(f"the catalogue has {count:,} boxes, the index {regions.fragment_count:,} regions")
    for kind, counted, index in (("photos", info.photos, regions), ("sentences", info.sentences, words)):
        if counted != len(index):
            found.problems.append(f"the catalogue counts {counted:,} {kind}, the index holds {len(index):,}")


def _ids(connection: Connection, query: Select[tuple[int]]) -> npt.NDArray[np.int64]:
    return np.fromiter(connection.execute(query).scalars(), np.int64)


def _differences(kind: str, index: FragmentIndex, catalogued: npt.NDArray[np.int64]) -> Sequence[str]:
    missing, unknown = np.setdiff1d(catalogued, index.ids()), np.setdiff1d(index.ids(), catalogued)
    problems = []
    if len(missing):
        problems.append(f"{len(missing):,} {kind} of the catalogue are not in the index, the first of id {missing[0]}")
    if len(unknown):
        problems.append(f"{len(unknown):,} {kind} of the index are not in the catalogue, the first of id {unknown[0]}")
    return problems
