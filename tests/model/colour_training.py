"""A training of a second: photos whose region features say which colour their sentences name.

Run by the tests with torchrun: OUTPUT, then words of a TrainingConfig as JSON, then the step in which SIGTERM comes
to the last process (-1: never), then whether to resume.
"""

import dataclasses
import json
import signal
import sys
from pathlib import Path

import numpy as np
import torch

from model.alignment import AlignmentConfig, build_alignment_model
from model.boxes import GEOMETRY
from model.dataset import DatasetImage
from model.sentence_encoder import SentenceEncoderConfig
from model.train import AlignmentTask, Pairs, SplitFeatures, TrainingConfig
from model.training.processes import Processes, joined_processes
from model.training.trainer import Trainer
from model.vocabulary import Vocabulary
from model.word_vectors import WordVectors

COLOURS = ("red", "green", "blue", "white", "black", "pink", "brown", "grey")
VOCABULARY = Vocabulary(["a", "the", "thing", *COLOURS])
SENTENCE = SentenceEncoderConfig("gru", 16, 16, words="learned")
CONFIG = AlignmentConfig(features=("pooled",), streams=1, feature_size=8, dimension=16, dropout=0.1, sentence=SENTENCE)
VECTORS = WordVectors(list(COLOURS), (100 * np.eye(8)).astype(np.int8), np.full(8, 0.01, np.float32))
SETTINGS = TrainingConfig(epochs=6, batch_size=4, learning_rate=2e-2, averaging=0.5)
ALONE = Processes()


def colour_split(count: int, seed: int, kinds: int = 1) -> SplitFeatures:
    """Photos whose one-hot region features say which colour their two sentences name."""
    random = np.random.default_rng(seed)
    features = 0.1 * random.normal(size=(count, 3, 8))
    images = []
    for row in range(count):
        colour = row % len(COLOURS)
        features[row, row % 3, colour] += 3.0
        sentences = (f"a {COLOURS[colour]} thing", f"the {COLOURS[colour]}")
        images.append(DatasetImage(Path(f"{row}.jpg"), "train", sentences))
    geometry = np.zeros((count, 3, GEOMETRY))
    features = np.concatenate([features] * kinds + [geometry], axis=2)
    return SplitFeatures(images, features.astype(np.float16), np.zeros((count, 3, 4), dtype=np.float32))


class StoppedTask(AlignmentTask):
    """A task in whose n-th loss a signal comes to this process."""

    countdown = 0
    number = signal.SIGTERM

    def loss(self, batch: Pairs) -> torch.Tensor:
        self.countdown -= 1
        if self.countdown == 0:
            signal.raise_signal(self.number)
        return super().loss(batch)


def make_task(
    settings: TrainingConfig = SETTINGS, config: AlignmentConfig = CONFIG, processes: Processes = ALONE
) -> StoppedTask:
    torch.manual_seed(settings.seed)
    model = build_alignment_model(config, VOCABULARY, VECTORS)
    kinds = len(config.features)
    return StoppedTask(model, VOCABULARY, colour_split(40, 0, kinds), colour_split(8, 1, kinds), settings, processes)


def without_dropout(config: AlignmentConfig = CONFIG) -> AlignmentConfig:
    sentence = dataclasses.replace(config.sentence, dropout=0.0, word_dropout=0.0)
    return dataclasses.replace(config, dropout=0.0, sentence=sentence)


def main(output: str, settings: str, stop: str, resume: str) -> None:
    config = TrainingConfig(**json.loads(settings))
    with joined_processes() as processes:
        task = make_task(config, without_dropout(), processes)
        if processes.rank == processes.count - 1:
            task.countdown = int(stop)
        trainer = Trainer(task, config, Path(output))
        if resume == "resume":
            trainer.resume()
        try:
            trainer.run()
        except KeyboardInterrupt:
            return
        if processes.first:
            torch.save(task.model.state_dict(), Path(output) / "last.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
