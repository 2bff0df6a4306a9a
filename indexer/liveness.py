"""Which workers live: each holds a lock that ends with its process, however that ends.

A worker that is merely slow, or stopped for a while, holds its lock still; no clock is asked.
"""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from engine.exceptions import StorageError
from engine.settings import Settings


@contextlib.contextmanager
def living_worker(settings: Settings) -> Iterator[str]:
    """Be a worker for as long as the block lasts; yields its name.

    Raises:
        StorageError: the lock cannot be made.
    """
    name = secrets.token_hex(8)
    lock = FileLock(_file(settings, name))
    try:
        settings.workers_directory.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise StorageError(f"cannot write to {settings.workers_directory}: {error.strerror or error}") from error
    try:
        yield name
    finally:
        lock.release()
        _forget(settings, name)


def has_died(settings: Settings, name: str) -> bool:
    """Whether the worker of that name is no more."""
    try:
        with FileLock(_file(settings, name), timeout=0):
            _forget(settings, name)
            return True
    except Timeout:
        return False


def a_worker_lives(settings: Settings) -> bool:
    """Whether any worker of this home lives; the locks of dead ones are left, for one may just be making its own."""
    return any(_is_held(file) for file in settings.workers_directory.glob("*.lock"))


def _is_held(file: Path) -> bool:
    try:
        with FileLock(file, timeout=0):
            return False
    except Timeout:
        return True


def _file(settings: Settings, name: str) -> str:
    return str(settings.workers_directory / f"{name}.lock")


def _forget(settings: Settings, name: str) -> None:
    with contextlib.suppress(OSError):
        (settings.workers_directory / f"{name}.lock").unlink()
