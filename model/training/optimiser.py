"""Optimiser, schedule and clipping."""

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from model.training.config import LoopConfig


def make_optimiser(model: nn.Module, config: LoopConfig, steps: int) -> tuple[torch.optim.Optimizer, LRScheduler]:
    """Make the optimiser and its schedule over all steps; SGD's momentum stays at 0.9, Adam's cycles with the rate."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser: torch.optim.Optimizer
    if config.optimiser == "adamw":
        optimiser = torch.optim.AdamW(parameters, weight_decay=config.weight_decay)
    elif config.optimiser == "rmsprop":
        optimiser = torch.optim.RMSprop(parameters, weight_decay=config.weight_decay)
    else:
        optimiser = torch.optim.SGD(parameters, momentum=0.9, weight_decay=config.weight_decay)
    cycle = config.optimiser == "adamw"
    rising = 0.25 if steps == 5 else 0.2  # a fifth of five steps is one, which torch divides by zero
    return optimiser, OneCycleLR(optimiser, config.learning_rate, steps, pct_start=rising, cycle_momentum=cycle)


def clip_gradients(model: nn.Module, config: LoopConfig) -> Tensor:
    """Clip as the optimiser wants it; returns the norm of all gradients before, a scalar."""
    if config.optimiser == "adamw":
        return nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    nn.utils.clip_grad_value_(model.parameters(), 5.0)
    return norm
