"""The catalogue: tables, migrations, reading, errors in plain words."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, delete, insert, select, text
from sqlalchemy.exc import OperationalError

import engine.catalogue
from engine.catalogue import Catalogue
from engine.catalogue.database import HEAD
from engine.catalogue.tables import LIVE, STAGED, Base, Collection, Document, Photo, Region, Sentence
from engine.exceptions import CatalogueError, UnknownCollection, UnknownPhoto

MIGRATIONS = Path(engine.catalogue.__file__).parent / "migrations"


def url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """A catalogue with one live and one staged photo, each with a sentence."""
    made = Catalogue(url(tmp_path / "catalogue.db"))
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


def test_only_published_rows_are_read(catalogue: Catalogue) -> None:
    photos = catalogue.photos([2, 1, 1, 99])
    assert [(photo.id, photo.path, photo.width, photo.height) for photo in photos.values()] == [(1, "/p/1.jpg", 30, 20)]
    sentences = catalogue.sentences([1, 2])
    assert [(item.text, item.document, item.photo_id) for item in sentences.values()] == [("A dog", "/p/1.txt", 1)]


def test_regions_are_in_the_order_of_their_numbers(catalogue: Catalogue) -> None:
    boxes = catalogue.regions([1])[1]
    assert boxes.dtype == np.float32
    assert boxes.tolist() == [[0, 0.5, 30, 20], [1, 0.5, 30, 20]]


def test_more_ids_than_one_statement_takes(catalogue: Catalogue) -> None:
    assert set(catalogue.photos(np.arange(100_000).tolist())) == {1}
    assert catalogue.photos([]) == {}


def test_unknown_collection_names_those_that_exist(catalogue: Catalogue) -> None:
    assert catalogue.collection("test").id == 1
    with pytest.raises(UnknownCollection, match="no collection 'other'; there are: test"):
        catalogue.collection("other")


def test_unknown_collection_in_an_empty_catalogue_says_how_to_make_one(tmp_path: Path) -> None:
    empty = Catalogue(url(tmp_path / "new folder" / "catalogue.db"))
    with pytest.raises(UnknownCollection, match="dvsa index PATH --collection holidays"):
        empty.collection("holidays")
    assert empty.collections() == []
    empty.close()


def test_deleting_a_photo_takes_its_regions_and_keeps_its_sentences(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        connection.execute(delete(Photo).where(Photo.id == 1))
    assert catalogue.regions([1]) == {}
    assert catalogue.sentences([1])[1].photo_id is None


def test_id_is_never_used_twice(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        connection.execute(delete(Document))
        row = {"collection_id": 1, "state": LIVE, "path": "/n", "root": "/n", "digest": "d", "model_hash": "0"}
        connection.execute(insert(Document), row)
        assert connection.execute(select(Document.id)).scalar_one() == 3


def test_transaction_that_fails_changes_nothing(catalogue: Catalogue) -> None:
    def fail() -> None:
        with catalogue.write() as connection:
            connection.execute(delete(Photo))
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    assert set(catalogue.photos([1])) == {1}


def test_reader_sees_one_state_while_a_writer_commits(catalogue: Catalogue) -> None:
    with catalogue.read() as reader:
        assert len(reader.execute(select(Photo.id)).all()) == 2
        with catalogue.write() as writer:
            writer.execute(delete(Photo))
        assert len(reader.execute(select(Photo.id)).all()) == 2
    assert catalogue.photos([1]) == {}


def test_writers_wait_for_each_other(catalogue: Catalogue) -> None:
    def add_one() -> None:
        with catalogue.write() as connection:
            count = connection.execute(select(Collection.photo_count)).scalar_one()
            connection.execute(text("UPDATE collections SET photo_count = :count"), {"count": count + 1})

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalogue.collection("test").photos == 8


def test_migrations_make_the_tables_of_the_code(catalogue: Catalogue) -> None:
    with catalogue.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == HEAD


def make_old_catalogue(path: Path) -> None:
    """Write a catalogue as the version before captions did, with a photo, its region and its sentence."""
    old = Catalogue(url(path))
    with old.write() as connection:
        run_migrations(connection, "0001")
        connection.execute(text("INSERT INTO collections VALUES (1, 'test', NULL, '0', 4, 1, 1)"))
        connection.execute(
            text("INSERT INTO photos VALUES (7, 1, 'live', '/p/a.jpg', '/p', 1, 2, 'h', '0', 30, 20, NULL)")
        )
        connection.execute(text("INSERT INTO regions VALUES (7, 0, 0, 0, 30, 20)"))
        connection.execute(text("INSERT INTO documents VALUES (1, 1, 'live', '/p/a.txt', '/p', 'd', '0')"))
        connection.execute(text("INSERT INTO sentences VALUES (1, 1, 0, 'A dog', 7, NULL)"))
    old.close()


def run_migrations(connection: Connection, revision: str) -> None:
    """Take the tables to a revision, older or newer."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision() or ""
    (command.downgrade if revision < current else command.upgrade)(config, revision)


