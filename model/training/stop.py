"""Ctrl-C and SIGTERM as a wish to stop, so that no step is left half done."""

import signal
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopWish:
    """Inside its `with`, SIGINT and SIGTERM only set `made`; to be used in the main thread."""

    def __init__(self) -> None:
        self.made = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._wish) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _wish(self, number: int, frame: FrameType | None) -> None:
        self.made = True
