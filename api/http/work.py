"""Blocking work of requests: a few threads, a short queue, and a refusal when that is full."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Overloaded(Exception):
    """All threads are busy and the queue is full."""


class WorkQueue:
    """Runs blocking calls in threads.

    Args:
        threads: how many calls run at once.
        waiting: how many more may wait.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._places = BoundedSemaphore(threads + waiting)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in a thread and return what it returns; a place is free again when it has ended.

        Raises:
            Overloaded: there is no place.
        """
        if not self._places.acquire(blocking=False):
            raise Overloaded
        future = self._threads.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for the calls that run, drop those that wait."""
        self._threads.shutdown(cancel_futures=True)
