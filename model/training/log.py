"""Logs for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from torch.utils.tensorboard import SummaryWriter


class TrainingLog:
    """Writes figures by step to a folder, to be used in a `with`; a log that is off writes nothing."""

    def __init__(self, folder: Path, step: int, on: bool) -> None:
        """Append to the log of a run that goes on at `step`; what it already holds from there on is void."""
        self._writer = SummaryWriter(str(folder), purge_step=step) if on else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures by their names, which group them by the part before a slash."""
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)
