"""What every step of an indexing run needs, and what the steps decide."""

import os
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import insert, select

from engine.captioner import PhotoCaptioner
from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.tables import Collection
from engine.encoder import Encoder
from engine.exceptions import ModelMismatch
from engine.settings import Settings
from engine.snapshot import Snapshot, open_snapshot
from indexer.report import IndexReport, Progress
from indexer.sources import Document, PhotoFile, Scan


@dataclass(frozen=True)
class Run:
    """One indexing run.

    Attributes:
        collection: as it was published before this run.
        captioner: gives each photo a caption; None gives new photos none and leaves those of others.
        rebuild: encode everything again, whatever was published.
    """

    catalogue: Catalogue
    collection: CollectionInfo
    encoder: Encoder
    captioner: PhotoCaptioner | None
    settings: Settings
    scan: Scan
    rebuild: bool
    progress: Progress

    @property
    def report(self) -> IndexReport:
        """Where the run counts what it does."""
        return self.scan.report

    @property
    def workers(self) -> int:
        """Threads of each stage of the pipeline."""
        return self.settings.workers or min(4, os.cpu_count() or 1)

    @cached_property
    def previous(self) -> Snapshot | None:
        """The snapshot whose vectors may be used again."""
        if self.collection.snapshot is None or self.rebuild:
            return None
        directory = self.settings.snapshot_directory(self.collection.id, self.collection.snapshot)
        return open_snapshot(directory, self.encoder.model_hash)


@dataclass
class Changes:
    """What publishing will do.

    Attributes:
        removed_photos: ids of published photos that are gone or replaced.
        removed_documents: likewise of documents.
        moved_photos: published photos that have a new path or a new time of change, by id.
        moved_documents: published documents that have a new path, by id.
        staged_photos: paths of the staged photos that become live.
        staged_documents: likewise of documents.
    """

    removed_photos: set[int] = field(default_factory=set)
    removed_documents: set[int] = field(default_factory=set)
    moved_photos: dict[int, PhotoFile] = field(default_factory=dict)
    moved_documents: dict[int, Document] = field(default_factory=dict)
    staged_photos: set[str] = field(default_factory=set)
    staged_documents: set[str] = field(default_factory=set)

    @property
    def need_snapshot(self) -> bool:
        """Whether vectors come or go."""
        return bool(self.removed_photos or self.removed_documents or self.staged_photos or self.staged_documents)


def open_collection(catalogue: Catalogue, name: str, encoder: Encoder) -> CollectionInfo:
    """Return the collection of that name; make it where there is none."""
    with catalogue.write() as connection:
        if connection.execute(select(Collection.id).where(Collection.name == name)).one_or_none() is None:
            row = {"name": name, "model_hash": encoder.model_hash, "dimension": encoder.dimension}
            connection.execute(insert(Collection), row)
    return catalogue.collection(name)


def check_model(collection: CollectionInfo, encoder: Encoder, rebuild: bool) -> None:
    """Refuse to mix the vectors of two models.

    Raises:
        ModelMismatch: the collection was indexed by another model and is not to be rebuilt.
    """
    if collection.snapshot is None or rebuild or collection.model_hash == encoder.model_hash:
        return
    raise ModelMismatch(
        f"the collection {collection.name!r} was indexed by another checkpoint ({collection.model_hash[:12]}, "
        f"this one is {encoder.model_hash[:12]}); index it again with: "
        f"dvsa index PATH... --collection {collection.name} --rebuild"
    )
