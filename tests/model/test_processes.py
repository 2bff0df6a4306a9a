"""Several processes, started by torchrun, train as one does."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from model.checkpoint import load_checkpoint
from model.train import TrainingConfig
from model.training.processes import Processes
from model.training.trainer import LOG_FOLDER, Trainer
from tests.model import colour_training

ROOT = Path(__file__).resolve().parents[2]
NEVER = -1
# 40 photos: batches of 7 and a last one of 5 for two processes; of 19 and a last one of 2 for three, one has nothing
SETTINGS = TrainingConfig(epochs=2, batch_size=7, learning_rate=1e-2, averaging=0.5)
HINGE = replace(SETTINGS, batch_size=19, loss="hinge", optimiser="sgd", learning_rate=1e-3)
Weights = dict[str, Any]


def train_alone(output: Path, settings: TrainingConfig) -> Weights:
    task = colour_training.make_task(settings, colour_training.without_dropout())
    Trainer(task, settings, output).run()
    return task.model.state_dict()


def train_together(output: Path, count: int, settings: TrainingConfig, stop: int = NEVER, resume: str = "") -> str:
    """Train in several processes that torchrun starts; returns what they print."""
    program = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    arguments = ["-m", colour_training.__name__, str(output), json.dumps(asdict(settings)), str(stop), resume]
    done = subprocess.run(
        [sys.executable, *program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


def losses(output: Path) -> list[float]:
    events = EventAccumulator(str(output / LOG_FOLDER)).Reload().Scalars("train/loss")
    assert [event.step for event in events] == list(range(len(events)))
    return [event.value for event in events]


def weights(output: Path) -> Weights:
    return dict(torch.load(output / "last.pt", weights_only=True))


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of two processes that were not disturbed."""
    output = tmp_path_factory.mktemp("two")
    printed = train_together(output, 2, SETTINGS)
    assert printed.count("dev photo -> sentence") == SETTINGS.epochs  # only the first process measures and prints
    assert len(list((output / LOG_FOLDER).iterdir())) == 1
    return output


def assert_trained_as_alone(output: Path, settings: TrainingConfig, alone: Path) -> None:
    expected = train_alone(alone, settings)
    assert losses(output) == pytest.approx(losses(alone), rel=1e-4)
    for name, value in weights(output).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-4)
    assert load_checkpoint(output).about == load_checkpoint(alone).about


def test_two_processes_compute_what_one_does_with_a_last_batch_of_odd_size(two_processes: Path, tmp_path: Path) -> None:
    assert_trained_as_alone(two_processes, SETTINGS, tmp_path)


def test_three_processes_compute_what_one_does_with_a_last_batch_of_two(tmp_path: Path) -> None:
    train_together(tmp_path / "three", 3, HINGE)
    assert_trained_as_alone(tmp_path / "three", HINGE, tmp_path / "alone")


def test_signal_to_one_process_stops_all_and_the_run_is_resumed_exactly(two_processes: Path, tmp_path: Path) -> None:
    train_together(tmp_path, 2, SETTINGS, stop=9)
    assert len(losses(tmp_path)) == 9
    train_together(tmp_path, 2, SETTINGS, resume="resume")
    assert losses(tmp_path) == losses(two_processes)
    expected = weights(two_processes)
    for name, value in weights(tmp_path).items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


def test_shares_are_of_one_length_and_together_the_batch() -> None:
    for total in (2, 3, 7, 8):
        parts = [Processes(rank, 3).share(range(total)) for rank in range(3)]
        assert len({len(part) for part in parts}) == 1
        assert [number for part in parts for number in part][:total] == list(range(total))
