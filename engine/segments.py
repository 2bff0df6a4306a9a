"""Segments: runs of items that are written once; a larger index is several of them.

    codebook/              that all are compressed with, where the index is large
    000001/                a segment: its fragments, and their compressed form where there is a codebook
    000001.removed.npy     int64, the places in it of the items that were removed since
    000002/ ...

A later state of the index takes the segments that it keeps as links to the same files, so that adding a few items to
many writes a few.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.array_files import open_array
from engine.codebook import Codebook
from engine.compressed_fragments import CompressedFragments, compress
from engine.exceptions import IndexDamaged
from engine.fragments import Fragments
from engine.resources import PLAIN, Resources
from engine.stored_fragments import STORED, StoredFragments, write_fragments

NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Segment:
    """A run of items.

    Attributes:
        path: its folder.
        stored: the exact vectors.
        compressed: the same, compressed; None where the index has no codebook.
        removed: places of items that are no longer there, ascending.
    """

    path: Path
    stored: StoredFragments
    compressed: CompressedFragments | None = None
    removed: npt.NDArray[np.int64] = field(default_factory=lambda: NONE)

    def __len__(self) -> int:
        return len(self.stored) - len(self.removed)

    @cached_property
    def kept(self) -> npt.NDArray[np.int64]:
        """Places of the items that are there."""
        return np.delete(np.arange(len(self.stored)), self.removed)

    @cached_property
    def counts(self) -> npt.NDArray[np.float32]:
        """Numbers of vectors of all its items, float32 to divide by."""
        return np.diff(self.stored.offsets).astype(np.float32)

    @cached_property
    def longest(self) -> int:
        """Vectors of its item of the most."""
        return int(self.counts.max())

    @property
    def kept_fragments(self) -> int:
        """Vectors of the items that are there."""
        offsets = self.stored.offsets
        return int(offsets[-1] - (offsets[self.removed + 1] - offsets[self.removed]).sum())

    def memory_bytes(self) -> int:
        """Bytes of all but the exact vectors."""
        compressed = self.compressed.memory_bytes() if self.compressed else 0
        return self.stored.ids.nbytes + self.stored.offsets.nbytes + compressed

    def pieces(self) -> Iterator[Fragments]:
        """The items that are there, piece by piece, checked, as they are to be written anew; see StoredFragments."""
        return self.stored.pieces(self.kept, checked=True)

    def rows(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors at these places, which count those of the items that are there, float32 (n, D)."""
        if len(self.removed):
            counts = self.stored.offsets[self.kept + 1] - self.stored.offsets[self.kept]
            bounds = np.concatenate([[0], np.cumsum(counts)])
            items = np.searchsorted(bounds, rows, side="right") - 1
            rows = rows - bounds[items] + self.stored.offsets[self.kept[items]]
        return self.stored.rows(rows)

    def without(self, ids: npt.NDArray[np.int64]) -> Self:
        """The same less the items of these ids, which ascend."""
        gone = among(self.stored.ids, ids)
        gone[self.removed] = True
        return replace(self, removed=np.flatnonzero(gone))

    def link(self, path: Path, compressed: bool) -> None:
        """Put the segment into another index without copying its bytes, with its compressed form or without it."""
        link_files(self.path, path, None if compressed else STORED)
        if len(self.removed):
            np.save(path.with_name(f"{path.name}.removed.npy"), self.removed)


def write_segment(path: Path, dimension: int, pieces: Iterable[Fragments], codebook: Codebook | None) -> Segment:
    """Write items into a new segment, compressed where there is a codebook.

    Raises:
        BadFragments: see write_fragments.
    """
    path.mkdir()
    stored = write_fragments(path, dimension, pieces)
    if codebook is not None:
        compress(path, stored, codebook)
    return Segment(path, stored)


def read_segments(folder: Path, codebook: Codebook | None, resources: Resources = PLAIN) -> list[Segment]:
    """Open the segments of an index, in order.

    Raises:
        IndexDamaged: files are missing or hold something else, or there is no segment.
    """
    segments = []
    for path in sorted(entry for entry in folder.glob("[0-9]*") if entry.is_dir()):
        stored, mark = StoredFragments(path, resources), path.with_name(f"{path.name}.removed.npy")
        removed = open_array(mark, np.int64, 1) if mark.exists() else NONE
        if len(removed) and not 0 <= removed.min() <= removed.max() < len(stored):
            raise IndexDamaged(f"{mark} does not fit its segment; mend it with: dvsa verify --repair")
        compressed = CompressedFragments(path, stored.offsets, codebook, resources) if codebook else None
        segments.append(Segment(path, stored, compressed, removed))
    dimensions = {segment.stored.dimension for segment in segments}
    if len(dimensions) != 1 or (codebook and {codebook.centroids.shape[1]} != dimensions):
        raise IndexDamaged(f"{folder} holds no index; mend it with: dvsa verify --repair")
    return segments


def among(ids: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of each id whether it is wanted; `wanted` ascends. Many times faster than np.isin where few are wanted."""
    if not len(wanted):
        return np.zeros(len(ids), bool)
    places = np.searchsorted(wanted, ids)
    places[places == len(wanted)] = 0
    found: npt.NDArray[np.bool_] = wanted[places] == ids
    return found


def link_files(source: Path, target: Path, names: Sequence[str] | None = None) -> None:
    """Copy the files of a folder, or those of these names, into a new folder as links."""
    target.mkdir()
    for path in source.iterdir() if names is None else (source / name for name in names):
        _link(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
