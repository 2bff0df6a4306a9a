"""Array files of which searches read some rows: mapped, read in places, or held by a GPU."""

import os
import weakref
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.array_files import open_array
from engine.exceptions import IndexDamaged
from engine.resources import Resources

LONG = 64
"""Rows of a run on average from which runs are copied one by one: faster than row by row, from a list of all rows."""


class RowFile:
    """Rows of an array file, as tensors of the device that searches use. Thread-safe.

    The file is mapped where the budget has room for it, and otherwise read in places: a page that is touched through
    a map brings its neighbours into the process's memory, after some searches the whole file.

    Attributes:
        array: the whole file, mapped; reading it makes it resident, whatever the budget says.
    """

    def __init__(self, path: Path, kind: npt.DTypeLike, dimensions: int, resources: Resources) -> None:
        """Open a file.

        Raises:
            IndexDamaged: it is missing, cut short or of another type.
        """
        self.array = open_array(path, kind, dimensions)
        self.mapped = resources.memory.claim(self, path)
        self._device = resources.device
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._begin = os.fstat(self._file).st_size - self.array.nbytes

    def __len__(self) -> int:
        return len(self.array)

    def rows(self, first: int, last: int) -> npt.NDArray[Any]:
        """The rows first:last in the processor's memory, not to be written to."""
        return self.array[first:last] if self.mapped else self.read([first], [last - first])

    def take(self, firsts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> torch.Tensor:
        """Runs of rows, one behind the other: `counts` rows from each of `firsts`."""
        if self._device.type == "cpu" and not self.mapped:
            return torch.from_numpy(self.read(firsts.tolist(), counts.tolist()))
        if self._device.type == "cpu" and len(firsts) * LONG < counts.sum():
            plain = np.asarray(self.array)  # of which a part is taken in a fraction of the time that a map's takes
            runs = zip(firsts.tolist(), (firsts + counts).tolist(), strict=True)
            return torch.from_numpy(np.concatenate([plain[first:last] for first, last in runs]))
        ends = np.cumsum(counts)
        rows = torch.from_numpy(np.repeat(firsts - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0))
        held = self._held if self._device.type != "cpu" else torch.from_numpy(self.array)
        return held.index_select(0, rows.to(self._device))

    def read(self, firsts: list[int], counts: list[int]) -> npt.NDArray[Any]:
        """The same runs, read from the file whether it is mapped or not."""
        rows = np.empty((sum(counts), *self.array.shape[1:]), self.array.dtype)
        size, place = rows.strides[0], 0
        for first, count in zip(firsts, counts, strict=True):
            target = rows[place : place + count]
            if count and os.preadv(self._file, [target.data], self._begin + first * size) < count * size:
                raise IndexDamaged("a file of the index was cut short; mend it with: dvsa verify --repair")
            place += count
        return rows

    @cached_property
    def _held(self) -> torch.Tensor:
        """The whole file in the GPU's memory."""
        return torch.from_numpy(self.array).to(self._device)
