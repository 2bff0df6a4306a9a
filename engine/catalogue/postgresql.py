"""PostgreSQL as the catalogue's database, with the transactions that SQLite has by itself."""

from functools import partial

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

from engine.catalogue.transactions import writes
from engine.exceptions import CatalogueError

CONNECT_SECONDS = 10
WRITERS = 0x64767361  # "dvsa": the advisory lock of whoever writes


def make_engine(url: URL, busy_seconds: float) -> Engine:
    """Return an engine whose connections outlive a restart of the server.

    Args:
        url: any of PostgreSQL; the driver is psycopg 3.
        busy_seconds: how long to wait for another writer.

    Raises:
        CatalogueError: the driver is not installed.
    """
    waits = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"application_name": "dvsa", **waits},
            pool_pre_ping=True,  # a connection that the server has closed is made anew
        )
    except ModuleNotFoundError as error:
        raise CatalogueError("a catalogue in PostgreSQL needs its driver: pip install 'dvsa[postgresql]'") from error
    event.listen(engine, "begin", partial(_begin, busy_seconds))
    return engine


def _begin(busy_seconds: float, connection: Connection) -> None:
    """Let readers see one state, and one writer at a time what those before it committed."""
    if writes(connection):
        milliseconds = str(round(1000 * busy_seconds))
        lock = text("SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(:writers)")
        connection.execute(lock, {"wait": milliseconds, "writers": WRITERS})
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
