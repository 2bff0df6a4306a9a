"""A catalogue with a few rows, and its migrations, for the tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, insert

import engine.catalogue
from engine.catalogue import Catalogue
from engine.catalogue.tables import LIVE, STAGED, Collection, Document, Photo, Region, Sentence

MIGRATIONS = Path(engine.catalogue.__file__).parent / "migrations"

THREADS = 4
T = TypeVar("T")


def sqlite_url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


def filled(url: URL) -> Catalogue:
    """Make a catalogue with one live and one staged photo, each with a sentence."""
    made = Catalogue(url)
    with made.write() as connection:
        connection.execute(insert(Collection), {"name": "test", "model_hash": "0", "dimension": 4})
        for number, state in enumerate([LIVE, STAGED], start=1):
            file = {"path": f"/p/{number}.jpg", "root": "/p", "size": 1, "mtime_ns": 2**60, "content_hash": "h"}
            size = {"width": 30, "height": 20, "model_hash": "0", "vectors": None}
            connection.execute(insert(Photo), {"collection_id": 1, "state": state, **file, **size})
            boxes = [{"photo_id": number, "number": n, "x0": n, "y0": 0.5, "x1": 30, "y1": 20} for n in (1, 0)]
            connection.execute(insert(Region), boxes)
            document = {"path": f"/p/{number}.txt", "root": "/p", "digest": "d", "model_hash": "0"}
            connection.execute(insert(Document), {"collection_id": 1, "state": state, **document})
            sentence = {"document_id": number, "number": 0, "text": "A dog", "photo_id": number, "vectors": None}
            connection.execute(insert(Sentence), sentence)
    return made


def run_migrations(connection: Connection, revision: str) -> None:
    """Take the tables to a revision, older or newer."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision() or ""
    (command.downgrade if revision == "base" or revision < current else command.upgrade)(config, revision)


def in_threads(work: Callable[[], T]) -> list[T]:
    """Call a function in several threads at the same time."""
    together = Barrier(THREADS)

    def wait_and_work(_number: int) -> T:
        together.wait()
        return work()

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(wait_and_work, range(THREADS)))
