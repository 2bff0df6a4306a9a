"""A captioner's training of a second: photos and regions whose features say which colour their sentences name.

Run by the tests with torchrun: OUTPUT, then words of a CaptionTrainingConfig as JSON.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from model.boxes import GEOMETRY
from model.captions.captioner import CaptionerConfig, build_captioner
from model.captions.described import Described, described_photos
from model.captions.train import CaptionTask, CaptionTrainingConfig
from model.dataset import DatasetImage
from model.train import SplitFeatures
from model.training.processes import Processes, joined_processes
from model.training.trainer import Trainer
from model.vocabulary import Vocabulary

COLOURS = ("red", "green", "blue", "white", "black", "pink", "brown", "grey")
VOCABULARY = Vocabulary(["a", "the", "thing", "is", "very", *COLOURS])
ROW_SIZE = len(COLOURS) + GEOMETRY
CONFIG = CaptionerConfig(features="colours", row_size=ROW_SIZE, embedding=16, hidden=32, dropout=0.1)
SETTINGS = CaptionTrainingConfig(epochs=3, batch_size=7, learning_rate=1e-2, averaging=0.5, patience=0, smoothing=0.0)
ALONE = Processes()


def colour_photos(count: int, seed: int) -> Described:
    """Photos of three regions, the last of which, the whole photo, is one-hot for the colour that sentences name.

    Sentences are of three and of four to seven words: the batches' parts have different numbers of words.
    """
    random = np.random.default_rng(seed)
    features = 0.1 * random.normal(size=(count, 3, ROW_SIZE))
    images = []
    for row in range(count):
        colour = row % len(COLOURS)
        features[row, [row % 2, 2], colour] += 3.0
        sentences = (f"a {COLOURS[colour]} thing", f"the thing is {'very ' * (row % 4)}{COLOURS[colour]}")
        images.append(DatasetImage(Path(f"{row}.jpg"), "train", sentences))
    split = SplitFeatures(images, features.astype(np.float16), np.zeros((count, 3, 4), dtype=np.float32))
    return described_photos(split)


class ColourTask(CaptionTask):
    """A task in whose n-th loss the training is interrupted."""

    countdown = 0

    def loss(self, batch: list[tuple[int, list[int]]]) -> torch.Tensor:
        self.countdown -= 1
        if self.countdown == 0:
            raise KeyboardInterrupt
        return super().loss(batch)


def make_task(
    settings: CaptionTrainingConfig = SETTINGS, config: CaptionerConfig = CONFIG, processes: Processes = ALONE
) -> ColourTask:
    torch.manual_seed(settings.seed)
    model = build_captioner(config, len(VOCABULARY))
    return ColourTask(model, VOCABULARY, colour_photos(40, 0), colour_photos(8, 1), settings, processes)


def main(output: str, settings: str) -> None:
    config = CaptionTrainingConfig(**json.loads(settings))
    with joined_processes() as processes:
        task = make_task(config, replace(CONFIG, dropout=0.0), processes)
        Trainer(task, config, Path(output)).run()
        if processes.first:
            torch.save(task.model.state_dict(), Path(output) / "last.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
