"""How the searches that run at the same time share the processor's cores.

A search alone takes all of them. Where several do so at once, their threads wait for each other more than they gain:
each then takes its share, one at least.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from queue import SimpleQueue

import numpy as np
import torch

from engine.kernels.sharing import WRONG, Board


class SharedCores:
    """Counts the searches of this process that run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._mine = threading.local()

    @property
    def mine(self) -> int:
        """How many this thread may use: its share, all of torch's outside of a search."""
        return getattr(self._mine, "share", None) or torch.get_num_threads()

    @contextmanager
    def share(self) -> Iterator[None]:
        """Give this thread its share, by how many searches run as this one begins."""
        with self._lock:
            self._running += 1
            self._mine.share = max(1, torch.get_num_threads() // self._running)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
            self._mine.share = None


def share_out(count: int, work: Callable[[Board], None], least: int = 1) -> bool:
    """Do `count` things with this thread's share of the cores.

    Args:
        count: of the things, one at least.
        work: a compiled loop that takes them off the board that it is given; see kernels.sharing.
        least: things that another thread is woken for.

    Returns:
        Whether the loop found all of them sound.
    """
    board = np.zeros(3, np.int64)
    together(partial(work, board), count // least)
    return not board[WRONG]


def together(work: Callable[[], None], most: int) -> None:
    """Do a work of this thread's share of the cores, at most so many of them.

    Args:
        work: is called by each; a compiled loop whose things they share, see kernels.sharing.
        most: threads that have something to do.
    """
    others = min(CORES.mine, most) - 1
    if others > 0:
        for works in _helpers().away_from_here(others):
            works.put(work)
    work()


class _Helpers:
    """A thread on every core that this process may use, bound to it where the system can do that.

    Linux 6.18 wakes a thread on the core of the one that wakes it, where another is idle: the two then take turns.
    """

    def __init__(self) -> None:
        self._cores = sorted(os.sched_getaffinity(0)) if BINDS else list(range(os.cpu_count() or 1))
        self._works: list[SimpleQueue[Callable[[], None]]] = [SimpleQueue() for _ in self._cores]
        for core, works in zip(self._cores, self._works, strict=True):
            threading.Thread(target=_help, args=(works, core), name="search", daemon=True).start()

    def away_from_here(self, count: int) -> list[SimpleQueue[Callable[[], None]]]:
        """Return what that many threads wait for, of the cores that follow the one that this thread runs on."""
        here = _core_of_this_thread()
        first = self._cores.index(here) + 1 if here in self._cores else 0
        others = self._works[first:] + self._works[:first]
        return others[:count]


@cache
def _helpers() -> _Helpers:
    return _Helpers()


def _help(works: SimpleQueue[Callable[[], None]], core: int) -> None:
    if BINDS:
        with suppress(OSError):  # a core that this process may no longer use
            os.sched_setaffinity(0, {core})
    while True:
        work = works.get()
        with suppress(MemoryError):  # then the others do it
            work()
        del work  # which holds what it works on


BINDS = sys.platform == "linux"
_core_of_this_thread: Callable[[], int] = ctypes.CDLL(None).sched_getcpu if BINDS else lambda: -1


CORES = SharedCores()
"""Those of this process."""
