"""How much of their files the opened indexes of a process may keep in memory.

A file that is mapped becomes resident as searches touch it. So an index maps the files that it claims here, the most
often read first, and reads the others in places, each time it needs them.
"""

import threading
import weakref
from pathlib import Path


class MemoryBudget:
    """Bytes that may be mapped, shared by all indexes that are given it. Thread-safe.

    Args:
        size: how many; None: no bound.
    """

    def __init__(self, size: int | None = None) -> None:
        self._left = size
        self._claims: dict[tuple[int, int], int] = {}  # indexes that hold a file; states of an index share many
        self._lock = threading.Lock()

    def claim(self, owner: object, path: Path) -> bool:
        """Take a file's bytes for as long as its owner lives; say whether they were there."""
        if self._left is None:
            return True
        status = path.stat()
        file = (status.st_dev, status.st_ino)
        with self._lock:
            if file not in self._claims:
                if status.st_size > self._left:
                    return False
                self._left -= status.st_size
            self._claims[file] = self._claims.get(file, 0) + 1
        weakref.finalize(owner, self._release, file, status.st_size)
        return True

    def _release(self, file: tuple[int, int], size: int) -> None:
        with self._lock:
            self._claims[file] -= 1
            if not self._claims[file]:
                del self._claims[file]
                assert self._left is not None, "only a bounded budget has claims"
                self._left += size


UNBOUNDED = MemoryBudget()
