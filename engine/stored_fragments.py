"""Fragments on disk: exact vectors in half precision, written as they come, read through the memory map or in places.

    ids.npy       int64 (I,)
    offsets.npy   int64 (I + 1,)
    vectors.npy   float16 (N, D)
    sums.npy      uint32 (I,)         CRC-32 of each item's id and vectors

Half precision keeps 11 bits of each number and halves what an exact search must read. An inner product moves by at most
2^-11 of the sum of its terms' sizes (for numbers below 6e-5, by 3e-8 of the query's; those beyond 65,504 are refused).
Rounding what is rounded already changes nothing, so that vectors may be copied from snapshot to snapshot.

The sums find a changed bit where reading the whole file would take too long: scattered items, as those that a search
scores exactly, are compared whenever they are read. And they say which items a damaged file still holds.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engine.array_files import ArrayWriter, open_array
from engine.cores import share_out
from engine.exceptions import BadFragments, IndexDamaged
from engine.fragments import Fragments, rows_of, runs_of
from engine.kernels import CUT, NO_FILE, SOUND, in_lanes, score
from engine.kernels.search import Stored
from engine.resources import PLAIN, Resources
from engine.row_files import RowFile

STORED = ("ids.npy", "offsets.npy", "vectors.npy", "sums.npy")

ROWS = 4096
"""Vectors in memory at a time: with 256 numbers 4 MB as float32, which stay in the cache while they are multiplied."""

AT_LEAST = 25  # items that another thread is woken for


class StoredFragments:
    """Items on disk; nothing is in memory but what the system keeps of the files. Thread-safe.

    Attributes:
        ids: int64 (I,).
        offsets: int64 (I + 1,); item i has the vectors offsets[i]:offsets[i + 1].
        vectors: float16 (N, D).
        sums: uint32 (I,), see item_sums.
    """

    def __init__(self, path: Path, resources: Resources = PLAIN) -> None:
        """Open what `write_fragments` wrote.

        Raises:
            IndexDamaged: the files are missing, hold something else or do not fit together.
        """
        self.ids: npt.NDArray[np.int64] = open_array(path / "ids.npy", np.int64, 1)
        self.offsets: npt.NDArray[np.int64] = open_array(path / "offsets.npy", np.int64, 1)
        self.sums: npt.NDArray[np.uint32] = open_array(path / "sums.npy", np.uint32, 1)
        self._rows = RowFile(path / "vectors.npy", np.float16, 2, resources)
        self.vectors: npt.NDArray[np.float16] = self._rows.array
        fits = self.offsets.shape == (len(self.ids) + 1,) and self.offsets[-1] == len(self.vectors)
        if not fits or self.sums.shape != self.ids.shape:
            raise IndexDamaged(f"the files in {path} do not fit together; mend it with: dvsa verify --repair")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimension(self) -> int:
        """D."""
        return int(self.vectors.shape[1])

    @property
    def fragment_count(self) -> int:
        """N."""
        return len(self.vectors)

    def rows(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The vectors at these places, float32 (n, D), a copy."""
        return self._rows.read(rows.tolist(), [1] * len(rows)).astype(np.float32)

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """All vectors in stored order, float32 (up to ROWS, D); each is valid until the next is asked for.

        They are read, not mapped, so that the process does not grow by the file.
        """
        buffer = torch.empty(min(ROWS, len(self.vectors)), self.dimension)
        for first in range(0, len(self.vectors), ROWS):
            yield _to_single(self._rows.read([first], [min(ROWS, len(self.vectors) - first)]), buffer)

    def pieces(self, numbers: npt.NDArray[np.int64], checked: bool = False) -> Iterator[Fragments]:
        """The items at these places, in the order given, in pieces of about ROWS vectors.

        Each piece is valid until the next is asked for. Scattered items are compared with their checksums, neighbours
        where they are to be `checked`.

        Raises:
            IndexDamaged: an item has changed since it was written.
        """
        buffer = torch.empty(0, self.dimension)
        for first, last in runs_of(self.offsets, numbers, ROWS):
            chosen = numbers[first:last]
            _, offsets = rows_of(self.offsets, chosen)
            vectors, scattered = self._read(chosen)
            if checked or scattered:
                self._check(chosen, offsets, vectors)
            if len(vectors) > len(buffer):
                buffer = torch.empty(max(len(vectors), ROWS), self.dimension)
            yield Fragments(self.ids[chosen], offsets, _to_single(vectors, buffer))

    def scores(
        self, queries: Sequence[npt.NDArray[np.float32]], numbers: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Both terms of the score of several queries and the items at these places, on the processor.

        Items are read once for all queries, and compared with their checksums where `pieces` compares them.

        Args:
            queries: float32 (Q, D) each.
            numbers: places of n items.

        Returns:
            float32 (queries, 2, n): the sums over the query's vectors of the best product with one of the item's, and
            the sums over the item's vectors of the best product with one of the query's.

        Raises:
            IndexDamaged: an item has changed since it was written.
        """
        found = np.empty((len(queries), 2, len(numbers)), np.float32)
        if not len(numbers):
            return found
        lanes = [in_lanes(query) for query in queries]
        parts = np.cumsum([0, *(part.shape[1] for part in lanes)])
        asked = np.array([len(query) for query in queries])
        begins, scattered = self.offsets[numbers], numbers[-1] - numbers[0] != len(numbers) - 1
        ids, sums, vectors, file, header = self.source
        sums = sums[numbers] if scattered else sums[:0]
        file = file if scattered or not self._rows.mapped else NO_FILE
        states = np.empty(len(numbers), np.uint8)
        given = begins, self.offsets[numbers + 1] - begins, vectors, file, header, ids[numbers], sums
        query = np.ascontiguousarray(np.concatenate(lanes, axis=1)), parts, asked
        share_out(len(numbers), partial(score, *given, *query, found, states), AT_LEAST)
        check_states(states, ids[numbers])
        return found

    @cached_property
    def source(self) -> Stored:
        """All of it for `kernels.score`; the file is open as long as this lives."""
        return Stored(self.ids, self.sums, self.vectors.view(np.uint16), self._rows.file, self._rows.header)

    def _check(
        self, numbers: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], vectors: npt.NDArray[np.float16]
    ) -> None:
        changed = np.flatnonzero(item_sums(self.ids[numbers], offsets, vectors) != self.sums[numbers])
        if len(changed):
            raise _changed(self.ids[numbers[changed[0]]])

    def _read(self, numbers: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float16], bool]:
        """The vectors of items, at least one, in the order given, and whether they are scattered.

        Neighbours come from the memory map where there is room for it. Scattered items are read in any case, so that
        the process does not grow by all that its searches ever scored.
        """
        cuts = np.flatnonzero(np.diff(numbers) != 1) + 1
        firsts, lasts = numbers[np.append(0, cuts)], numbers[np.append(cuts, len(numbers)) - 1]
        begins, ends = self.offsets[firsts].tolist(), self.offsets[lasts + 1].tolist()
        if len(begins) == 1:
            return self._rows.rows(begins[0], ends[0]), False
        return self._rows.read(begins, [end - begin for begin, end in zip(begins, ends, strict=True)]), True


def check_states(states: npt.NDArray[np.uint8], ids: npt.NDArray[np.int64]) -> None:
    """Look at what `kernels.score` found items to be.

    Raises:
        IndexDamaged: one has changed since it was written, or is missing.
    """
    for item in np.flatnonzero(states != SOUND)[:1]:
        if states[item] == CUT:
            raise IndexDamaged("a file of the index was cut short; mend it with: dvsa verify --repair")
        raise _changed(ids[item])


def _changed(item: int) -> IndexDamaged:
    return IndexDamaged(f"the vectors of item {item} have changed; mend them with: dvsa verify --repair")


def write_fragments(path: Path, dimension: int, pieces: Iterable[Fragments]) -> StoredFragments:
    """Write items into an existing folder, piece by piece, and open them.

    Raises:
        BadFragments: a vector is not of D numbers, holds NaN, infinity or a number too large for half precision, or an
            id comes twice; the folder is then to be thrown away.
    """
    ids: list[npt.NDArray[np.int64]] = []
    counts: list[npt.NDArray[np.int64]] = []
    sums: list[npt.NDArray[np.uint32]] = []
    with ArrayWriter(path / "vectors.npy", np.float16, (dimension,)) as vectors:
        for piece in pieces:
            half = _to_half(piece, dimension)
            vectors.append(half)
            sums.append(item_sums(piece.ids, piece.offsets, half))
            ids.append(piece.ids)
            counts.append(np.diff(piece.offsets))
    joined = np.concatenate([np.empty(0, np.int64), *ids])
    distinct, times = np.unique(joined, return_counts=True)
    if len(distinct) < len(joined):
        raise BadFragments(f"the id {distinct[times > 1][0]} was given twice")
    np.save(path / "ids.npy", joined)
    np.save(path / "sums.npy", np.concatenate([np.empty(0, np.uint32), *sums]))
    np.save(path / "offsets.npy", np.concatenate([[0], *counts], dtype=np.int64).cumsum())
    return StoredFragments(path)


def item_sums(
    ids: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], vectors: npt.NDArray[np.float16]
) -> npt.NDArray[np.uint32]:
    """Return the CRC-32 of each item's id and vectors, uint32 (I,).

    Args:
        ids: int64 (I,).
        offsets: int64 (I + 1,).
        vectors: float16 (N, D), in one piece of memory.
    """
    begun = [zlib.crc32(number.tobytes()) for number in ids]
    data, size = vectors.reshape(-1).view(np.uint8).data, vectors.strides[0]
    bounds = (offsets * size).tolist()
    sums = [zlib.crc32(data[bounds[item] : bounds[item + 1]], start) for item, start in enumerate(begun)]
    return np.array(sums, np.uint32)


def _to_half(piece: Fragments, dimension: int) -> npt.NDArray[np.float16]:
    if piece.vectors.shape[1] != dimension:
        raise BadFragments(f"vectors of {piece.vectors.shape[1]} numbers in an index of {dimension}")
    with np.errstate(over="ignore"):
        half = np.ascontiguousarray(piece.vectors, np.float32).astype(np.float16)
    wrong = ~np.isfinite(half).all(axis=1)
    if wrong.any():
        item = piece.ids[np.searchsorted(piece.offsets, wrong.argmax(), side="right") - 1]
        raise BadFragments(f"a vector of item {item} holds NaN, infinity or a number beyond 65,504")
    return half


def _to_single(half: npt.NDArray[np.float16], buffer: torch.Tensor) -> npt.NDArray[np.float32]:
    """Widen into the buffer's first rows; numpy is several times slower, and so is fresh memory."""
    single: npt.NDArray[np.float32] = buffer[: len(half)].copy_(torch.from_numpy(half)).numpy()
    return single
