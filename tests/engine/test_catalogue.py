"""The catalogue, in SQLite and in PostgreSQL: what it reads, and what its transactions promise."""

import threading

import numpy as np
import pytest
from sqlalchemy import URL, delete, insert, select, text

from engine.catalogue import Catalogue
from engine.catalogue.tables import LIVE, Collection, Document, Photo
from engine.exceptions import BadRequest, UnknownCollection, UnknownPhoto


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


def test_unknown_collection_in_an_empty_catalogue_says_how_to_make_one(catalogue_url: URL) -> None:
    empty = Catalogue(catalogue_url)
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


def test_a_name_that_no_text_can_hold_is_the_callers_mistake(catalogue: Catalogue) -> None:
    with pytest.raises((UnknownCollection, BadRequest)):  # SQLite looks for it and finds none
        catalogue.collection("te\0st")
