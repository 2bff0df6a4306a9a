"""What the training loop asks of the thing that it trains."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn

from model.training.processes import Processes

Model = TypeVar("Model", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Measured:
    """What a model reached on dev.

    Attributes:
        score: the epoch with the highest is kept; of equal ones the first.
        figures: by the name under which they are logged.
        line: the figures for a person.
        about: what the checkpoint says of itself.
    """

    score: float
    figures: Mapping[str, float]
    line: str
    about: Mapping[str, Any]


class TrainingTask(Protocol[Model, Batch]):
    """A model, its batches, its loss and its measure.

    Attributes:
        model: what is trained, on the device of `processes`.
        processes: those that train together.
        steps: number of batches in an epoch, the same in each.
    """

    model: Model
    processes: Processes
    steps: int

    def batches(self, epoch: int) -> Iterable[Batch]:
        """Yield the batches of an epoch, whole ones, the same in every process and at every call."""

    def loss(self, batch: Batch) -> Tensor:
        """Return a scalar whose gradient, averaged over the processes, is that of the whole batch's loss.

        Every process returns the value for the whole batch.
        """

    def measure(self, model: Model) -> Measured:
        """Measure a model on dev; it is on the CPU."""

    def keep(self, folder: Path, model: Model, about: dict[str, Any]) -> None:
        """Write the checkpoint of the best model so far; it is on the CPU."""
