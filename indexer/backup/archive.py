"""One file that holds many: a tar whose last member lists size and SHA-256 of the others.

    catalogue/photos.jsonl, collections/1/000001-1a2b/...
    manifest.json      what the archive is, the marks of the other members, and the hash of all that

An archive that is cut short has no manifest, and one that was changed does not match it.
"""

import contextlib
import hashlib
import io
import json
import os
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

from engine.exceptions import BackupDamaged, BadRequest, StorageError
from engine.manifest import FileMark

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 2**20  # bytes that are read at once


class ArchiveWriter:
    """Adds members to an archive; see `writing`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w")  # noqa: SIM115  `finish` closes it
        self._marks: dict[str, FileMark] = {}

    def add(self, name: str, path: Path) -> None:
        """Add a file."""
        with path.open("rb") as source:
            reader = _HashingReader(source)
            member = tarfile.TarInfo(name)
            member.size = os.fstat(source.fileno()).st_size
            self._tar.addfile(member, cast("BinaryIO", reader))
        self._marks[name] = FileMark(member.size, reader.sha256.hexdigest())

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a file of these bytes."""
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
        self._marks[name] = FileMark(len(data), hashlib.sha256(data).hexdigest())

    def finish(self, description: dict[str, Any]) -> None:
        """Add the manifest, with a description of what the archive is, and end the archive."""
        files = {name: [mark.size, mark.sha256] for name, mark in self._marks.items()}
        content = {"format": FORMAT, "description": description, "files": files}
        document = {"manifest": content, "sha256": _digest(content)}
        self.add_bytes(MANIFEST, json.dumps(document).encode())
        self._tar.close()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """Write an archive aside and give it its name when the block has ended; only its owner may read it.

    Raises:
        BadRequest: there is a file of that name already.
        StorageError: it cannot be written. Nothing is left behind in either case.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _refuse_to_overwrite(path)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield ArchiveWriter(file)
            file.flush()
            os.fsync(file.fileno())
        _refuse_to_overwrite(path)
        aside.rename(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)


class Archive:
    """An archive to read; see `reading`."""

    def __init__(self, tar: tarfile.TarFile, path: Path) -> None:
        self._tar, self._path = tar, path
        self._members = {member.name: member for member in tar.getmembers()}
        content = self._manifest()
        self.description: dict[str, Any] = content["description"]
        self.files = {name: FileMark(*mark) for name, mark in content["files"].items()}

    def check(self) -> None:
        """Compare every byte with its checksum.

        Raises:
            BackupDamaged: the archive is not what was written.
        """
        if set(self._members) != {*self.files, MANIFEST}:
            raise self._damaged("its files are not those of its list")
        for name, mark in self.files.items():
            if not _is_inside(name) or not self._members[name].isreg():
                raise self._damaged(f"{name} is no file of a backup")
            with self.open(name) as file:
                reader = _HashingReader(file)
                while reader.read(PIECE):
                    pass
            if (self._members[name].size, reader.sha256.hexdigest()) != (mark.size, mark.sha256):
                raise self._damaged(f"{name} does not match its checksum")

    def open(self, name: str) -> IO[bytes]:
        """Open a member."""
        file = self._tar.extractfile(self._members[name])
        assert file is not None, "checked to be a file"
        return file

    def extract(self, name: str, path: Path) -> None:
        """Write a member to a path that is not there yet, and bring it to the disk."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.open(name) as source, path.open("xb") as target:
            while piece := source.read(PIECE):
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())

    def _manifest(self) -> dict[str, Any]:
        if MANIFEST not in self._members:
            raise self._damaged("it has no end, or is no backup")
        document = json.loads(self.open(MANIFEST).read())
        content = document["manifest"]
        if _digest(content) != document["sha256"]:
            raise self._damaged("its list does not match its checksum")
        if content["format"] != FORMAT:
            raise BadRequest(f"{self._path} was written by a newer dvsa; restore it with that")
        return dict(content)

    def _damaged(self, reason: str) -> BackupDamaged:
        return BackupDamaged(f"the backup {self._path} is damaged ({reason}); nothing was changed")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """Open an archive.

    Raises:
        BackupDamaged: it is cut short, changed, or none.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            yield Archive(tar, path)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(f"the backup {path} is damaged ({error}); nothing was changed") from error


class _HashingReader:
    """Reads a file and hashes what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


def _refuse_to_overwrite(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise BadRequest(f"{path} is there already; name another file for the backup")


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
