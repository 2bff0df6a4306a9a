"""The catalogue in PostgreSQL: a server that can be away, full, locked or restarted."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, delete, text

from engine.catalogue import Catalogue
from engine.catalogue.tables import Photo
from engine.exceptions import CatalogueError
from engine.settings import Settings
from tests.engine.catalogued import filled
from tests.postgresql_server import PostgresServer


@pytest.fixture
def database(postgresql: PostgresServer, empty_catalogue: URL) -> Iterator[URL]:
    """A database with a catalogue of a few rows."""
    made = postgresql.new_database(empty_catalogue)
    filled(made).close()
    yield made
    postgresql.drop(made)


@pytest.fixture
def opened(database: URL) -> Iterator[Catalogue]:
    catalogue = Catalogue(database, busy_seconds=0.2)
    yield catalogue
    catalogue.close()


def raw(database: URL) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(database.render_as_string(hide_password=False), autocommit=True)


def test_the_driver_is_psycopg_3_however_the_address_begins(database: URL) -> None:
    for name in ("postgresql", "postgresql+psycopg"):
        catalogue = Catalogue(database.set(drivername=name))
        with catalogue.read() as connection:
            assert connection.dialect.driver == "psycopg"
        catalogue.close()


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("database", "elsewhere", "does not exist; make the database"),
        ("password", "wrong secret", "refuses the user or the password"),
        ("username", "nobody", "refuses the user"),
        ("port", 1, "cannot be reached; is the server running"),
        ("host", "host.invalid", "cannot be reached"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_one_sentence_without_the_password(
    database: URL, part: str, value: str | int, said: str
) -> None:
    address = database.set(**{part: value})  # type: ignore[arg-type]
    with pytest.raises(CatalogueError, match=said) as caught:
        Catalogue(address)
    assert address.password is not None
    assert address.password not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(address.host) in str(caught.value)


def test_the_password_may_stand_in_a_file(database: URL, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(f"{database.password}\n")
    address = database._replace(password=None).render_as_string()
    settings = Settings(home=tmp_path, database_url=address, database_password_file=password)
    catalogue = Catalogue(settings.catalogue_url)
    assert set(catalogue.photos([1])) == {1}
    catalogue.close()


def test_connections_outlive_a_restart_of_the_server(postgresql: PostgresServer, opened: Catalogue) -> None:
    assert set(opened.photos([1])) == {1}
    postgresql.stop()
    try:
        with pytest.raises(CatalogueError, match="cannot be reached"):
            opened.photos([1])
    finally:
        postgresql.start()
    assert set(opened.photos([1])) == {1}


def test_a_connection_that_is_cut_in_a_transaction_is_one_sentence(database: URL, opened: Catalogue) -> None:
    def cut_and_read() -> None:
        with opened.read() as connection:
            number = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with raw(database) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [number])
            connection.execute(text("SELECT 1"))

    with pytest.raises(CatalogueError, match="has ended the connection"):
        cut_and_read()
    assert set(opened.photos([1])) == {1}


def test_a_writer_waits_a_while_for_another_and_then_says_so(database: URL, opened: Catalogue) -> None:
    other = Catalogue(database)
    with other.write() as writer:
        writer.execute(delete(Photo))
        assert set(opened.photos([1])) == {1}  # readers need not wait
        with pytest.raises(CatalogueError, match="is locked by another program"), opened.write():
            pass
    assert opened.photos([1]) == {}
    other.close()


def test_a_table_that_another_program_locks_is_one_sentence(database: URL, opened: Catalogue) -> None:
    with raw(database) as other, other.transaction():
        other.execute("LOCK TABLE photos")
        with pytest.raises(CatalogueError, match="is locked by another program"), opened.write() as connection:
            connection.execute(delete(Photo))


def test_what_only_reads_cannot_write(opened: Catalogue) -> None:
    with pytest.raises(CatalogueError, match="is read-only"), opened.read() as connection:
        connection.execute(delete(Photo))


def test_a_user_without_rights_is_one_sentence(postgresql: PostgresServer, database: URL) -> None:
    postgresql.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    try:
        with pytest.raises(CatalogueError, match="does not let this user do that"):
            Catalogue(database.set(username="guest", password="guest"))
    finally:
        postgresql.execute("DROP ROLE guest")
