"""Tags, attributes and dates of photos in the catalogue, and the migration that brought them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import URL, Connection, delete, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from engine.catalogue import Catalogue
from engine.catalogue.database import HEAD
from engine.catalogue.metadata import PhotoMetadata, photo_metadata
from engine.catalogue.tables import LIVE, Collection, Job, Photo, PhotoAttribute, PhotoTag
from tests.engine.catalogued import run_migrations

NOON = datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def catalogue(catalogue_url: URL) -> Iterator[Catalogue]:
    """A catalogue with two photos; the first has metadata."""
    made = Catalogue(catalogue_url)
    with made.write() as connection:
        connection.execute(insert(Collection), {"name": "test", "model_hash": "0", "dimension": 4})
        for number in (1, 2):
            row = {"state": LIVE, "path": f"/p/{number}.jpg", "root": "/p", "size": 1, "mtime_ns": 1}
            more = {"content_hash": "h", "model_hash": "0", "width": 3, "height": 2, "taken_at": NOON}
            connection.execute(insert(Photo), {"collection_id": 1, **row, **more})
        connection.execute(insert(PhotoTag), [{"photo_id": 1, "tag": tag} for tag in ("snow", "Dog")])
        connection.execute(
            insert(PhotoAttribute),
            [
                {"photo_id": 1, "name": "iso", "text": None, "number": 400},
                {"photo_id": 1, "name": "camera", "text": "X100", "number": None},
            ],
        )
    yield made
    made.close()


def test_metadata_of_photos_that_have_some_and_none(catalogue: Catalogue) -> None:
    found = photo_metadata(catalogue, [2, 1])
    assert found[1] == PhotoMetadata(["Dog", "snow"], {"camera": "X100", "iso": 400.0})
    assert found[2] == PhotoMetadata()
    assert list(found[1].attributes) == ["camera", "iso"]


def test_metadata_goes_with_its_photo(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        connection.execute(delete(Photo).where(Photo.id == 1))
        assert not connection.execute(select(PhotoTag)).all()
        assert not connection.execute(select(PhotoAttribute)).all()


def test_moments_come_back_as_they_were_whatever_their_zone(catalogue: Catalogue) -> None:
    assert catalogue.photo(1).taken_at == NOON
    with catalogue.read() as connection:
        earlier = select(Photo.id).where(Photo.taken_at < datetime(2024, 5, 1, 10, 0, 1, tzinfo=UTC))
        assert len(connection.execute(earlier).all()) == 2
        assert not connection.execute(earlier.where(Photo.taken_at < datetime(2024, 5, 1, 10, tzinfo=UTC))).all()


def test_photo_is_called_as_its_uploader_did_or_as_its_file(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        connection.execute(text("UPDATE photos SET name = 'My beach.jpg', managed = true WHERE id = 1"))
    assert [photo.name for photo in catalogue.photo_page("test", 0, 2)] == ["My beach.jpg", "2.jpg"]


def add_job(connection: Connection, state: str, collection: int | None) -> None:
    row = {"kind": "index", "collection": "test", "request": {}, "created_at": NOON}
    connection.execute(insert(Job), {**row, "state": state, "collection_id": collection})


def test_database_lets_one_job_of_a_collection_run(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        for state in ("queued", "queued", "running", "done", "done"):
            add_job(connection, state, 1)
        with pytest.raises(IntegrityError), connection.begin_nested():
            add_job(connection, "running", 1)
        connection.execute(insert(Collection), {"name": "other", "model_hash": "0", "dimension": 4})
        add_job(connection, "running", 2)
        connection.execute(delete(Collection).where(Collection.id == 1))
        kept = [tuple(row) for row in connection.execute(select(Job.collection_id, Job.collection).order_by(Job.id))]
    assert kept == [(None, "test")] * 5 + [(2, "test")]


def test_tables_of_the_service_can_be_taken_back_and_nothing_else_goes(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        before = connection.execute(text("SELECT id, path, content_hash FROM photos")).all()
        run_migrations(connection, "0002")
        assert connection.execute(text("SELECT id, path, content_hash FROM photos")).all() == before
        names = inspect(connection).get_table_names()
        assert not {"photo_tags", "photo_attributes", "jobs", "api_keys"} & set(names)
        run_migrations(connection, HEAD)
    photo = catalogue.photo(1)
    assert (photo.name, photo.taken_at) == ("1.jpg", None)
    assert photo_metadata(catalogue, [1])[1] == PhotoMetadata()


def test_catalogue_of_the_version_before_is_brought_up_to_date(catalogue: Catalogue, catalogue_url: URL) -> None:
    with catalogue.write() as connection:
        run_migrations(connection, "0002")
    opened = Catalogue(catalogue_url)
    assert [photo.name for photo in opened.photo_page("test", 0, 5)] == ["1.jpg", "2.jpg"]
    with opened.read() as connection:
        flags = [tuple(row) for row in connection.execute(select(Photo.managed, Photo.dated))]
        assert flags == [(False, False)] * 2
    opened.close()
