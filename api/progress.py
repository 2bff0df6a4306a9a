"""Progress on stderr: one bar per stage."""

from types import TracebackType
from typing import Any, Self

from tqdm import tqdm


class Bars:
    """Shows the stage that a run is in; to be used in a `with`, so that the last bar is ended."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def show(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` items of a stage are done."""
        if stage != self._stage or self._bar is None:
            self._end()
            self._stage, self._bar = stage, tqdm(total=total, desc=stage, unit="", dynamic_ncols=True)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
