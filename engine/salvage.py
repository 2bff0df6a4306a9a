"""What can still be read of a damaged snapshot: its whole items, one by one.

An item is whole where the file of its vectors is (by the manifest's checksum), or where the checksum of its own fits;
so that a changed bit costs one item, and a file cut short those behind the cut.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format as npy
import numpy.typing as npt

from engine.fragments import Fragments, rows_of
from engine.manifest import Manifest
from engine.segments import among
from engine.stored_fragments import item_sums

WHOLE = ("ids.npy", "offsets.npy", "vectors.npy")
AT_ONCE = 256  # items, some 5,000 vectors
MOST_FRAGMENTS = 100_000  # of an item; more is a damaged offset


def whole_items(
    folder: Path, name: str, manifest: Manifest | None, dimension: int, wanted: npt.NDArray[np.int64]
) -> Iterator[Fragments]:
    """Read the wanted items of an index that are whole, a few megabytes at a time.

    Args:
        folder: of the snapshot.
        name: of the index in it.
        manifest: of the snapshot; None where that is damaged, too.
        dimension: D.
        wanted: ids, ascending.
    """
    for path in sorted(entry for entry in (folder / name).glob("[0-9]*") if entry.is_dir()):
        files = [f"{name}/{path.name}/{file}" for file in WHOLE]
        proven = manifest is not None and all(manifest.matches(folder, file) for file in files)
        yield from _of_segment(path, proven, dimension, wanted)


def _of_segment(path: Path, proven: bool, dimension: int, wanted: npt.NDArray[np.int64]) -> Iterator[Fragments]:
    ids, offsets = _rows(path / "ids.npy", np.int64), _rows(path / "offsets.npy", np.int64)
    vectors, sums = _rows(path / "vectors.npy", np.float16, (dimension,)), _rows(path / "sums.npy", np.uint32)
    count = max(0, min(len(ids), len(offsets) - 1, len(ids) if proven else len(sums)))
    begins, ends = offsets[:count], offsets[1 : count + 1]
    there = (begins >= 0) & (begins < ends) & (ends <= len(vectors)) & (ends - begins <= MOST_FRAGMENTS)
    places = np.flatnonzero(there & among(ids[:count], wanted))
    for first in range(0, len(places), AT_ONCE):
        chosen = places[first : first + AT_ONCE]
        rows, bounds = rows_of(offsets, chosen)
        half = vectors[rows]
        whole = np.full(len(chosen), proven) if proven else item_sums(ids[chosen], bounds, half) == sums[chosen]
        if whole.any():
            yield Fragments(ids[chosen], bounds, half.astype(np.float32)).take(np.flatnonzero(whole))


def _rows(path: Path, kind: npt.DTypeLike, columns: tuple[int, ...] = ()) -> npt.NDArray[Any]:
    """Map as many rows of an array file as are there; none where it is missing or its header is damaged."""
    none = np.empty((0, *columns), kind)
    try:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            shape, fortran, found = npy.read_array_header_1_0(file) if version == (1, 0) else ((), True, None)
            begin = file.tell()
            size = path.stat().st_size - begin
    except (OSError, ValueError):
        return none
    if fortran or found != np.dtype(kind) or shape[1:] != columns:
        return none
    rows = min(shape[0], size // (np.dtype(kind).itemsize * int(np.prod(columns))))
    return np.memmap(path, kind, "r", begin, (rows, *columns)) if rows else none
