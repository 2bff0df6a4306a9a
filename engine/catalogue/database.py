"""Opens the catalogue's database: SQLite's settings, transactions, migrations, errors in plain words."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from engine.exceptions import CatalogueError

# The newest migration in migrations/versions; a database that is there already needs no Alembic, which is slow to load
HEAD = "0003"
WRITE_OPTION = "dvsa_write"


def connect(url: URL, busy_seconds: float) -> Engine:
    """Return an engine on a database that has the newest tables.

    Args:
        url: SQLite or PostgreSQL.
        busy_seconds: how long SQLite waits for another process to finish writing, if the URL has no `timeout`.

    Raises:
        CatalogueError: the database cannot be used.
    """
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url)
        with plain_errors(url):
            migrate(engine)
        return engine
    engine = create_engine(url, connect_args={} if "timeout" in url.query else {"timeout": busy_seconds})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    with plain_errors(url), _sqlite_lock(url):
        migrate(engine)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest version.

    Raises:
        CatalogueError: the tables are of a newer version of this program.
    """
    with engine.connect() as connection:
        version = _version(connection)
    if version == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.execution_options(**{WRITE_OPTION: True}).begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise CatalogueError(
                f"the catalogue {place(engine.url)} has tables of version {version}, which this version does not know;"
                " use the dvsa that made it, or another DVSA_HOME"
            ) from error


@contextlib.contextmanager
def plain_errors(url: URL) -> Iterator[None]:
    """Turn the database's errors into one sentence."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise CatalogueError(explain(error, place(url))) from error


def explain(error: Exception, where: str) -> str:
    """Say what is wrong with the database and what to do."""
    cause = str(error.orig if isinstance(error, DBAPIError) else error)
    sentences = {
        "locked": f"the catalogue {where} is locked by another program; run the command again when that has ended",
        "readonly": f"the catalogue {where} is read-only; make it writable or set DVSA_HOME to another folder",
        "is full": f"the disk of the catalogue {where} is full; free some space and run the command again",
        "disk i/o": f"the catalogue {where} cannot be read or written (disk I/O error); is the disk full?",
        "not a database": f"the catalogue {where} is not a database of this program; move it away and index again",
        "malformed": f"the catalogue {where} is damaged; move it away and index again",
        "unable to open": f"the catalogue {where} cannot be opened; does its folder exist and may you write there?",
    }
    for sign, sentence in sentences.items():
        if sign in cause.lower():
            return sentence
    return f"the catalogue {where} failed: {' '.join(cause.split())}"


def place(url: URL) -> str:
    """Name the database without its password."""
    return url.database or "in memory" if url.get_backend_name() == "sqlite" else url.render_as_string()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextlib.contextmanager
def _sqlite_lock(url: URL) -> Iterator[None]:
    """Let one process at a time create the tables, and the folder before that."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        yield
        return
    path = Path(url.database)
    if path.exists() and path.stat().st_size > 0:  # created before; migrations of old tables are transactions
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(str(path) + ".lock"):
            yield
    except OSError as error:
        raise CatalogueError(f"the catalogue {path} cannot be created: {error.strerror or error}") from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below; the driver's own begin too late for DDL
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # readers go on while the writer writes; refused where the file is read-only, and reading still works
    with contextlib.suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE_OPTION, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