def test_catalogue_of_the_version_before_captions_is_brought_up_to_date_and_keeps_all(tmp_path: Path) -> None:
    make_old_catalogue(tmp_path / "catalogue.db")
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as raw:
        assert "caption" not in [column[1] for column in raw.execute("PRAGMA table_info(photos)")]
    opened = Catalogue(url(tmp_path / "catalogue.db"))
    info = opened.photos([7])[7]
    assert (info.path, info.width, info.caption, info.captioner_hash) == ("/p/a.jpg", 30, None, None)
    assert opened.regions([7])[7].tolist() == [[0, 0, 30, 20]]
    assert opened.sentences([1])[1].photo_id == 7
    with opened.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        connection.execute(delete(Photo))
        row = {"state": LIVE, "path": "/n", "root": "/n", "size": 1, "mtime_ns": 1, "content_hash": "h"}
        more = {"model_hash": "0", "width": 1, "height": 1, "caption": "a dog", "captioner_hash": "c"}
        connection.execute(insert(Photo), {"collection_id": 1, **row, **more})
    assert opened.photos([8])[8].caption == "a dog"  # and 7 is not used twice
    opened.close()


def test_captions_can_be_taken_back_and_nothing_else_goes(tmp_path: Path, catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        before = connection.execute(text("SELECT id, path, mtime_ns, content_hash FROM photos")).all()
        run_migrations(connection, "0001")
        assert connection.execute(text("SELECT id, path, mtime_ns, content_hash FROM photos")).all() == before
        with pytest.raises(OperationalError, match="no such column: caption"):
            connection.execute(text("SELECT caption FROM photos"))
        run_migrations(connection, HEAD)
    assert catalogue.photos([1])[1].caption is None
    assert set(catalogue.regions([1])) == {1}


def test_captions_migrate_on_postgresql(capsys: pytest.CaptureFixture[str]) -> None:
    script = ScriptDirectory(str(MIGRATIONS)).get_revision("0002").module
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
    with Operations.context(context):
        script.upgrade()
        script.downgrade()
    assert [line for line in capsys.readouterr().out.splitlines() if line] == [
        "ALTER TABLE photos ADD COLUMN caption TEXT;",
        "ALTER TABLE photos ADD COLUMN captioner_hash VARCHAR(64);",
        "ALTER TABLE photos DROP COLUMN captioner_hash;",
        "ALTER TABLE photos DROP COLUMN caption;",
    ]


def test_newest_migration_is_the_one_that_opening_looks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_catalogue_of_a_newer_version_is_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    catalogue.close()
    with pytest.raises(CatalogueError, match="version 9999, which this version does not know"):
        Catalogue(url(tmp_path / "catalogue.db"))


def test_many_processes_may_create_it_at_once(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def create() -> None:
        try:
            Catalogue(url(tmp_path / "catalogue.db")).close()
        except CatalogueError as error:
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_locked_database_is_one_sentence(tmp_path: Path, catalogue: Catalogue) -> None:
    catalogue.close()
    impatient = Catalogue(url(tmp_path / "catalogue.db"), busy_seconds=0.1)
    with closing(sqlite3.connect(tmp_path / "catalogue.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert set(impatient.photos([1])) == {1}  # readers need not wait
        with pytest.raises(CatalogueError, match="is locked by another program"), impatient.write():
            pass
    impatient.close()


def test_read_only_database_can_be_read(tmp_path: Path, catalogue: Catalogue) -> None:
    catalogue.close()
    read_only = Catalogue(f"sqlite:///file:{tmp_path}/catalogue.db?mode=ro&uri=true")
    assert set(read_only.photos([1])) == {1}
    with pytest.raises(CatalogueError, match="is read-only"), read_only.write() as connection:
        connection.execute(delete(Photo))
    read_only.close()


def test_folder_in_place_of_the_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").mkdir()
    with pytest.raises(CatalogueError, match="cannot be opened"):
        Catalogue(url(tmp_path / "catalogue.db"))


@pytest.mark.parametrize("name", ["with space", "quo'te", "100%", "a?b", "größe"])
def test_folder_may_hold_any_character(tmp_path: Path, name: str) -> None:
    made = Catalogue(url(tmp_path / name / "catalogue.db"))
    assert made.collections() == []
    made.close()
    assert (tmp_path / name / "catalogue.db").is_file()


def test_pages_of_photos_follow_one_another(catalogue: Catalogue) -> None:
    assert [photo.path for photo in catalogue.photo_page("test", 0, 10)] == [
        "/p/1.jpg"
    ]  # the staged one is no photo yet
    assert catalogue.photo_page("test", catalogue.photo_page("test", 0, 1)[0].id, 10) == []
    with pytest.raises(UnknownCollection):
        catalogue.photo_page("none", 0, 10)


def test_a_photo_by_its_id(catalogue: Catalogue) -> None:
    held = catalogue.photo_page("test", 0, 1)[0]
    assert catalogue.photo(held.id) == held
    with pytest.raises(UnknownPhoto, match="no photo 4711"):
        catalogue.photo(4711)
