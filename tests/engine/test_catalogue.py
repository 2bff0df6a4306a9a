"""The catalogue: tables, migrations, reading, errors in plain words."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, delete, insert, select, text

import engine.catalogue
from engine.catalogue import Catalogue
from engine.catalogue.database import HEAD
from engine.catalogue.tables import LIVE, STAGED, Base, Collection, Document, Photo, Region, Sentence
from engine.exceptions import CatalogueError, UnknownCollection


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


def test_newest_migration_is_the_one_that_opening_looks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(engine.catalogue.__file__).parent / "migrations"))
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
