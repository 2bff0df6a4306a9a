"""Work in threads, results in order, a bounded number in hand."""

import threading
import time
from collections.abc import Iterator

import pytest

from indexer.pipeline import in_order


def test_results_are_in_input_order_whatever_takes_longest() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 if number % 3 == 0 else 0)
        return number * number

    assert list(in_order(work, range(30), workers=4, window=6)) == [number * number for number in range(30)]


@pytest.mark.parametrize("window", [1, 3, 7])
def test_no_more_than_the_window_is_begun_and_not_taken(window: int) -> None:
    begun = 0
    lock = threading.Lock()

    def items() -> Iterator[int]:
        nonlocal begun
        for number in range(40):
            with lock:
                begun += 1
            yield number

    for taken, _ in enumerate(in_order(lambda number: number, items(), workers=3, window=window)):
        assert begun - taken <= window


def test_exception_comes_in_its_turn_and_stops_the_rest() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 5:
            raise ValueError("five")
        return number

    with pytest.raises(ValueError, match="five"):
        done.extend(in_order(work, range(1000), workers=2, window=4))
    assert done == [0, 1, 2, 3, 4]


def test_nothing_gives_nothing() -> None:
    assert list(in_order(str, [], workers=2, window=2)) == []
