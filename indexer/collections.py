"""Makes collections, and deletes them with all that they hold."""

import shutil
import time

from sqlalchemy import delete, insert, select

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.tables import Collection, Job
from engine.encoder import Encoder
from engine.exceptions import CollectionExists
from engine.settings import Settings
from indexer.locks import collection_lock
from indexer.queue import JobQueue

AGE = 3600.0  # seconds after which an upload that is no job yet will be none


def create_collection(catalogue: Catalogue, name: str, encoder: Encoder) -> CollectionInfo:
    """Make a collection that holds nothing.

    Raises:
        CollectionExists: there is one of that name.
    """
    with catalogue.write() as connection:
        if connection.execute(select(Collection.id).where(Collection.name == name)).one_or_none() is not None:
            raise CollectionExists(f"there is a collection {name!r} already")
        row = {"name": name, "model_hash": encoder.model_hash, "dimension": encoder.dimension}
        connection.execute(insert(Collection), row)
    return catalogue.collection(name)


def delete_collection(catalogue: Catalogue, name: str, settings: Settings) -> None:
    """Delete a collection: its rows, its index, and what was uploaded into it; its jobs are cancelled.

    Files that were not uploaded are left alone.

    Raises:
        UnknownCollection: there is none of that name.
        CollectionBusy: a run that indexes into it did not give up in time.
    """
    collection = catalogue.collection(name)
    JobQueue(catalogue).cancel_all(collection.id)
    with collection_lock(settings, collection):
        with catalogue.write() as connection:
            connection.execute(delete(Collection).where(Collection.id == collection.id))
        _remove_files(settings, collection.id)


def sweep_leftovers(catalogue: Catalogue, settings: Settings) -> None:
    """Delete what interrupted deletions left of collections, and interrupted uploads that became no job."""
    folders = [entry for part in ("collections", "uploads") for entry in (settings.home / part).glob("[0-9]*")]
    known = {str(info.id) for info in catalogue.collections()}  # after the folders: rows come before them
    for number in {entry.name.partition(".")[0] for entry in folders} - known:
        _remove_files(settings, int(number))
    arrived = [path for path in settings.home.glob("uploads/*/incoming/*") if path.stat().st_mtime < time.time() - AGE]
    with catalogue.read() as connection:
        waiting = {asked.get("token") for asked in connection.scalars(select(Job.request).where(Job.state != "done"))}
    for path in arrived:
        if path.name not in waiting:
            shutil.rmtree(path, ignore_errors=True)


def _remove_files(settings: Settings, collection_id: int) -> None:
    folder = settings.collection_directory(collection_id)
    for path in (folder, settings.renewal_directory(collection_id), settings.uploads_directory(collection_id)):
        shutil.rmtree(path, ignore_errors=True)
    for lock in folder.parent.glob(f"{collection_id}.*lock"):
        lock.unlink(missing_ok=True)
