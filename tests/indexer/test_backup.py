"""Backups: what is published goes into one file and comes back in either database; nothing is overwritten."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from engine.catalogue import Catalogue
from engine.catalogue.tables import ApiKey, Photo, PhotoAttribute, PhotoTag
from engine.exceptions import BackupDamaged, BadRequest, StorageError
from engine.search import SearchRequest, SearchService
from engine.settings import Settings
from engine.verification import verify_collection
from indexer.backup.archive import reading
from indexer.backup.back_up import BackupReport, back_up
from indexer.backup.restore import RestoreReport, restore_backup
from tests.postgresql_server import PostgresServer
from tests.workspace import Workspace

PHOTOS = 5
NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)
ONE = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)


@pytest.fixture
def indexed(workspace: Workspace) -> Workspace:
    """A published collection with metadata and an API key, and a run's staged rows beside it."""
    for number in range(PHOTOS):
        workspace.photo(f"folder/{number}.png", number)
    workspace.text("folder/0.txt", "A dog runs. The sun shines.")
    workspace.index()
    (workspace.photos / "folder/4.png").unlink()
    workspace.index()  # ids have a gap now
    workspace.photo("folder/4.png", 4)
    workspace.index()
    with closing(Catalogue(workspace.settings.catalogue_url)) as catalogue, catalogue.write() as connection:
        first = connection.scalars(select(Photo.id).order_by(Photo.id)).first()
        connection.execute(insert(PhotoTag), {"photo_id": first, "tag": "größe"})
        connection.execute(insert(PhotoAttribute), {"photo_id": first, "name": "iso", "text": None, "number": 0.1})
        staged = {"collection_id": 1, "state": "staged", "path": "/s", "root": "/s", "size": 1, "mtime_ns": 1}
        more = {"content_hash": "h", "model_hash": "0", "width": 1, "height": 1, "vectors": b"1234"}
        connection.execute(insert(Photo), {**staged, **more})
    return workspace


@pytest.fixture(params=["sqlite", "postgresql"])
def restored(request: pytest.FixtureRequest, postgresql: PostgresServer, tmp_path: Path) -> Iterator[Settings]:
    """A new home, and an empty database of either kind, whatever the backup came from."""
    if request.param == "sqlite":
        yield Settings(home=tmp_path / "new home", database_url=None)
        return
    database = postgresql.new_database()
    yield Settings(home=tmp_path / "new home", database_url=database.render_as_string(hide_password=False))
    postgresql.drop(database)


def take(workspace: Workspace, file: Path, photos: bool = False) -> BackupReport:
    with closing(Catalogue(workspace.settings.catalogue_url)) as catalogue:
        return back_up(file, catalogue, workspace.settings, photos)


def bring_back(file: Path, settings: Settings, photos: Path | None = None) -> RestoreReport:
    with closing(Catalogue(settings.catalogue_url)) as catalogue:
        return restore_backup(file, catalogue, settings, photos)


def found(settings: Settings, workspace: Workspace) -> list[tuple[int, float]]:
    with closing(Catalogue(settings.catalogue_url)) as catalogue:
        service = SearchService(catalogue, settings.home, workspace.encoder)
        return [
            (hit.id, hit.score) for hit in service.search_text("two dogs run", SearchRequest(("test",), k=100)).hits
        ]


def opened(settings: Settings, workspace: Workspace) -> Workspace:
    """The restored home as a workspace over the same photos."""
    made = Workspace(settings.home.parent / "opened", photos=workspace.photos)
    made.settings = settings
    return made


def test_a_restored_backup_holds_and_finds_the_same_in_either_database(
    indexed: Workspace, restored: Settings, tmp_path: Path
) -> None:
    contents, hits = indexed.contents(), found(indexed.settings, indexed)
    report = take(indexed, tmp_path / "backup.tar")
    assert (report.collections, report.photos, report.sentences, report.missing) == (1, PHOTOS, 2, [])
    back = bring_back(tmp_path / "backup.tar", restored)
    assert (back.collections, back.photos, back.sentences, back.photo_files) == (1, PHOTOS, 2, 0)
    after = opened(restored, indexed)
    assert after.contents() == contents
    assert found(restored, indexed) == hits
    assert len(hits) == PHOTOS
    with closing(Catalogue(restored.catalogue_url)) as catalogue:
        assert verify_collection(catalogue, "test", restored).problems == []
        with catalogue.read() as connection:
            assert connection.execute(select(PhotoTag.tag)).scalar_one() == "größe"
            assert connection.execute(select(PhotoAttribute.number)).scalar_one() == 0.1
    assert after.staged_photos() == 0
    assert not list(restored.home.glob(".*"))
    assert not list(indexed.settings.home.glob(".*"))


def test_a_restored_collection_can_be_indexed_further(indexed: Workspace, restored: Settings, tmp_path: Path) -> None:
    take(indexed, tmp_path / "backup.tar")
    bring_back(tmp_path / "backup.tar", restored)
    after = opened(restored, indexed)
    after.photo("folder/new.png", 77)
    report = after.index()
    assert (report.added, report.unchanged, report.photos) == (1, PHOTOS + 1, PHOTOS + 1)
    assert after.encoder.photos == 1


def test_photos_come_along_if_asked_for(indexed: Workspace, restored: Settings, tmp_path: Path) -> None:
    indexed.photo("folder/0.png", 1234)  # not the one that was indexed
    report = take(indexed, tmp_path / "backup.tar", photos=True)
    assert report.missing == [str(indexed.photos / "folder/0.png")]
    assert report.photo_files == PHOTOS - 1
    elsewhere = tmp_path / "photos of the backup"
    assert bring_back(tmp_path / "backup.tar", restored, elsewhere).photo_files == PHOTOS - 1
    with closing(Catalogue(restored.catalogue_url)) as catalogue:
        paths = {Path(photo.path).name: Path(photo.path) for photo in catalogue.photo_page("test", 0, 100)}
    for number in range(1, PHOTOS):
        assert paths[f"{number}.png"].is_relative_to(elsewhere)
        assert paths[f"{number}.png"].read_bytes() == (indexed.photos / f"folder/{number}.png").read_bytes()
    assert paths["0.png"] == indexed.photos / "folder/0.png"


