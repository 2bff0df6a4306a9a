"""What searches may use."""

from dataclasses import dataclass, field

import torch

from engine.device import CPU, choose_device
from engine.memory_budget import UNBOUNDED, MemoryBudget
from engine.settings import Settings


@dataclass(frozen=True)
class Resources:
    """What the indexes of a process may use.

    Attributes:
        device: where they multiply and look up.
        memory: how much of their files they may keep in memory.
    """

    device: torch.device = CPU
    memory: MemoryBudget = field(default=UNBOUNDED)

    @property
    def compiled(self) -> bool:
        """Whether the loops of `kernels` are used, and not those of torch."""
        return self.device.type == "cpu"


PLAIN = Resources()
"""The processor, and all of the memory that the system gives."""


def resources_of(settings: Settings) -> Resources:
    """Return what the settings allow.

    Raises:
        NoDevice: they name a GPU, and there is none.
    """
    return Resources(choose_device(settings.device), MemoryBudget(settings.index_memory))
