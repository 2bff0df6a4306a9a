"""Train the alignment model on region features and sentences."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from model.alignment import AlignmentModel
from model.checkpoint import save_checkpoint
from model.dataset import DatasetImage
from model.exceptions import TrainingError
from model.loss import contrastive_loss, hinge_loss
from model.metrics import Recall
from model.retrieval import measure_retrieval
from model.sentence_encoder import pad_numbers
from model.vocabulary import Vocabulary
from model.words import words_of

STATE_FILE = "training-state.pt"
LOSSES = {"contrastive": contrastive_loss, "hinge": hinge_loss}


@dataclass(frozen=True)
class TrainingConfig:
    """How to train; kept in the checkpoint.

    Attributes:
        epochs: every sentence once an epoch.
        batch_size: pairs, all of different photos.
        loss: see model.loss.
        optimiser: AdamW, gradients clipped to a norm of 2; or SGD with momentum 0.9, clipped elementwise at 5.
        learning_rate: at the peak of a one-cycle schedule (Smith and Topin 2019).
        weight_decay: of the optimiser.
        averaging: decay of the exponential average of the weights, which is the model that is kept.
        seed: of weights, order and dropout.
    """

    epochs: int = 8
    batch_size: int = 128
    loss: Literal["contrastive", "hinge"] = "contrastive"
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 1.2e-3
    weight_decay: float = 1e-4
    averaging: float = 0.997
    seed: int = 0


@dataclass(frozen=True)
class SplitFeatures:
    """A split's photos and their regions, row by row.

    Attributes:
        images: the I photos.
        features: float16 (I, R, F + 5).
        boxes: float32 (I, R, 4), pixels.
    """

    images: Sequence[DatasetImage]
    features: npt.NDArray[np.float16]
    boxes: npt.NDArray[np.float32]


class Trainer:
    """One training run: its model, optimiser, schedule and position, saved and resumed exactly."""

    def __init__(
        self, model: AlignmentModel, vocabulary: Vocabulary, train: SplitFeatures, dev: SplitFeatures,
        config: TrainingConfig, output: Path,
    ) -> None:  # fmt: skip
        """Prepare a run that writes its state and its best checkpoint to `output`."""
        self.model, self.vocabulary, self.train, self.dev = model, vocabulary, train, dev
        self.config, self.output = config, output
        self._sentences = [
            [numbers for sentence in image.sentences if (numbers := vocabulary.numbers(words_of(sentence)))]
            for image in train.images
        ]
        self._steps = len(list(self._pairs(0)))
        if self._steps == 0:
            raise TrainingError("the train split has fewer than two photos with known words")
        self._optimiser, self._schedule = _optimisation(model, config, self._steps * config.epochs)
        self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))
        self._step = 0
        self._best = -math.inf

    def run(self) -> None:
        """Train to the end, with progress; Ctrl-C saves the state before it stops.

        Raises:
            TrainingError: the loss is not a number; the last state saved is good.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        try:
            while self._step < self._steps * self.config.epochs:
                self._run_epoch(self._step // self._steps)
        except KeyboardInterrupt:
            self.save()
            raise

    def save(self) -> None:
        """Write everything that a resumed run needs, aside and moved into place."""
        state = {
            "config": dataclasses.asdict(self.config), "step": self._step, "best": self._best,
            "model": self.model.state_dict(), "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(), "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
        }  # fmt: skip
        aside = self.output / (STATE_FILE + ".tmp")
        torch.save(state, aside)
        aside.replace(self.output / STATE_FILE)

    def resume(self) -> None:
        """Continue where `save` left off: the end is the same as of an undisturbed run.

        Raises:
            TrainingError: there is no state, or it is of a run with other settings.
        """
        path = self.output / STATE_FILE
        if not path.is_file():
            raise TrainingError(f"{self.output} holds no interrupted training to resume")
        state = torch.load(path, weights_only=True)
        if state["config"] != dataclasses.asdict(self.config):
            raise TrainingError(f"{path} is of a training with other settings: {state['config']}")
        self.model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self._step, self._best = state["step"], state["best"]

    def _run_epoch(self, epoch: int) -> None:
        done = self._step - epoch * self._steps
        batches = tqdm(
            enumerate(self._pairs(epoch)), desc=f"epoch {epoch + 1}/{self.config.epochs}", total=self._steps,
            mininterval=5,
        )  # fmt: skip
        self.model.train()
        for number, pairs in batches:
            if number >= done:
                loss = self._train_batch(pairs)
                batches.set_postfix(loss=f"{loss:.3f}", refresh=False)
        self._measure(epoch)
        self.save()

    def _train_batch(self, pairs: Sequence[tuple[int, int]]) -> float:
        rows = [image for image, _ in pairs]
        features = torch.from_numpy(self.train.features[rows].astype(np.float32))  # (I, R, F + 5)
        numbers = pad_numbers([self._sentences[image][sentence] for image, sentence in pairs])
        loss = LOSSES[self.config.loss](self.model(features, numbers))
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss is not a number at step {self._step}; the state of the last epoch is kept")
        self._optimiser.zero_grad()
        loss.backward()
        if self.config.optimiser == "adamw":
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        else:
            torch.nn.utils.clip_grad_value_(self.model.parameters(), 5.0)
        self._optimiser.step()
        self._schedule.step()
        self._average.update_parameters(self.model)
        self._step += 1
        return float(loss.detach())

    def _pairs(self, epoch: int) -> Iterator[list[tuple[int, int]]]:
        """Yield batches of (image, sentence), every sentence once an epoch, no photo twice in a batch."""
        random = np.random.default_rng([self.config.seed, epoch])
        orders = [random.permutation(len(sentences)) for sentences in self._sentences]
        for turn in range(max(map(len, orders), default=0)):
            images = [int(image) for image in random.permutation(len(orders)) if turn < len(orders[image])]
            for start in range(0, len(images), self.config.batch_size):
                batch = images[start : start + self.config.batch_size]
                if len(batch) > 1:  # a single pair has nothing to be ranked against
                    yield [(image, int(orders[image][turn])) for image in batch]

    def _measure(self, epoch: int) -> None:
        average = self._average.module
        assert isinstance(average, AlignmentModel)
        measured = measure_retrieval(average, self.vocabulary, self.dev.images, self.dev.features)
        photo, sentence = measured
        tqdm.write(f"epoch {epoch + 1}: dev photo -> sentence {_line(photo)}; sentence -> photo {_line(sentence)}")
        total = sum(found.r1 + found.r5 + found.r10 for found in measured)
        if total > self._best:
            self._best = total
            save_checkpoint(self.output, average, self.vocabulary, self._about(epoch, photo, sentence))

    def _about(self, epoch: int, photo: Recall, sentence: Recall) -> dict[str, Any]:
        return {
            "training": dataclasses.asdict(self.config),
            "train_images": len(self.train.images),
            "train_sentences": sum(map(len, self._sentences)),
            "chosen_epoch": epoch + 1,
            "dev": {
                "images": len(self.dev.images),
                "image_to_sentence": dataclasses.asdict(photo),
                "sentence_to_image": dataclasses.asdict(sentence),
            },
        }


def _optimisation(
    model: AlignmentModel, config: TrainingConfig, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Make the optimiser and its schedule; the momentum of SGD stays at 0.9, Adam's cycles with the rate."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser: torch.optim.Optimizer
    if config.optimiser == "adamw":
        optimiser = torch.optim.AdamW(parameters, weight_decay=config.weight_decay)
    else:
        optimiser = torch.optim.SGD(parameters, momentum=0.9, weight_decay=config.weight_decay)
    cycle = config.optimiser == "adamw"
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps, pct_start=0.2, cycle_momentum=cycle
    )
    return optimiser, schedule


def _line(found: Recall) -> str:
    return f"R@1/5/10 {found.r1:.1f} / {found.r5:.1f} / {found.r10:.1f} (median {found.median_rank:.0f})"
