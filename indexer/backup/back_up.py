"""Takes a backup: what is published, as one transaction sees it, while searches and a writer go on.

    1. hold      one transaction reads the catalogue; hard links hold the snapshots that it names, and the uploads
    2. write     rows, snapshots, uploads and, if asked for, the photos of indexed folders go into one archive

A writer that publishes meanwhile deletes its names of the old snapshot; the links keep the files.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from engine.catalogue import Catalogue
from engine.catalogue.database import HEAD
from engine.catalogue.tables import LIVE, Collection, Document, Photo
from engine.exceptions import CollectionBusy, StorageError
from engine.settings import Settings
from indexer.backup.archive import ArchiveWriter, writing
from indexer.backup.rows import write_rows

PHOTOS = "photos"  # the archive's folder of photos of indexed folders, under their absolute paths
TRIES = 5  # a snapshot may be replaced between the catalogue's word and the link


@dataclass
class BackupReport:
    """What a backup holds.

    Attributes:
        collections, photos, sentences: that are published.
        photo_files: photos whose files it holds: uploaded ones, and those of indexed folders if asked for.
        missing: paths of files that it should hold, but that are gone or not as they were indexed.
    """

    collections: int = 0
    photos: int = 0
    sentences: int = 0
    photo_files: int = 0
    missing: list[str] = field(default_factory=list)


def back_up(file: Path, catalogue: Catalogue, settings: Settings, photos: bool = False) -> BackupReport:
    """Write a backup of all collections.

    Args:
        file: where to; it must not be there yet.
        catalogue: of the settings.
        settings: where the collections are.
        photos: take the photos of indexed folders, too; uploaded ones are always taken.

    Raises:
        BadRequest: the file is there already.
        StorageError: the file or a link cannot be written; nothing is left behind.
    """
    report = BackupReport()
    with writing(file) as archive, _aside(settings) as aside:
        outside = _hold(aside, catalogue, settings, report)
        for path in sorted(path for path in aside.rglob("*") if path.is_file()):
            archive.add(path.relative_to(aside).as_posix(), path)
        if photos:
            _add_photos(archive, outside, report)
        archive.finish({"home": str(settings.home.absolute()), "tables": HEAD, "photos": photos})
    return report


@contextlib.contextmanager
def _aside(settings: Settings) -> Iterator[Path]:
    """A folder in the home, where files of the home can be linked."""
    home = settings.home.absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(prefix=".backup-", dir=home)
    except OSError as error:
        raise StorageError(f"cannot write to {home}: {error.strerror or error}") from error
    with made as name:
        yield Path(name)


def _hold(aside: Path, catalogue: Catalogue, settings: Settings, report: BackupReport) -> list[tuple[str, str]]:
    """Put rows and links of one state into the folder; returns path and hash of the photos that lie elsewhere."""
    for _ in range(TRIES):
        with catalogue.read() as connection:
            if _link_snapshots(aside, connection, settings, report):
                (aside / "catalogue").mkdir()
                write_rows(connection, aside / "catalogue")
                return _link_uploads(aside, connection, settings, report)
        shutil.rmtree(aside / "collections", ignore_errors=True)
    raise CollectionBusy("collections are published faster than they can be held; try again when that has ended")


def _link_snapshots(folder: Path, connection: Connection, settings: Settings, report: BackupReport) -> bool:
    """Link the published snapshots; False where one has been replaced meanwhile."""
    rows = connection.execute(select(Collection)).all()
    report.collections = len(rows)
    report.photos, report.sentences = (sum(row.photo_count for row in rows), sum(row.sentence_count for row in rows))
    for row in rows:
        if row.snapshot is None:
            continue
        source = settings.snapshot_directory(row.id, row.snapshot)
        try:
            _link_tree(source, folder / source.relative_to(settings.home.absolute()))
        except FileNotFoundError:
            return False
    return True


def _link_uploads(
    folder: Path, connection: Connection, settings: Settings, report: BackupReport
) -> list[tuple[str, str]]:
    """Link the files that were uploaded; returns path and hash of the photos that were not."""
    home = settings.home.absolute()
    outside = []
    for row in connection.execute(
        select(Photo.path, Photo.managed, Photo.content_hash).where(Photo.state == LIVE).order_by(Photo.id)
    ):
        if row.managed:
            report.photo_files += _link(Path(row.path), home, folder, report)
        else:
            outside.append((row.path, row.content_hash))
    for path in connection.scalars(select(Document.path).where(Document.state == LIVE, Document.managed)):
        _link(Path(path), home, folder, report)
    return outside


def _link(path: Path, home: Path, folder: Path, report: BackupReport) -> bool:
    target = folder / path.relative_to(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except FileNotFoundError:
        report.missing.append(str(path))
        return False
    return True


def _link_tree(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise FileNotFoundError(source)
    for path in sorted(source.rglob("*")):
        link = target / path.relative_to(source)
        if path.is_dir():
            link.mkdir(parents=True, exist_ok=True)
        else:
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, link)


def _add_photos(archive: ArchiveWriter, outside: list[tuple[str, str]], report: BackupReport) -> None:
    """Add the photos of indexed folders, as they were indexed; those that changed are named."""
    for path, content_hash in dict.fromkeys(outside):
        try:
            data = Path(path).read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() == content_hash:
            archive.add_bytes(f"{PHOTOS}{path}", data)
            report.photo_files += 1
        else:
            report.missing.append(path)
