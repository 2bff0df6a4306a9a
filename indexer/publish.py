"""Publishes a run: a new snapshot beside the old one, then one transaction that makes it the collection.

    1. write      the previous snapshot, less what goes, plus what is staged, under a name that nothing refers to yet;
                  vectors stream from file and database, a few megabytes at a time
    2. commit     rows and the snapshot's name, all or nothing: from here on readers see the new collection
    3. sweep      the snapshot before the old one, which stays against damage of the new one

A run that is killed before 2 leaves the collection as it was, and staged rows that the next run uses; one that is
killed after 2 leaves a folder that the next run sweeps.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import STAGED, Document, Photo, Sentence
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments
from engine.manifest import Manifest
from engine.snapshot import following_name, write_snapshot
from indexer.commit import commit
from indexer.rows import from_blob
from indexer.run import Changes, Run
from indexer.sweep import sweep_snapshots

CHUNK = 250  # items of one piece: some 5 MB of 20 regions

Blobs = Iterator[tuple[int, bytes | None]]


def publish(run: Run, changes: Changes) -> None:
    """Make the staged rows and their vectors the collection."""
    name = run.collection.snapshot
    if changes.need_snapshot:
        run.progress("publish", 0, 1)
        name = following_name(name)
        write(run, changes, name)
        run.progress("publish", 1, 1)
    commit(run, changes, name)
    info = run.catalogue.collection(run.collection.name)
    run.report.photos, run.report.sentences = info.photos, info.sentences
    sweep_snapshots(run.settings, info, keep_previous=not run.rebuild)


def write(run: Run, changes: Changes, name: str) -> None:
    """Write the snapshot of this name, as the run leaves the collection."""
    manifest = Manifest(run.encoder.model_hash, run.encoder.dimension, run.encoder.score)
    previous = run.previous
    with run.catalogue.read() as connection:

        def regions(path: Path) -> FragmentIndex:
            removed = np.array(sorted(changes.removed_photos), np.int64)
            added = _pieces(_staged_photos(connection, run, changes), manifest.dimension)
            return _revise(previous.regions if previous else None, path, removed, added, manifest.dimension)

        def words(path: Path) -> FragmentIndex:
            removed = np.array(_sentences_of(connection, changes.removed_documents), np.int64)
            added = _pieces(_staged_sentences(connection, run, changes), manifest.dimension)
            return _revise(previous.words if previous else None, path, removed, added, manifest.dimension)

        directory = run.settings.snapshot_directory(run.collection.id, name)
        write_snapshot(directory, regions, words, manifest, [previous] if previous else [])


def _revise(
    previous: FragmentIndex | None,
    path: Path,
    removed: npt.NDArray[np.int64],
    added: Iterator[Fragments],
    dimension: int,
) -> FragmentIndex:
    if previous is None:
        return FaissFragmentIndex.create(path, dimension, added)
    return previous.revise(path, removed, added)


def _pieces(blobs: Blobs, dimension: int) -> Iterator[Fragments]:
    while rows := list(islice(blobs, CHUNK)):
        assert all(blob is not None for _, blob in rows), "a staged row carries its vectors"
        vectors = [from_blob(blob, dimension) for _, blob in rows if blob is not None]
        yield Fragments.of([item for item, _ in rows], vectors, dimension)


def _staged_photos(connection: Connection, run: Run, changes: Changes) -> Blobs:
    here = (Photo.collection_id == run.collection.id, Photo.state == STAGED)
    paths = connection.execute(select(Photo.id, Photo.path).where(*here).order_by(Photo.id)).all()
    for chunk in chunks([row.id for row in paths if row.path in changes.staged_photos]):
        rows = connection.execute(select(Photo.id, Photo.vectors).where(Photo.id.in_(chunk)).order_by(Photo.id))
        yield from ((row.id, row.vectors) for row in rows)


def _staged_sentences(connection: Connection, run: Run, changes: Changes) -> Blobs:
    here = (Document.collection_id == run.collection.id, Document.state == STAGED)
    paths = connection.execute(select(Document.id, Document.path).where(*here)).all()
    documents = [row.id for row in paths if row.path in changes.staged_documents]
    for chunk in chunks(sorted(_sentences_of(connection, documents))):
        rows = connection.execute(select(Sentence.id, Sentence.vectors).where(Sentence.id.in_(chunk)))
        yield from ((row.id, row.vectors) for row in rows)


def _sentences_of(connection: Connection, documents: set[int] | list[int]) -> list[int]:
    return [
        sentence
        for chunk in chunks(list(documents))
        for sentence in connection.scalars(select(Sentence.id).where(Sentence.document_id.in_(chunk)))
    ]
