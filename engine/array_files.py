"""Array files in numpy's format: written as the rows come, read through the memory map."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.lib.format as npy
import numpy.typing as npt

from engine.exceptions import IndexDamaged


class ArrayWriter:
    """Writes an array of which only the columns are known; a context manager.

    Args:
        path: the file.
        kind: the type of its numbers.
        columns: numbers in each row; none: a row is one number.
    """

    def __init__(self, path: Path, kind: npt.DTypeLike, columns: tuple[int, ...] = ()) -> None:
        self._file = path.open("wb")
        self._kind = np.dtype(kind)
        self._columns = columns
        self._rows = 0
        self._write_header()

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Append rows of the file's own type."""
        assert (rows.dtype, rows.shape[1:]) == (self._kind, self._columns), "rows fit the file"
        self._file.write(np.ascontiguousarray(rows).data)
        self._rows += len(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if error is None:
                self._file.seek(0)
                self._write_header()  # numpy leaves room in a header for a larger first number

    def _write_header(self) -> None:
        header = {"descr": self._kind.str, "fortran_order": False, "shape": (self._rows, *self._columns)}
        npy.write_array_header_1_0(self._file, header)


def open_array(path: Path, kind: npt.DTypeLike, dimensions: int) -> npt.NDArray[Any]:
    """Map an array file into memory.

    Raises:
        IndexDamaged: it is missing, cut short or of another type.
    """
    try:
        array = np.load(path, mmap_mode="c")  # "c": torch warns of arrays that cannot be written; nobody writes
    except (OSError, ValueError, EOFError) as error:
        raise IndexDamaged(f"{path} cannot be read: {error}; mend it with: dvsa verify --repair") from error
    if array.dtype != np.dtype(kind) or array.ndim != dimensions:
        raise IndexDamaged(f"{path} holds something else; mend it with: dvsa verify --repair")
    return np.asarray(array)
