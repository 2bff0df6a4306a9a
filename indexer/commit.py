"""The transaction that publishes a run: rows change and the snapshot gets its name, all or nothing."""

from sqlalchemy import Connection, bindparam, delete, func, select, update

from engine.catalogue.catalogue import chunks
from engine.catalogue.tables import LIVE, STAGED, Collection, Document, Photo, Sentence
from indexer.rows import delete_staged, document_rows, photo_rows
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
        _point_sentences_at_new_rows(connection, run)
        _remove(connection, changes)
        _move(connection, changes)
        _make_live(connection, run)
        _link_sentences(connection, run)
        _name_snapshot(connection, run, snapshot)


def _drop_unused(connection: Connection, run: Run, changes: Changes) -> None:
    photos = photo_rows(connection, run.collection.id, STAGED).values()
    documents = document_rows(connection, run.collection.id, STAGED).values()
    delete_staged(connection, Photo, [row.id for row in photos if row.path not in changes.staged_photos])
    delete_staged(connection, Document, [row.id for row in documents if row.path not in changes.staged_documents])


def _point_sentences_at_new_rows(connection: Connection, run: Run) -> None:
    """A photo whose content changed gets a new row; sentences from anywhere that describe it follow."""
    live = photo_rows(connection, run.collection.id, LIVE)
    staged = photo_rows(connection, run.collection.id, STAGED)
    pairs = [{"old": live[path].id, "new": row.id} for path, row in staged.items() if path in live]
    if pairs:
        statement = update(Sentence).where(Sentence.photo_id == bindparam("old")).values(photo_id=bindparam("new"))
        connection.execute(statement, pairs)


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


def _make_live(connection: Connection, run: Run) -> None:
    documents = (Document.collection_id == run.collection.id, Document.state == STAGED)
    photos = (Photo.collection_id == run.collection.id, Photo.state == STAGED)
    staged_documents = select(Document.id).where(*documents)
    connection.execute(update(Sentence).where(Sentence.document_id.in_(staged_documents)).values(vectors=None))
    connection.execute(update(Document).where(*documents).values(state=LIVE))
    connection.execute(update(Photo).where(*photos).values(state=LIVE, vectors=None))


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
