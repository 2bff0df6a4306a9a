"""Restores a backup into an empty home and an empty catalogue, of either database.

1. check     every byte of the archive; nothing has been touched where it is damaged
2. extract   its files into a folder aside, in the home
3. fill      one transaction: the rows, and as its last step the files get their names
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, select

from engine.catalogue import Catalogue
from engine.catalogue.database import HEAD
from engine.catalogue.tables import Collection, Document, Photo
from engine.exceptions import BadRequest, StorageError
from engine.settings import Settings
from indexer.backup.archive import Archive, reading
from indexer.backup.back_up import PHOTOS
from indexer.backup.rows import TABLES, Row, continue_ids, read_rows


@dataclass(frozen=True)
class RestoreReport:
    """What a restored backup held.

    Attributes:
        collections, photos, sentences: that can be searched again.
        photo_files: photos of indexed folders that were written; uploaded ones always are.
    """

    collections: int
    photos: int
    sentences: int
    photo_files: int


def restore_backup(file: Path, catalogue: Catalogue, settings: Settings, photos: Path | None = None) -> RestoreReport:
    """Fill an empty catalogue and its home from a backup.

    Args:
        file: the backup.
        catalogue: of the settings.
        settings: where the collections will be.
        photos: a new folder for the photos of indexed folders that the backup holds; None leaves them in the backup,
            and the catalogue goes on naming where they were.

    Raises:
        BackupDamaged: the backup is not what was written.
        BadRequest: there are collections, or files in the way, or the backup is of a newer version.
        StorageError: the files cannot be written. In all these cases nothing has changed.
    """
    home = settings.home.absolute()
    with reading(file) as archive:
        archive.check()
        _refuse_newer(archive, file)
        targets = _targets(archive, home, photos)
        _refuse_to_overwrite(catalogue, [target for _, target in targets])
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as aside:
                return _fill(archive, Path(aside), catalogue, targets, _new_paths(archive, home, photos))
        except OSError as error:
            raise StorageError(f"cannot write to {error.filename or home}: {error.strerror or error}") from error


def _fill(
    archive: Archive,
    aside: Path,
    catalogue: Catalogue,
    targets: list[tuple[str, Path]],
    change: Callable[[Table, Row], Row],
) -> RestoreReport:
    wanted = {top for top, _ in targets}
    names = [name for name in archive.files if _top(name) in wanted]
    for name in names:
        archive.extract(name, aside / name)
    with catalogue.write() as connection:
        _refuse_rows(connection)
        for table in TABLES:
            name = f"catalogue/{table.name}.jsonl"
            if name not in archive.files:  # a table that the version which wrote it did not have
                continue
            with archive.open(name) as lines:
                read_rows(connection, table, lines, lambda row, table=table: change(table, row))  # type: ignore[misc]
        continue_ids(connection)
        counts = [func.count(), func.sum(Collection.photo_count), func.sum(Collection.sentence_count)]
        held = connection.execute(select(*counts)).one()
        _move(aside, targets)
    return RestoreReport(held[0], held[1] or 0, held[2] or 0, sum(name.startswith(f"{PHOTOS}/") for name in names))


def _targets(archive: Archive, home: Path, photos: Path | None) -> list[tuple[str, Path]]:
    """Return each folder of the archive that gets a name of its own, and that name: none may be there already."""
    tops = sorted({_top(name) for name in archive.files if name.startswith(("collections/", "uploads/"))})
    found = [(top, home / top) for top in tops]
    if photos is not None and any(name.startswith(f"{PHOTOS}/") for name in archive.files):
        found.append((PHOTOS, photos.absolute()))
    return found


def _top(name: str) -> str:
    """The folder of a member that is moved as a whole, as collections/1 or photos."""
    parts = name.split("/")
    return parts[0] if parts[0] == PHOTOS else "/".join(parts[:2])


def _new_paths(archive: Archive, home: Path, photos: Path | None) -> Callable[[Table, Row], Row]:
    """Return what gives a row its paths in this home."""
    before = str(archive.description["home"])
    held = {name.removeprefix(PHOTOS) for name in archive.files if name.startswith(f"{PHOTOS}/")} if photos else set()

    def moved(path: str) -> str:
        return str(home) + path.removeprefix(before) if path.startswith(before + "/") else path

    def change(table: Table, row: Row) -> Row:
        if table not in (Photo.__table__, Document.__table__):
            return row
        if photos is not None and row["path"] in held:
            new = {name: str(photos.absolute()) + row[name] for name in ("path", "root")}
        else:
            new = {name: moved(row[name]) for name in ("path", "root")} if row["managed"] else {}
        return row | new

    return change


def _refuse_newer(archive: Archive, file: Path) -> None:
    tables = str(archive.description["tables"])
    if tables > HEAD:
        raise BadRequest(f"{file} has tables of version {tables}, which a newer dvsa knows; restore it with that")


def _refuse_to_overwrite(catalogue: Catalogue, targets: list[Path]) -> None:
    with catalogue.read() as connection:
        _refuse_rows(connection)
    for target in targets:
        if target.exists() or target.is_symlink():
            raise BadRequest(f"{target} is there already; a backup is restored where there is nothing of that name")


def _refuse_rows(connection: Connection) -> None:
    for table in TABLES:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise BadRequest(
                "the catalogue is in use; a backup is restored into an empty one: set DVSA_HOME to a new folder, and "
                "DVSA_DATABASE_URL, where it is used, to a new database"
            )


def _move(aside: Path, targets: list[tuple[str, Path]]) -> None:
    """Give the folders their names; all or none."""
    done: list[Path] = []
    try:
        for top, target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(aside / top, target)
            done.append(target)
        for folder in {target.parent for target in done}:
            _sync(folder)
    except BaseException:
        for target in done:
            shutil.rmtree(target, ignore_errors=True)
        raise


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
