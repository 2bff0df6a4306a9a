"""Migrations of the catalogue, in SQLite and in PostgreSQL: up and down, and what was there stays."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Select, delete, insert, inspect, select, text

from engine.catalogue import Catalogue
from engine.catalogue.database import HEAD
from engine.catalogue.tables import LIVE, Base, Collection, Photo, Region, Sentence
from engine.exceptions import CatalogueError
from tests.engine.catalogued import MIGRATIONS, in_threads, run_migrations

OLD_ROWS = (
    "collections (name, model_hash, dimension, photo_count, sentence_count) VALUES ('test', '0', 4, 1, 1)",
    "photos (collection_id, state, path, root, size, mtime_ns, content_hash, model_hash, width, height)"
    " VALUES (1, 'live', '/p/a.jpg', '/p', 1, 2, 'h', '0', 30, 20)",
    "regions VALUES (1, 0, 0, 0, 30, 20)",
    "documents (collection_id, state, path, root, digest, model_hash) VALUES (1, 'live', '/p/a.txt', '/p', 'd', '0')",
    "sentences (document_id, number, text, photo_id) VALUES (1, 0, 'A dog', 1)",
)


def test_migrations_make_the_tables_of_the_code(catalogue: Catalogue) -> None:
    with catalogue.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == HEAD


def make_old_catalogue(url: URL) -> None:
    """Write a catalogue as the version before captions did, with a photo, its region and its sentence."""
    old = Catalogue(url)
    with old.write() as connection:
        run_migrations(connection, "0001")
        for row in OLD_ROWS:
            connection.execute(text(f"INSERT INTO {row}"))
        assert "caption" not in {column["name"] for column in inspect(connection).get_columns("photos")}
    old.close()


def test_catalogue_of_the_version_before_captions_is_brought_up_to_date_and_keeps_all(catalogue_url: URL) -> None:
    make_old_catalogue(catalogue_url)
    opened = Catalogue(catalogue_url)
    info = opened.photos([1])[1]
    assert (info.path, info.width, info.caption, info.captioner_hash) == ("/p/a.jpg", 30, None, None)
    assert opened.regions([1])[1].tolist() == [[0, 0, 30, 20]]
    assert opened.sentences([1])[1].photo_id == 1
    with opened.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        connection.execute(delete(Photo))
        row = {"state": LIVE, "path": "/n", "root": "/n", "size": 1, "mtime_ns": 1, "content_hash": "h"}
        more = {"model_hash": "0", "width": 1, "height": 1, "caption": "a dog", "captioner_hash": "c"}
        connection.execute(insert(Photo), {"collection_id": 1, **row, **more})
    assert opened.photos([2])[2].caption == "a dog"  # and 1 is not used twice
    opened.close()


@pytest.mark.parametrize("revision", ["0002", "0001"])
def test_a_migration_can_be_taken_back_and_nothing_else_goes(catalogue: Catalogue, revision: str) -> None:
    kept: list[Select[Any]] = [select(table) for table in (Collection, Region, Sentence)]
    kept.append(select(Photo.id, Photo.path, Photo.mtime_ns, Photo.content_hash))
    with catalogue.write() as connection:
        before = [connection.execute(query).all() for query in kept]
        run_migrations(connection, revision)
        assert MigrationContext.configure(connection).get_current_revision() == revision
        assert [connection.execute(query).all() for query in kept] == before
        run_migrations(connection, HEAD)
        assert [connection.execute(query).all() for query in kept] == before
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert catalogue.photos([1])[1].caption is None
    assert set(catalogue.regions([1])) == {1}


def test_all_migrations_can_be_taken_back(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        run_migrations(connection, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        run_migrations(connection, HEAD)
        assert connection.execute(select(Photo)).all() == []


def test_newest_migration_is_the_one_that_opening_looks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_catalogue_of_a_newer_version_is_refused(catalogue: Catalogue, catalogue_url: URL) -> None:
    with catalogue.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CatalogueError, match="version 9999, which this version does not know"):
        Catalogue(catalogue_url)


def test_many_may_bring_it_up_to_date_at_once(catalogue: Catalogue, catalogue_url: URL) -> None:
    with catalogue.write() as connection:
        run_migrations(connection, "base")
    opened = in_threads(lambda: Catalogue(catalogue_url))
    for other in opened:
        assert other.collections() == []
        other.close()
