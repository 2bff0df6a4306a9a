"""How a training loop runs."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LoopConfig:
    """What every training has; kept in the checkpoint.

    Attributes:
        epochs: passes over the training data.
        patience: epochs without a better score on dev after which training stops early, once the score is more than 0;
            0 never does.
        batch_size: of all processes together.
        optimiser: AdamW, gradients clipped to a norm of 2; or SGD with momentum 0.9, or RMSprop, clipped elementwise at
            5.
        learning_rate: at the peak of a one-cycle schedule (Smith and Topin 2019).
        weight_decay: of the optimiser.
        averaging: decay of the exponential average of the weights, which is the model that is kept.
        seed: of weights, order and dropout.
    """

    epochs: int = 8
    patience: int = 0
    batch_size: int = 128
    optimiser: Literal["adamw", "sgd", "rmsprop"] = "adamw"
    learning_rate: float = 1.2e-3
    weight_decay: float = 1e-4
    averaging: float = 0.997
    seed: int = 0
