"""Blocking work of requests: a few threads, a short queue, and a refusal when that is full."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
S = TypeVar("S")
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
        self._places = threads + waiting
        self._taken = 0
        self._taking = Lock()

    @property
    def taken(self) -> int:
        """How many calls run or wait."""
        return self._taken

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in a thread and return what it returns; a place is free again when it has ended.

        Raises:
            Overloaded: there is no place.
        """
        self._take_place()
        return await self._in_thread(work, *args, **kwargs)

    async def run_after(self, ready: Callable[[], Awaitable[S]], work: Callable[[S], T]) -> T:
        """Await something, then run a call with it in a thread; a place is held from the first to the end.

        Raises:
            Overloaded: there is no place; nothing is awaited.
        """
        self._take_place()
        try:
            outcome = await ready()
        except BaseException:
            self._leave_place()
            raise
        return await self._in_thread(work, outcome)

    def close(self) -> None:
        """Wait for the calls that run, drop those that wait."""
        self._threads.shutdown(cancel_futures=True)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        future = self._threads.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: self._leave_place())
        return await asyncio.wrap_future(future)

    def _take_place(self) -> None:
        with self._taking:
            if self._taken == self._places:
                raise Overloaded
            self._taken += 1

    def _leave_place(self) -> None:
        with self._taking:
            self._taken -= 1
