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


class RowFile:
    """Rows of an array file, in the memory of the device that searches use. Thread-safe.

    The file is mapped where the budget has room for it, and otherwise read in places: a page that is touched through
    a map brings its neighbours into the process's memory, after some searches the whole file.

    Attributes:
        array: the whole file, mapped; reading it makes it resident, whatever the budget says.
        file: its descriptor, open as long as this lives.
        header: bytes before the first row.
    """

    def __init__(self, path: Path, kind: npt.DTypeLike, dimensions: int, resources: Resources) -> None:
        """Open a file.

        Raises:
            IndexDamaged: it is missing, cut short or of another type.
        """
        self.array = open_array(path, kind, dimensions)
        self.mapped = resources.memory.claim(self, path)
        self._device = resources.device
        self.file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self.file)
        self.header = os.fstat(self.file).st_size - self.array.nbytes

    def __len__(self) -> int:
        return len(self.array)

    def rows(self, first: int, last: int) -> npt.NDArray[Any]:
        """The rows first:last in the processor's memory, not to be written to."""
        return self.array[first:last] if self.mapped else self.read([first], [last - first])

    def part(
        self, firsts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """An array in the processor's memory that holds runs of rows, not to be written to, and where each begins.

        Runs have `counts` rows from each of `firsts`.
        """
        if self.mapped:
            return self.array, firsts
        return self.read(firsts.tolist(), counts.tolist()), np.cumsum(counts) - counts

    def take(self, firsts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> torch.Tensor:
        """The same runs on the GPU, one behind the other."""
        ends = np.cumsum(counts)
        rows = torch.from_numpy(np.repeat(firsts - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0))
        return self._held.index_select(0, rows.to(self._device))

    def read(self, firsts: list[int], counts: list[int]) -> npt.NDArray[Any]:
        """The same runs, read from the file whether it is mapped or not."""
        rows = np.empty((sum(counts), *self.array.shape[1:]), self.array.dtype)
        size, bytes_, place = rows.strides[0], rows.reshape(-1).view(np.uint8).data, 0
        for first, count in zip(firsts, counts, strict=True):
            end = place + count * size
            if count and os.preadv(self.file, [bytes_[place:end]], self.header + first * size) < count * size:
                raise IndexDamaged("a file of the index was cut short; mend it with: dvsa verify --repair")
            place = end
        return rows

    @cached_property
    def _held(self) -> torch.Tensor:
        """The whole file in the GPU's memory."""
        return torch.from_numpy(self.array).to(self._device)
