"""The folder of what was uploaded into a collection.

    incoming/TOKEN/           the files of one job, until it begins; whole or not at all
    photos/ab/abcd....jpg     photos under the hash of their content
    documents/TOKEN.json      sentences that came over HTTP

Names come from content and chance, never from who sent it. What lies in photos/ and documents/ belongs to rows of the
catalogue; an indexing run of other paths leaves it alone, because its root is this folder.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from engine.exceptions import StorageError
from engine.settings import Settings
from model.exceptions import PhotoError
from model.photo import photo_suffix

LONGEST_NAME = 200  # characters of a file's name, which is only shown


@dataclass(frozen=True)
class UploadedPhoto:
    """A photo in the folder: its file's name there, and what the uploader calls it."""

    file: str
    name: str


@dataclass(frozen=True)
class Refusal:
    """An uploaded file that is not taken, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class UploadedSentence:
    """A sentence, and the path of the photo that it describes, if any."""

    text: str
    photo: str | None = None


class UploadFolder:
    """The folder of one collection; see the module."""

    def __init__(self, settings: Settings, collection_id: int) -> None:
        self.root = settings.uploads_directory(collection_id)
        self._max_pixels, self._max_bytes = settings.max_pixels, settings.max_upload_bytes

    def receive_photos(
        self, files: Iterable[tuple[str | None, BinaryIO]]
    ) -> tuple[str, list[UploadedPhoto], list[Refusal]]:
        """Put uploaded files aside for a job, durably.

        Args:
            files: what each is called, and its content.

        Returns:
            The token of the job, the photos in the order given, and what is no photo; a photo that comes twice is
            taken once.

        Raises:
            StorageError: they cannot be written.
        """
        photos: dict[str, UploadedPhoto] = {}
        refused = []
        with self._arriving() as (token, folder):
            for number, (called, stream) in enumerate(files, start=1):
                name, data = shown_name(called) or f"photo {number}", stream.read(self._max_bytes + 1)
                try:
                    file = self._file_name(data)
                except PhotoError as error:
                    refused.append(Refusal(name, str(error)))
                    continue
                if file not in photos:
                    (folder / file).write_bytes(data)
                    photos[file] = UploadedPhoto(file, name)
        return token, list(photos.values()), refused

    def _file_name(self, data: bytes) -> str:
        if len(data) > self._max_bytes:
            raise PhotoError(f"is larger than {self._max_bytes:,} bytes")
        return hashlib.sha256(data).hexdigest() + photo_suffix(data, self._max_pixels)

    def receive_sentences(self, sentences: Sequence[UploadedSentence]) -> str:
        """Put sentences aside for a job, durably; returns its token.

        Raises:
            StorageError: they cannot be written.
        """
        with self._arriving() as (token, folder):
            text = json.dumps([asdict(sentence) for sentence in sentences])
            (folder / f"{token}.json").write_text(text, encoding="utf-8")
        return token

    def place_photos(self, token: str, photos: Sequence[UploadedPhoto]) -> list[Path]:
        """Give photos their places, those that a run before did not; returns the places."""
        places = [self.root / "photos" / photo.file[:2] / photo.file for photo in photos]
        for photo, place in zip(photos, places, strict=True):
            self._place(self._incoming(token) / photo.file, place)
        self.forget(token)
        return places

    def place_document(self, token: str) -> Path:
        """Give the sentences of a job their place, unless a run before did; returns the place."""
        place = self.root / "documents" / f"{token}.json"
        self._place(self._incoming(token) / place.name, place)
        self.forget(token)
        return place

    def owns(self, path: str) -> bool:
        """Whether a file is one that was uploaded."""
        return Path(path).is_relative_to(self.root)

    def remove(self, paths: Iterable[str]) -> None:
        """Delete uploaded files that no row names any more; other files are left alone."""
        for path in filter(self.owns, paths):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def forget(self, token: str) -> None:
        """Delete what is left of the files of a job that has not begun."""
        shutil.rmtree(self._incoming(token), ignore_errors=True)

    def _incoming(self, token: str) -> Path:
        return self.root / "incoming" / token

    @contextlib.contextmanager
    def _arriving(self) -> Iterator[tuple[str, Path]]:
        """Yield a token and a folder to write into, which gets its name once all is on the disk."""
        token = secrets.token_hex(16)
        aside = self._incoming(f".{token}.tmp")
        try:
            aside.mkdir(parents=True)
            yield token, aside
            for path in (*aside.iterdir(), aside):
                _sync(path)
            aside.rename(self._incoming(token))
            _sync(aside.parent)
        except OSError as error:
            raise StorageError(f"cannot keep the upload in {self.root}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _place(self, source: Path, place: Path) -> None:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.exists() and not place.exists():
                source.rename(place)
                _sync(place.parent)
        except OSError as error:
            raise StorageError(f"cannot keep the upload in {self.root}: {error.strerror or error}") from error


def read_sentences(path: Path) -> list[UploadedSentence]:
    """Return the sentences of a document in the folder.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return [UploadedSentence(**item) for item in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(f"cannot read the document {path}: {error}") from error


def shown_name(called: str | None) -> str:
    r"""Return what an uploader calls a file, without folders and characters that are not for show.

    >>> shown_name("../../etc/pass\nwd.jpg"), shown_name("C:\\photos\\beach.jpg"), shown_name(None)
    ('passwd.jpg', 'beach.jpg', '')
    """
    last = (called or "").replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME].strip()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
