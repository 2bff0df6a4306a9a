"""How the searches that run at the same time share the processor's cores.

A search alone multiplies with all threads. Where several do so at once, their threads wait for each other more than
they gain: each then takes its share of the cores, one at least.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TypeVar

import torch

Answer = TypeVar("Answer")


class SharedCores:
    """Counts the searches of this process that run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._threads = 0  # torch's own number, known when the first search begins

    @contextmanager
    def share(self) -> Iterator[None]:
        """Let torch use this thread's share of its threads, by how many searches run as this one begins."""
        with self._lock:
            self._threads = self._threads or torch.get_num_threads()
            self._running += 1
            share = max(1, self._threads // self._running)
        torch.set_num_threads(share)  # of this thread, and of those that first use torch from now on
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
            torch.set_num_threads(self._threads)


def in_parts(count: int, work: Callable[[int, int], Answer], least: int = 1) -> list[Answer]:
    """Part `count` things among this thread's share of the cores, and wait until all is done.

    Args:
        count: of the things, one at least.
        work: is given where a part begins and ends; should leave Python's lock to the others.
        least: things in a part; waking another thread takes as long as some.

    Returns:
        What `work` returned, part after part.
    """
    parts = max(1, min(torch.get_num_threads(), count // least))
    *others, last = pairwise(count * part // parts for part in range(parts + 1))
    waiting = [_threads().submit(work, *part) for part in others]
    answer = work(*last)
    return [*(one.result() for one in waiting), answer]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="search")


CORES = SharedCores()
"""Those of this process."""
