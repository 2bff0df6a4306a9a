"""Who may write: one process at a time changes a collection, and one renews its index beside that."""

import contextlib
from collections.abc import Iterator

from filelock import FileLock, Timeout

from engine.catalogue import CollectionInfo
from engine.exceptions import CollectionBusy, StorageError
from engine.settings import Settings

PATIENCE = 10.0
"""Seconds that a writer waits for another: a renewed index is put in its place in less, another run takes longer."""


@contextlib.contextmanager
def collection_lock(settings: Settings, collection: CollectionInfo) -> Iterator[None]:
    """Let one process at a time change a collection; the lock ends with the process, however that ends.

    Raises:
        CollectionBusy: another process holds it, and still did after PATIENCE seconds.
        StorageError: the lock cannot be made.
    """
    with _lock(settings, collection, ".lock", PATIENCE):
        yield


@contextlib.contextmanager
def renewal_lock(settings: Settings, collection: CollectionInfo) -> Iterator[None]:
    """Let one process at a time renew a collection's index, while others may change the collection.

    Raises:
        CollectionBusy, StorageError: as collection_lock.
    """
    with _lock(settings, collection, ".renewal.lock", 0):
        yield


@contextlib.contextmanager
def _lock(settings: Settings, collection: CollectionInfo, suffix: str, patience: float) -> Iterator[None]:
    directory = settings.collection_directory(collection.id)
    lock = FileLock(f"{directory}{suffix}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise CollectionBusy(
            f"another dvsa index is running for the collection {collection.name!r}; wait until it ends"
        ) from error
    except OSError as error:
        raise StorageError(f"cannot write to {directory}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()
