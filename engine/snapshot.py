"""Snapshots: the fragment vectors of a collection on disk, published whole or not at all.

000001-1a2b3c4d/
manifest.json       model, D, score, counts, size and SHA-256 of every other file, and of itself
regions/            index of the photos' region vectors
words/              index of the sentences' word vectors

Opening reads the manifest, the sizes of all files and the bytes of the small ones; the large ones are mapped into
memory, so that a collection of any size opens at once. All files are open from then on: who has opened a snapshot reads
it to the end, even where another process deletes it.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.exceptions import ModelMismatch, StorageError
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex
from engine.manifest import MANIFEST, FileMark, Manifest, damaged, mark_of, read_manifest, write_manifest
from engine.resources import PLAIN, Resources

CHECKED_UP_TO = 32 * 2**20
"""Bytes of a file that is compared with its checksum whenever it is opened: ids and centroids of a million photos, and
all vectors of an index that is always searched exactly. Of larger ones, items are compared when they are read."""

Write = Callable[[Path], FragmentIndex]
"""Writes an index into a folder that is not there yet, and opens it."""


class Snapshot:
    """An opened snapshot.

    Attributes:
        directory: its folder, which may be gone.
        manifest: what it says of itself.
        regions: region vectors by photo id.
        words: word vectors by sentence id.
        marks: of the files, by device and inode, which name a file as long as it is open.
    """

    def __init__(self, directory: Path, manifest: Manifest, resources: Resources = PLAIN) -> None:
        """Open all files; see open_snapshot."""
        self._resources = resources
        self.directory = directory
        self.manifest = manifest
        self.regions = self._open("regions")
        self.words = self._open("words")
        self.marks = {_inode(directory / name): mark for name, mark in manifest.files.items()}

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.directory.name

    def without(self, photos: npt.NDArray[np.int64], sentences: npt.NDArray[np.int64]) -> Self:
        """The same less the items of these ids, in memory alone."""
        other = copy(self)
        other.regions, other.words = self.regions.without(photos), self.words.without(sentences)
        return other

    def _open(self, folder: str) -> FragmentIndex:
        for name, mark in self.manifest.files.items():
            small = mark.size <= CHECKED_UP_TO
            if name.startswith(folder + "/") and small and not self.manifest.matches(self.directory, name):
                raise damaged(self.directory, f"{name} does not match its checksum")
        index = FaissFragmentIndex.open(self.directory / folder, self._resources)
        if index.dimension != self.manifest.dimension:
            raise damaged(self.directory, f"{folder} has vectors of {index.dimension} numbers")
        return index


def write_snapshot(
    directory: Path, regions: Write, words: Write, manifest: Manifest, sources: Sequence[Snapshot] = ()
) -> None:
    """Write a snapshot aside, bring it to the disk and give it its name in one step.

    Args:
        directory: the snapshot's folder; it must not exist.
        regions: writes the index of region vectors by photo id.
        words: writes the index of word vectors by sentence id.
        manifest: model, D and score; counts and files are filled in here.
        sources: whose files the indexes may have taken, as links; their marks hold still, and they are on the disk.

    Raises:
        StorageError: it could not be written (disk full, no permission).
        BadFragments: an index does not take a vector. Nothing is left behind in either case.
    """
    aside = directory.with_name(f".{directory.name}.tmp")
    try:
        known = {place: mark for source in sources for place, mark in source.marks.items()}
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        photos, sentences = regions(aside / "regions"), words(aside / "words")
        counts = {
            "photos": len(photos),
            "regions": photos.fragment_count,
            "sentences": len(sentences),
            "words": sentences.fragment_count,
        }
        marks = _settled(aside, known)
        write_manifest(aside, replace(manifest, counts=counts, files=marks))
        _publish(aside, directory)
    except OSError as error:
        raise StorageError(f"cannot write the index: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def open_snapshot(directory: Path, model_hash: str, resources: Resources = PLAIN) -> Snapshot:
    """Open a snapshot for a model.

    Raises:
        IndexDamaged: files are missing, cut short or changed.
        IndexOutdated: another version of the program wrote it.
        ModelMismatch: another model made it.
    """
    manifest = read_manifest(directory)
    if manifest.model_hash != model_hash:
        raise ModelMismatch(
            f"the collection was indexed by another model ({manifest.model_hash[:12]}, this one is {model_hash[:12]}); "
            "index it again with: dvsa index PATH... --collection NAME --rebuild"
        )
    for name, mark in manifest.files.items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != mark.size:
            raise damaged(directory, f"{name} is missing or cut short")
    return Snapshot(directory, manifest, resources)


def earlier_snapshots(directory: Path, name: str) -> list[Path]:
    """Return the folders of a collection's snapshots that were written before that of this name, the last first."""
    numbers = {path: _number(path.name) for path in directory.iterdir()}
    earlier = [path for path, number in numbers.items() if 0 < number < _number(name)]
    return sorted(earlier, key=lambda path: numbers[path], reverse=True)


def following_name(name: str | None) -> str:
    """Name the snapshot after that one; the random end keeps a name from meaning two if a catalogue is restored."""
    return f"{_number(name or '') + 1:06d}-{secrets.token_hex(4)}"


def _number(name: str) -> int:
    """The number of a snapshot's name; 0 for another name."""
    number, _, end = name.partition("-")
    return int(number) if number.isdecimal() and end else 0


def _settled(aside: Path, known: dict[tuple[int, int], FileMark]) -> dict[str, FileMark]:
    """Bring the files that are new to the disk; return the marks of all."""
    marks = {}
    for path in sorted(path for path in aside.rglob("*") if path.is_file()):
        mark = known.get(_inode(path))
        if mark is None:
            _sync(path)
            mark = mark_of(path)
        marks[path.relative_to(aside).as_posix()] = mark
    return marks


def _publish(aside: Path, directory: Path) -> None:
    for path in [aside / MANIFEST, *(path for path in aside.rglob("*") if path.is_dir()), aside]:
        _sync(path)
    if directory.exists():
        raise FileExistsError(f"{directory} exists already")
    aside.rename(directory)
    _sync(directory.parent)


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
