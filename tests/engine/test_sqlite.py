"""The catalogue in SQLite: a file that several processes use."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from engine.catalogue import Catalogue
from engine.catalogue.tables import Photo
from engine.exceptions import CatalogueError
from tests.engine.catalogued import filled, in_threads, sqlite_url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a catalogue with a few rows."""
    path = tmp_path / "catalogue.db"
    filled(sqlite_url(path)).close()
    return path


def test_many_may_create_it_at_once(tmp_path: Path) -> None:
    for made in in_threads(lambda: Catalogue(sqlite_url(tmp_path / "new folder" / "catalogue.db"))):
        made.close()


def test_locked_database_is_one_sentence(file: Path) -> None:
    impatient = Catalogue(sqlite_url(file), busy_seconds=0.1)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert set(impatient.photos([1])) == {1}  # readers need not wait
        with pytest.raises(CatalogueError, match="is locked by another program"), impatient.write():
            pass
    impatient.close()


def test_read_only_database_can_be_read(file: Path) -> None:
    read_only = Catalogue(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert set(read_only.photos([1])) == {1}
    with pytest.raises(CatalogueError, match="is read-only"), read_only.write() as connection:
        connection.execute(delete(Photo))
    read_only.close()


def test_folder_in_place_of_the_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").mkdir()
    with pytest.raises(CatalogueError, match="cannot be opened"):
        Catalogue(sqlite_url(tmp_path / "catalogue.db"))


@pytest.mark.parametrize("name", ["with space", "quo'te", "100%", "a?b", "größe"])
def test_folder_may_hold_any_character(tmp_path: Path, name: str) -> None:
    made = Catalogue(sqlite_url(tmp_path / name / "catalogue.db"))
    assert made.collections() == []
    made.close()
    assert (tmp_path / name / "catalogue.db").is_file()


def test_readers_need_not_wait_for_a_writer_and_the_log_is_written_ahead(file: Path) -> None:
    opened = Catalogue(sqlite_url(file))
    with opened.write() as writer:
        writer.execute(delete(Photo))
        assert set(opened.photos([1])) == {1}
    with closing(sqlite3.connect(file)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    opened.close()
