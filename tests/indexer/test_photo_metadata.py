"""Tags, attributes and dates of photos through indexing: what people say stays, what the file says is read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import insert, update

from engine.catalogue import Catalogue
from engine.catalogue.metadata import PhotoMetadata, photo_metadata
from engine.catalogue.tables import Photo
from indexer.metadata import add_tags, set_attributes
from tests.workspace import Workspace, make_photo

GIVEN = datetime(1999, 12, 31, tzinfo=UTC)


def dated_photo(path: Path, seed: int, date: str) -> Path:
    """Write a photo whose EXIF says when it was taken."""
    make_photo(path, seed)
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x010F] = "a maker"  # without a field of its own Pillow writes none into a PNG
        exif.get_ifd(0x8769)[0x9003] = date
        image.copy().save(path, exif=exif)
    return path


@pytest.fixture
def described_photos(workspace: Workspace) -> Workspace:
    """Two photos, indexed; the first is dated, and described by a person."""
    dated_photo(workspace.photos / "a.png", 1, "2024:05:01 12:30:00")
    workspace.photo("b.png", 2)
    workspace.index()
    catalogue = Catalogue(workspace.settings.catalogue_url)
    with catalogue.write() as connection:
        number = catalogue.photo_page("test", 0, 1)[0].id
        add_tags(connection, number, ["dog", "snow", "dog"])
        set_attributes(connection, number, {"iso": 400, "camera": "X100", "lens": "50"})
        set_attributes(connection, number, {"iso": 800, "lens": None})
    catalogue.close()
    return workspace


def described(workspace: Workspace) -> dict[str, tuple[PhotoMetadata, datetime | None]]:
    catalogue = Catalogue(workspace.settings.catalogue_url)
    photos = catalogue.photo_page("test", 0, 100)
    metadata = photo_metadata(catalogue, [photo.id for photo in photos])
    catalogue.close()
    return {photo.name: (metadata[photo.id], photo.taken_at) for photo in photos}


KNOWN = PhotoMetadata(["dog", "snow"], {"camera": "X100", "iso": 800.0})
MAY = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


def test_an_unchanged_photo_keeps_what_is_known(described_photos: Workspace) -> None:
    described_photos.index()
    assert described(described_photos) == {"a.png": (KNOWN, MAY), "b.png": (PhotoMetadata(), None)}


def test_a_renamed_photo_keeps_what_is_known(described_photos: Workspace) -> None:
    (described_photos.photos / "a.png").rename(described_photos.photos / "c.png")
    assert described_photos.index().moved == 1
    assert described(described_photos)["c.png"] == (KNOWN, MAY)


def test_a_changed_photo_keeps_what_was_said_and_takes_the_date_of_the_new_file(described_photos: Workspace) -> None:
    dated_photo(described_photos.photos / "a.png", 3, "2025:01:01 00:00:00")
    assert described_photos.index().added == 1
    assert described(described_photos)["a.png"] == (KNOWN, datetime(2025, 1, 1, tzinfo=UTC))


def test_a_date_that_a_person_gave_holds_against_the_file(described_photos: Workspace) -> None:
    catalogue = Catalogue(described_photos.settings.catalogue_url)
    with catalogue.write() as connection:
        connection.execute(update(Photo).where(Photo.taken_at.is_not(None)).values(taken_at=GIVEN, dated=True))
    catalogue.close()
    for seed in (3, 4):
        dated_photo(described_photos.photos / "a.png", seed, "2025:01:01 00:00:00")
        described_photos.index()
        assert described(described_photos)["a.png"] == (KNOWN, GIVEN)


def test_a_rebuild_keeps_what_is_known(described_photos: Workspace) -> None:
    described_photos.index(rebuild=True)
    assert described(described_photos)["a.png"] == (KNOWN, MAY)


def test_a_copy_of_a_photo_has_its_own_metadata_and_the_same_date(described_photos: Workspace) -> None:
    (described_photos.photos / "c.png").write_bytes((described_photos.photos / "a.png").read_bytes())
    described_photos.index()
    assert described(described_photos)["c.png"] == (PhotoMetadata(), MAY)
    assert described(described_photos)["a.png"] == (KNOWN, MAY)


def test_what_another_run_staged_is_left_to_it(tmp_path: Path, workspace: Workspace) -> None:
    workspace.photo("a.png", 1)
    workspace.index()
    other = make_photo(tmp_path / "other" / "b.png", 2)
    catalogue = Catalogue(workspace.settings.catalogue_url)
    with catalogue.write() as connection:
        row = {"collection_id": 1, "state": "staged", "path": str(other), "root": str(other.parent), "size": 1}
        more = {"mtime_ns": 1, "content_hash": "0" * 64, "model_hash": "0" * 64, "width": 1, "height": 1}
        connection.execute(insert(Photo), {**row, **more, "vectors": b""})
    catalogue.close()
    workspace.photo("c.png", 3)
    workspace.index()
    assert workspace.staged_photos() == 1
    workspace.index(other.parent)
    assert workspace.staged_photos() == 0
    assert set(described(workspace)) == {"a.png", "b.png", "c.png"}
