"""The transaction that publishes a run: rows change and the snapshot gets its name, all or nothing."""

from sqlalchemy import Connection, bindparam, delete, func, select, update

from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import LIVE, STAGED, Collection, Document, Photo, Sentence
from indexer.metadata import describe, hand_down_metadata
from indexer.rows import DocumentRow, PhotoRow, delete_staged, document_rows, photo_rows
from indexer.run import Changes, Run


def commit(run: Run, changes: Changes, snapshot: str | None) -> None:
    """Make the collection what the run found.

    Args:
        run: the run.
        changes: what goes, what moves, which staged rows become live.
        snapshot: name of the snapshot that holds exactly the vectors of the rows.
    """
    with run.catalogue.write() as connection:
        _drop_unused(connection, run, changes)
        photos, documents = _staged(connection, run, changes)
        _hand_down(connection, run, photos)
        _remove(connection, changes)
        _move(connection, changes)
        _make_live(connection, list(photos.values()), list(documents.values()))
        describe(connection, run)
        _link_sentences(connection, run)
        _name_snapshot(connection, run, snapshot)


def _drop_unused(connection: Connection, run: Run, changes: Changes) -> None:
    """Delete what earlier runs staged and none will publish; what they staged of other paths they go on with."""
    photos = photo_rows(connection, run.collection.id, STAGED).values()
    documents = document_rows(connection, run.collection.id, STAGED).values()
    unused_photos = [row.id for row in photos if row.path not in changes.staged_photos and _is_stale(run, row)]
    unused_documents = [row.id for row in documents if row.path not in changes.staged_documents and _is_stale(run, row)]
    delete_staged(connection, Photo, unused_photos)
    delete_staged(connection, Document, unused_documents)


def _is_stale(run: Run, row: PhotoRow | DocumentRow) -> bool:
    scan = run.scan
    seen = row.path in scan.photos or row.path in scan.documents or scan.speaks_for(row.path, row.root)
    return seen or row.model_hash != run.encoder.model_hash


def _staged(connection: Connection, run: Run, changes: Changes) -> tuple[dict[str, int], dict[str, int]]:
    """Return the ids of the photos and of the documents that become live, by path."""
    photos = photo_rows(connection, run.collection.id, STAGED)
    documents = document_rows(connection, run.collection.id, STAGED)
    return (
        {path: photos[path].id for path in changes.staged_photos},
        {path: documents[path].id for path in changes.staged_documents},
    )


def _hand_down(connection: Connection, run: Run, photos: dict[str, int]) -> None:
    """A photo whose content changed gets a new row; metadata, and sentences from anywhere that describe it, follow."""
    live = photo_rows(connection, run.collection.id, LIVE)
    pairs = [{"old": live[path].id, "new": number} for path, number in photos.items() if path in live]
    if pairs:
        statement = update(Sentence).where(Sentence.photo_id == bindparam("old")).values(photo_id=bindparam("new"))
        connection.execute(statement, pairs)
        hand_down_metadata(connection, pairs)


def _remove(connection: Connection, changes: Changes) -> None:
    for chunk in chunks(sorted(changes.removed_photos)):
        connection.execute(delete(Photo).where(Photo.id.in_(chunk)))
    for chunk in chunks(sorted(changes.removed_documents)):
        connection.execute(delete(Document).where(Document.id.in_(chunk)))


def _move(connection: Connection, changes: Changes) -> None:
    for photo_id, file in changes.moved_photos.items():
        values = {"path": file.path, "root": file.root, "size": file.size, "mtime_ns": file.mtime_ns}
        connection.execute(update(Photo).where(Photo.id == photo_id).values(values))
    for document_id, document in changes.moved_documents.items():
        values = {"path": document.path, "root": document.root}
        connection.execute(update(Document).where(Document.id == document_id).values(values))


def _make_live(connection: Connection, photos: list[int], documents: list[int]) -> None:
    for chunk in chunks(documents):
        connection.execute(update(Sentence).where(Sentence.document_id.in_(chunk)).values(vectors=None))
        connection.execute(update(Document).where(Document.id.in_(chunk)).values(state=LIVE))
    for chunk in chunks(photos):
        connection.execute(update(Photo).where(Photo.id.in_(chunk)).values(state=LIVE, vectors=None))


def _link_sentences(connection: Connection, run: Run) -> None:
    """Link each sentence of the scanned documents to the photo at the path that the document names."""
    photos = {path: row.id for path, row in photo_rows(connection, run.collection.id, LIVE).items()}
    rows = document_rows(connection, run.collection.id, LIVE)
    documents = {row.id: run.scan.documents[path] for path, row in rows.items() if path in run.scan.documents}
    links = []
    for chunk in chunks(list(documents)):
        columns = (Sentence.id, Sentence.document_id, Sentence.number, Sentence.photo_id)
        for row in connection.execute(select(*columns).where(Sentence.document_id.in_(chunk))):
            photo = documents[row.document_id].sentences[row.number].photo
            wanted = None if photo is None else photos.get(photo)
            if wanted != row.photo_id:
                links.append({"row": row.id, "photo": wanted})
    if links:
        statement = update(Sentence).where(Sentence.id == bindparam("row")).values(photo_id=bindparam("photo"))
        connection.execute(statement, links)


def _name_snapshot(connection: Connection, run: Run, snapshot: str | None) -> None:
    collection_id = run.collection.id
    photos = select(func.count()).where(Photo.collection_id == collection_id, Photo.state == LIVE)
    sentences = (
        select(func.count())
        .select_from(Sentence)
        .join(Document, Document.id == Sentence.document_id)
        .where(Document.collection_id == collection_id, Document.state == LIVE)
    )
    values = {
        "snapshot": snapshot,
        "model_hash": run.encoder.model_hash,
        "dimension": run.encoder.dimension,
        "photo_count": connection.execute(photos).scalar_one(),
        "sentence_count": connection.execute(sentences).scalar_one(),
    }
    connection.execute(update(Collection).where(Collection.id == collection_id).values(values))
