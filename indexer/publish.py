"""Publishes a run: a new snapshot beside the old one, then one transaction that makes it the collection.

    1. build      previous snapshot, less what goes, plus what is staged
    2. write      under a new name that nothing refers to yet
    3. commit     rows and the snapshot's name, all or nothing: from here on readers see the new collection
    4. sweep      the old snapshot

A run that is killed before 3 leaves the collection as it was, and staged rows that the next run uses; one that is
killed after 3 leaves a folder that the next run sweeps.
"""

import secrets
from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, select

from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import STAGED, Document, Photo, Sentence
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments
from engine.snapshot import Manifest, write_snapshot
from indexer.commit import commit
from indexer.rows import from_blob
from indexer.run import Changes, Run, sweep_snapshots

CHUNK = 1000  # items in memory besides the index

Blobs = Iterator[tuple[int, bytes | None]]


def publish(run: Run, changes: Changes) -> None:
    """Make the staged rows and their vectors the collection."""
    name = run.collection.snapshot
    if changes.need_snapshot:
        run.progress("publish", 0, 1)
        name = _next_name(name)
        regions, words = build(run, changes)
        manifest = Manifest(run.encoder.model_hash, run.encoder.dimension, run.encoder.score)
        write_snapshot(run.settings.snapshot_directory(run.collection.id, name), regions, words, manifest)
        run.progress("publish", 1, 1)
    commit(run, changes, name)
    info = run.catalogue.collection(run.collection.name)
    run.report.photos, run.report.sentences = info.photos, info.sentences
    sweep_snapshots(run.settings, info)


def build(run: Run, changes: Changes) -> tuple[FragmentIndex, FragmentIndex]:
    """Return the indexes of regions and of words as the run leaves them."""
    dimension = run.encoder.dimension
    regions: FragmentIndex = FaissFragmentIndex(dimension)
    words: FragmentIndex = FaissFragmentIndex(dimension)
    with run.catalogue.read() as connection:
        if run.previous is not None:
            regions, words = run.previous.regions, run.previous.words
            regions.remove(np.array(sorted(changes.removed_photos), np.int64))
            words.remove(np.array(_sentences_of(connection, changes.removed_documents), np.int64))
        for index, blobs in ((regions, _staged_photos), (words, _staged_sentences)):
            index.reserve(sum(len(from_blob(blob, dimension)) for _, blob in blobs(connection, run, changes) if blob))
            _add(index, blobs(connection, run, changes))
    return regions, words


def _next_name(previous: str | None) -> str:
    """Number the snapshots; the random end keeps a name from meaning two snapshots if a catalogue is restored."""
    number = int(previous.partition("-")[0]) + 1 if previous else 1
    return f"{number:06d}-{secrets.token_hex(4)}"


def _add(index: FragmentIndex, blobs: Blobs) -> None:
    ids, vectors = [], []
    for item, blob in blobs:
        assert blob is not None, "a staged row carries its vectors"
        ids.append(item)
        vectors.append(from_blob(blob, index.dimension))
        if len(ids) >= CHUNK:
            index.add(Fragments.of(ids, vectors, index.dimension))
            ids, vectors = [], []
    if ids:
        index.add(Fragments.of(ids, vectors, index.dimension))


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
