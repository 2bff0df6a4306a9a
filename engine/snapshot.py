"""Snapshots: the fragment vectors of a collection on disk, published whole or not at all.

20250101T120000-1a2b/
manifest.json       model, D, score, counts, size and SHA-256 of every other file, and of itself
regions/            index of the photos' region vectors
words/              index of the sentences' word vectors

Opening reads the manifest, the sizes of all files and the bytes of the small ones; the large ones are mapped into
memory, so that a collection of any size opens at once. `Snapshot.damaged_files` reads everything.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.exceptions import IndexDamaged, IndexOutdated, ModelMismatch, StorageError
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex
from model.score import ScoreConfig

FORMAT = 2

CHECKED_UP_TO = 16 * 2**20
"""Bytes of a file that is compared with its checksum whenever it is opened; ids and centroids of a million photos."""


@dataclass(frozen=True)
class FileMark:
    """Size in bytes and SHA-256 of a file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a snapshot holds.

    Attributes:
        model_hash: the model that made the vectors.
        dimension: D.
        score: how that model's score is made.
        counts: photos, regions, sentences and words; filled in by `write_snapshot`.
        files: marks of the other files by relative path; filled in by `write_snapshot`.
        format: version of the layout.
    """

    model_hash: str
    dimension: int
    score: ScoreConfig
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, FileMark] = field(default_factory=dict)
    format: int = FORMAT


Write = Callable[[Path], FragmentIndex]
"""Writes an index into a folder that is not there yet, and opens it."""


class Snapshot:
    """An opened snapshot: sizes are checked at once, the bytes of small files when an index is first used."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest

    @cached_property
    def regions(self) -> FragmentIndex:
        """Region vectors by photo id."""
        return self._read("regions")

    @cached_property
    def words(self) -> FragmentIndex:
        """Word vectors by sentence id."""
        return self._read("words")

    def damaged_files(self) -> list[str]:
        """Compare every byte with its checksum; return the names of the files that do not match."""
        return [name for name in self.manifest.files if not self._matches(name)]

    def marks(self) -> dict[tuple[int, int], FileMark]:
        """The marks of the files by what `_inode` says of each."""
        return {_inode(self.directory / name): mark for name, mark in self.manifest.files.items()}

    def _read(self, folder: str) -> FragmentIndex:
        for name, mark in self.manifest.files.items():
            if name.startswith(folder + "/") and mark.size <= CHECKED_UP_TO and not self._matches(name):
                raise _damaged(self.directory, f"{name} does not match its checksum")
        index = FaissFragmentIndex.open(self.directory / folder)
        if index.dimension != self.manifest.dimension:
            raise _damaged(self.directory, f"{folder} has vectors of {index.dimension} numbers")
        return index

    def _matches(self, name: str) -> bool:
        return _mark(self.directory / name) == self.manifest.files[name]


def write_snapshot(
    directory: Path, regions: Write, words: Write, manifest: Manifest, previous: Snapshot | None = None
) -> None:
    """Write a snapshot aside, bring it to the disk and give it its name in one step.

    Args:
        directory: the snapshot's folder; it must not exist.
        regions: writes the index of region vectors by photo id.
        words: writes the index of word vectors by sentence id.
        manifest: model, D and score; counts and files are filled in here.
        previous: that the indexes may have taken files of, as links; their marks hold still.

    Raises:
        StorageError: it could not be written (disk full, no permission).
        BadFragments: an index does not take a vector. Nothing is left behind in either case.
    """
    aside = directory.with_name(f".{directory.name}.tmp")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        photos, sentences = regions(aside / "regions"), words(aside / "words")
        names = sorted(path.relative_to(aside).as_posix() for path in aside.rglob("*") if path.is_file())
        counts = {
            "photos": len(photos),
            "regions": photos.fragment_count,
            "sentences": len(sentences),
            "words": sentences.fragment_count,
        }
        known = previous.marks() if previous else {}
        marks = {name: known.get(_inode(aside / name)) or _mark(aside / name) for name in names}
        _write_manifest(aside / "manifest.json", replace(manifest, counts=counts, files=marks))
        for path in [*aside.rglob("*"), aside]:
            _sync(path)
        if directory.exists():
            raise FileExistsError(f"{directory} exists already")
        aside.rename(directory)
        _sync(directory.parent)
    except OSError as error:
        raise StorageError(f"cannot write the index: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def open_snapshot(directory: Path, model_hash: str) -> Snapshot:
    """Open a snapshot for a model.

    Raises:
        IndexDamaged: files are missing, cut short or changed.
        IndexOutdated: another version of the program wrote it.
        ModelMismatch: another model made it.
    """
    manifest = _read_manifest(directory)
    if manifest.model_hash != model_hash:
        raise ModelMismatch(
            f"the collection was indexed by another model ({manifest.model_hash[:12]}, this one is {model_hash[:12]}); "
            "index it again with: dvsa index PATH... --collection NAME --rebuild"
        )
    for name, mark in manifest.files.items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != mark.size:
            raise _damaged(directory, f"{name} is missing or cut short")
    return Snapshot(directory, manifest)


def _write_manifest(path: Path, manifest: Manifest) -> None:
    content = asdict(manifest)
    path.write_text(json.dumps({"manifest": content, "sha256": _digest(content)}, indent=1), encoding="utf-8")


def _read_manifest(directory: Path) -> Manifest:
    try:
        document = json.loads((directory / "manifest.json").read_bytes())
        content = document["manifest"]
        if _digest(content) != document["sha256"]:
            raise ValueError("it does not match its checksum")
        if content["format"] != FORMAT:
            raise IndexOutdated(
                f"the collection was indexed by another version of dvsa (format {content['format']}, this version has "
                f"{FORMAT}); index it again with: dvsa index PATH... --collection NAME --rebuild"
            )
        files = {name: FileMark(**mark) for name, mark in content["files"].items()}
        return Manifest(**{**content, "score": ScoreConfig(**content["score"]), "files": files})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(directory, f"manifest.json cannot be read: {error}") from error


def _damaged(directory: Path, reason: str) -> IndexDamaged:
    return IndexDamaged(f"the index in {directory} is damaged ({reason}); index the collection again with --rebuild")


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _mark(path: Path) -> FileMark:
    try:
        with path.open("rb") as file:
            return FileMark(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise IndexDamaged(f"cannot read {path}: {error.strerror}") from error


def _inode(path: Path) -> tuple[int, int]:
    """The same for two names of one file, and for no other file while that one is there."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
