"""Work in threads, results in order, memory bounded."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int, window: int) -> Iterator[Result]:
    """Apply a function in threads.

    Args:
        function: called in `workers` threads; an exception is raised here, in the item's turn.
        items: read no further than `window` items ahead of the results.
        workers: threads.
        window: items begun and not yet yielded, at most; what bounds the memory.

    Yields:
        Results in the order of the items.
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= window:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
