"""SQLite as the catalogue's database: a file, read while it is written."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event

from engine.catalogue.transactions import writes
from engine.exceptions import CatalogueError


def make_engine(url: URL, busy_seconds: float) -> Engine:
    """Return an engine; `timeout` in the URL is stronger than `busy_seconds`, the wait for another writer."""
    engine = create_engine(url, connect_args={} if "timeout" in url.query else {"timeout": busy_seconds})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


@contextlib.contextmanager
def creation_lock(url: URL) -> Iterator[None]:
    """Let one process at a time create SQLite's tables, and the folder before that; other databases have locks."""
    database = url.database or ":memory:"
    if url.get_backend_name() != "sqlite" or database == ":memory:" or database.startswith("file:"):
        yield
        return
    path = Path(database)
    if path.exists() and path.stat().st_size > 0:  # created before; migrations of old tables are transactions
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(path) + ".lock"):
            yield
    except OSError as error:
        raise CatalogueError(f"the catalogue {path} cannot be created: {error.strerror or error}") from error


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below; the driver's own begin too late for DDL
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # readers go on while the writer writes; refused where the file is read-only, and reading still works
    with contextlib.suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes(connection) else "BEGIN")
