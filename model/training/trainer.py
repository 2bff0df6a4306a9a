"""The training loop: epochs, schedule, average of the weights, saving, resuming, logs."""

import copy
import dataclasses
import itertools
import math
import pickle
from pathlib import Path
from typing import Any, Generic, cast

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from model.exceptions import TrainingError
from model.training.config import LoopConfig
from model.training.log import TrainingLog
from model.training.optimiser import clip_gradients, make_optimiser
from model.training.stop import StopWish
from model.training.task import Batch, Model, TrainingTask

STATE_FILE = "training-state.pt"
LOG_FOLDER = "logs"


class Trainer(Generic[Model, Batch]):
    """One training run: its optimiser, schedule and position, saved and resumed exactly.

    What is random in a step (dropout) depends on seed, step and process alone, so a position is all that a resumed run
    needs of it.
    """

    def __init__(self, task: TrainingTask[Model, Batch], config: LoopConfig, output: Path) -> None:
        """Prepare a run that writes its state, its logs and its best checkpoint to `output`."""
        self.task, self.config, self.output = task, config, output
        self._processes = task.processes
        self._processes.copy_from_first(task.model)
        self._optimiser, self._schedule = make_optimiser(task.model, config, task.steps * config.epochs)
        self._scaler = torch.amp.GradScaler("cuda", init_scale=2.0**10, enabled=self._processes.mixed)
        self._average = AveragedModel(task.model, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))
        self._epoch, self._position = 0, 0  # position: batches of the epoch that are done
        self._best, self._best_epoch = -math.inf, 0

    def run(self) -> None:
        """Train to the end, with progress; Ctrl-C and SIGTERM save the state after the step under way.

        Raises:
            KeyboardInterrupt: it was stopped so.
            TrainingError: the loss is not a number; the last state saved is good.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        with StopWish() as stop, TrainingLog(self.output / LOG_FOLDER, self._step, self._processes.first) as log:
            while self._epoch < self.config.epochs and not self._patience_is_over:
                self._run_epoch(stop, log)
        self._processes.wait()

    def save(self) -> None:
        """Write everything that a resumed run needs, aside and moved into place."""
        state = {
            "config": dataclasses.asdict(self.config), "steps": self.task.steps, "epoch": self._epoch,
            "position": self._position, "best": self._best, "best_epoch": self._best_epoch,
            "model": self.task.model.state_dict(), "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(), "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
        }  # fmt: skip
        if self._processes.first:
            aside = self.output / (STATE_FILE + ".tmp")
            torch.save(state, aside)
            aside.replace(self.output / STATE_FILE)

    def resume(self) -> None:
        """Continue where `save` left off: with as many processes, the end is the same as of an undisturbed run.

        Raises:
            TrainingError: there is no state, it is damaged, or of a run with other settings, data or model.
        """
        path, state = self.output / STATE_FILE, _read_state(self.output)
        if state.get("config") != dataclasses.asdict(self.config):
            raise TrainingError(f"{path} is of a training with other settings: {state.get('config')}")
        if state["steps"] != self.task.steps:
            raise TrainingError(f"{path} is of a training on other data: resume with the dataset it began with")
        try:
            self.task.model.load_state_dict(state["model"])
        except RuntimeError as error:
            raise TrainingError(f"{path} is of another model: resume with the configuration and data it had") from error
        self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        if state["scaler"]:  # empty where the run was on a CPU
            self._scaler.load_state_dict(state["scaler"])
        self._epoch, self._position = state["epoch"], state["position"]
        self._best, self._best_epoch = state["best"], state["best_epoch"]

    @property
    def _patience_is_over(self) -> bool:
        over = self._best > 0 and 0 < self.config.patience <= self._epoch - self._best_epoch
        return self._processes.any(self._processes.first and over)  # the others did not measure

    @property
    def _step(self) -> int:
        return self._epoch * self.task.steps + self._position

    def _run_epoch(self, stop: StopWish, log: TrainingLog) -> None:
        progress = tqdm(
            itertools.islice(self.task.batches(self._epoch), self._position, None),
            desc=f"epoch {self._epoch + 1}/{self.config.epochs}", initial=self._position, total=self.task.steps,
            mininterval=5, disable=not self._processes.first,
        )  # fmt: skip
        self.task.model.train()
        with progress:
            for batch in progress:
                figures = self._train_batch(batch)
                log.write(self._step, figures)
                progress.set_postfix(loss=f"{figures['train/loss']:.3f}", refresh=False)
                self._position += 1
                if self._processes.any(stop.made):
                    self.save()
                    raise KeyboardInterrupt
        if self._processes.first:
            self._measure(log)
        self._epoch, self._position = self._epoch + 1, 0
        self.save()

    def _train_batch(self, batch: Batch) -> dict[str, float]:
        torch.manual_seed(_seed(self.config.seed, self._step, self._processes.rank))
        loss = self.task.loss(batch)
        self._optimiser.zero_grad()
        self._scaler.scale(loss).backward()
        self._processes.average_gradients(self.task.model)
        self._scaler.unscale_(self._optimiser)
        norm = clip_gradients(self.task.model, self.config)
        if not torch.isfinite(loss) or not (torch.isfinite(norm) or self._processes.mixed):  # a scaler skips such steps
            raise TrainingError(
                f"the loss or its gradient is not a number at step {self._step}; the last state saved is kept: "
                "lower the learning rate, or look for features that are not numbers"
            )
        rate = float(self._schedule.get_last_lr()[0])
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._schedule.step()
        self._average.update_parameters(self.task.model)
        return {"train/loss": float(loss.detach()), "train/learning_rate": rate, "train/gradient_norm": float(norm)}

    def _measure(self, log: TrainingLog) -> None:
        average = cast(Model, copy.deepcopy(self._average.module).cpu().eval())
        measured = self.task.measure(average)
        tqdm.write(f"epoch {self._epoch + 1}: {measured.line}")
        log.write(self._step - 1, measured.figures)  # of the epoch's last step: what a resume there keeps
        if measured.score > self._best:
            self._best, self._best_epoch = measured.score, self._epoch + 1
            about = {"training": dataclasses.asdict(self.config), "chosen_epoch": self._epoch + 1, **measured.about}
            self.task.keep(self.output, average, about)


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)  # torch: below 2^63


def _read_state(folder: Path) -> dict[str, Any]:
    path = folder / STATE_FILE
    if not path.is_file():
        raise TrainingError(f"{folder} holds no interrupted training to resume")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is damaged or cut short; train again without resuming") from error
    return dict(state)