def test_uploaded_files_always_come_along_and_are_named_in_the_new_home(
    indexed: Workspace, restored: Settings, tmp_path: Path
) -> None:
    upload = indexed.settings.home / "uploads/1/photos/ab.png"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"bytes of the photo")
    moved = {"path": str(upload), "root": str(upload.parents[1]), "managed": True, "name": "My beach.png"}
    with closing(Catalogue(indexed.settings.catalogue_url)) as catalogue, catalogue.write() as connection:
        number = connection.scalars(select(Photo.id).where(Photo.state == "live").order_by(Photo.id)).first()
        connection.execute(update(Photo).where(Photo.id == number).values(moved))
    assert take(indexed, tmp_path / "backup.tar").photo_files == 1
    upload.unlink()
    bring_back(tmp_path / "backup.tar", restored)
    with closing(Catalogue(restored.catalogue_url)) as catalogue:
        photo = catalogue.photo(number or 0)
    assert photo.name == "My beach.png"
    assert Path(photo.path) == restored.home / "uploads/1/photos/ab.png"
    assert Path(photo.path).read_bytes() == b"bytes of the photo"


def test_backups_while_a_writer_publishes_are_whole(indexed: Workspace, tmp_path: Path) -> None:
    stop = threading.Event()

    def publish() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            indexed.photo("folder/changing.png", number)
            indexed.index()

    writer = threading.Thread(target=publish)
    writer.start()
    try:
        for number in range(4):
            take(indexed, tmp_path / f"{number}.tar")
    finally:
        stop.set()
        writer.join()
    for number in range(4):
        settings = Settings(home=tmp_path / str(number), database_url=None)
        bring_back(tmp_path / f"{number}.tar", settings)
        with closing(Catalogue(settings.catalogue_url)) as catalogue:
            assert verify_collection(catalogue, "test", settings).problems == []


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip_in_a_header(data: bytes) -> bytes:
    return data[:300] + bytes([data[300] ^ 1]) + data[301:]


@ONE
@pytest.mark.parametrize("restored", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", [cut, flip_in_a_header, lambda _: b"", lambda _: b"no archive" * 1000])
def test_damage_is_found_before_anything_is_touched(
    indexed: Workspace, restored: Settings, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "backup.tar"
    take(indexed, file)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(BackupDamaged, match=r"is damaged \(.*\); nothing was changed"):
        bring_back(file, restored)
    assert not (restored.home / "collections").exists()
    with closing(Catalogue(restored.catalogue_url)) as catalogue:
        assert catalogue.collections() == []


@ONE
@pytest.mark.parametrize("restored", ["sqlite"], indirect=True)
def test_every_bit_of_a_member_counts(indexed: Workspace, restored: Settings, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    take(indexed, file)
    whole = file.read_bytes()
    with reading(file) as archive:
        names = [name for name, mark in archive.files.items() if mark.size]
        places = {name: archive.open(name).read() for name in names}
    for name, data in places.items():
        at = whole.index(data) + len(data) - 1
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :])
        with pytest.raises(BackupDamaged, match=f"{name} does not match its checksum"):
            bring_back(file, restored)


@ONE
def test_nothing_is_overwritten(indexed: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    take(indexed, file)
    before, contents = file.read_bytes(), indexed.contents()
    with pytest.raises(BadRequest, match="is there already"):
        take(indexed, file)
    assert file.read_bytes() == before
    with pytest.raises(BadRequest, match="the catalogue is in use"):
        bring_back(file, indexed.settings)
    assert indexed.contents() == contents
    settings = Settings(home=tmp_path / "other", database_url=None)
    (settings.home / "collections/1").mkdir(parents=True)
    with pytest.raises(BadRequest, match="is there already"):
        bring_back(file, settings)
    (settings.home / "collections/1").rmdir()
    (tmp_path / "photos").mkdir(exist_ok=True)
    take(indexed, tmp_path / "with.tar", photos=True)
    with pytest.raises(BadRequest, match="is there already"):
        bring_back(tmp_path / "with.tar", settings, tmp_path / "photos")
    bring_back(file, settings)  # and with nothing in the way it works


@ONE
def test_only_its_owner_may_read_a_backup(indexed: Workspace, tmp_path: Path) -> None:
    take(indexed, tmp_path / "backup.tar")
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0


@ONE
def test_a_backup_that_cannot_be_written_is_one_sentence_and_leaves_nothing(indexed: Workspace, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        take(indexed, tmp_path / "no such folder" / "backup.tar")
    assert not list(indexed.settings.home.glob(".backup*"))


@ONE
def test_keys_come_back_and_times_with_their_zone(indexed: Workspace, restored: Settings, tmp_path: Path) -> None:
    with closing(Catalogue(indexed.settings.catalogue_url)) as catalogue, catalogue.write() as connection:
        row = {"name": "web", "digest": "d" * 64, "scope": "read", "created_at": NOON}
        connection.execute(insert(ApiKey), row)
    take(indexed, tmp_path / "backup.tar")
    bring_back(tmp_path / "backup.tar", restored)
    with closing(Catalogue(restored.catalogue_url)) as catalogue, catalogue.read() as connection:
        key = connection.execute(select(ApiKey)).one()
    assert (key.name, key.digest, key.created_at, key.revoked_at) == ("web", "d" * 64, NOON, None)
