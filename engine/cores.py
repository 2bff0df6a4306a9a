"""How the searches that run at the same time share the processor's cores.

A search alone multiplies with all threads. Where several do so at once, their threads wait for each other more than
they gain: each then takes its share of the cores, one at least.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch


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


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: waking others takes as long as steps over a few thousand rows do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


CORES = SharedCores()
"""Those of this process."""
