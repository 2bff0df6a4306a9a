"""The processes that train together: who takes what of a batch, and what they tell each other.

The parameters' gradients are averaged here rather than by DistributedDataParallel, which wants the whole loss inside
one module's forward; a loss over gathered vectors spans several, and its own exchanges would mix with theirs.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.distributed.nn  # its defaults keep a group that exists when it is imported, and gloo then aborts at exit
from torch import Tensor, nn

Item = TypeVar("Item")

PATIENCE = timedelta(days=1)  # the others wait while the first extracts features or measures


class _Gather(torch.autograd.Function):
    """All-gather along the first dimension, with gradient; torch's own is deprecated for a private one."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, rank: int, count: int) -> Tensor:
        ctx.rank, ctx.count = rank, count
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(count)]
        dist.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(ctx.count)[ctx.rank], None, None


@dataclass(frozen=True)
class Processes:
    """One of `count` processes that train together.

    Attributes:
        rank: of this process, from 0; the first one saves, logs, prints and measures.
        count: of all processes.
        device: where this process computes.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process is the one that saves, logs, prints and measures."""
        return self.rank == 0

    def share(self, batch: Sequence[Item]) -> list[Item]:
        """Return this process's part of a batch.

        All parts have the same length: the last ones are filled up with the batch's beginning, which `gather` drops.

        >>> [Processes(rank, 3).share("abcd") for rank in range(3)]
        [['a', 'b'], ['c', 'd'], ['a', 'b']]
        """
        size = -(-len(batch) // self.count)
        return [batch[number % len(batch)] for number in range(self.rank * size, (self.rank + 1) * size)]

    def gather(self, part: Tensor, total: int) -> Tensor:
        """Join the parts of all processes, with gradient.

        Args:
            part: (B / N, ...), what this process made of its `share`.
            total: B, length of the whole batch.

        Returns:
            (B, ...), the same in every process. Its gradient in `part` is the sum over all processes.
        """
        if self.count == 1:
            return part
        joined: Tensor = _Gather.apply(part, self.rank, self.count)
        return joined[:total]

    def average_gradients(self, model: nn.Module) -> None:
        """Average the gradients of a model's parameters over the processes."""
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        if self.count == 1 or not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = flat.div_(self.count).split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def copy_from_first(self, model: nn.Module) -> None:
        """Give all processes the first one's weights."""
        if self.count > 1:
            for value in model.state_dict().values():
                dist.broadcast(value, src=0)

    def any(self, condition: bool) -> bool:
        """Whether a condition is true in at least one process."""
        if self.count == 1:
            return condition
        votes = torch.tensor(float(condition), device=self.device)
        dist.all_reduce(votes)
        return bool(votes > 0)

    def wait(self) -> None:
        """Wait until all processes have come here."""
        self.any(False)

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """Run the body in the first process, then in the others: what the first wrote to disk, they find."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    @property
    def mixed(self) -> bool:
        """Whether to compute in mixed precision: on a GPU only, a CPU would be slower."""
        return self.device.type == "cuda"

    def mixed_precision(self) -> torch.autocast:
        """Compute in float16 where `mixed`; not in bfloat16, because autocast runs RNNs in float16 in any case."""
        return torch.autocast(self.device.type, torch.float16, enabled=self.mixed)


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that torchrun started, or be alone where it did not; one GPU each where there is one."""
    rank, count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if count == 1:
        yield Processes(rank, count, device)
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(rank, count, device)
    finally:
        dist.destroy_process_group()
