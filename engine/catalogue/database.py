"""Opens the catalogue's database, SQLite or PostgreSQL, with the newest tables."""

from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, text

from engine.catalogue import postgresql, sqlite
from engine.catalogue.database_errors import place, plain_errors
from engine.catalogue.transactions import WRITE_OPTION
from engine.exceptions import CatalogueError

# The newest migration in migrations/versions; a database that is there already needs no Alembic, which is slow to load
HEAD = "0003"


def connect(url: URL, busy_seconds: float) -> Engine:
    """Return an engine on a database that has the newest tables.

    Args:
        url: SQLite or PostgreSQL.
        busy_seconds: how long to wait for another process to finish writing.

    Raises:
        CatalogueError: the database cannot be used.
    """
    if url.get_backend_name() == "postgresql":
        engine = postgresql.make_engine(url, busy_seconds)
    else:
        engine = sqlite.make_engine(url, busy_seconds)
    try:
        with plain_errors(url), sqlite.creation_lock(url):
            migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest version; of several processes one does it and the others wait.

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
            command.upgrade(config, "head")  # nothing, where another process was quicker
        except CommandError as error:
            raise CatalogueError(
                f"the catalogue {place(engine.url)} has tables of version {version}, which this version does not know;"
                " use the dvsa that made it, or another DVSA_HOME"
            ) from error


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
