import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from model.alignment import AlignmentConfig, AlignmentModel, build_alignment_model
from model.checkpoint import load_checkpoint
from model.configurations import CONFIGURATIONS
from model.dataset import DatasetImage
from model.exceptions import CheckpointError, TrainingError
from model.sentence_encoder import SentenceEncoderConfig
from model.train import SplitFeatures, Trainer, TrainingConfig
from model.vocabulary import Vocabulary

COLOURS = ("red", "green", "blue", "white", "black", "pink", "brown", "grey")
CONFIG = AlignmentConfig(feature_size=8, dimension=16, dropout=0.1, sentence=SentenceEncoderConfig("gru", 16, 16))
SETTINGS = TrainingConfig(epochs=6, batch_size=4, learning_rate=2e-2, averaging=0.5)


def colour_split(count: int, seed: int) -> SplitFeatures:
    """Photos whose one-hot region features say which colour their two sentences name."""
    random = np.random.default_rng(seed)
    features = 0.1 * random.normal(size=(count, 3, 8))
    images = []
    for row in range(count):
        colour = row % len(COLOURS)
        features[row, row % 3, colour] += 3.0
        sentences = (f"a {COLOURS[colour]} thing", f"the {COLOURS[colour]}")
        images.append(DatasetImage(Path(f"{row}.jpg"), "train", sentences))
    return SplitFeatures(images, features.astype(np.float16), np.zeros((count, 3, 4), dtype=np.float32))


def make_trainer(output: Path, settings: TrainingConfig = SETTINGS) -> Trainer:
    vocabulary = Vocabulary(["a", "the", "thing", *COLOURS])
    torch.manual_seed(settings.seed)
    model = build_alignment_model(CONFIG, len(vocabulary))
    return Trainer(model, vocabulary, colour_split(40, 0), colour_split(8, 1), settings, output)


def test_training_learns_which_word_goes_with_which_feature(tmp_path: Path) -> None:
    make_trainer(tmp_path).run()
    dev = load_checkpoint(tmp_path).about["dev"]
    assert dev["image_to_sentence"]["r1"] == 100.0  # an untrained model finds one in eight
    assert dev["sentence_to_image"]["r1"] == 100.0


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_each_configuration_learns(tmp_path: Path, name: str) -> None:
    config, training = CONFIGURATIONS[name]
    vocabulary = Vocabulary(["a", "the", "thing", *COLOURS])
    torch.manual_seed(0)
    small = dataclasses.replace(
        config, feature_size=8, dimension=16, dropout=0.1, sentence=dataclasses.replace(config.sentence, hidden_size=16)
    )
    rate = {"adamw": 2e-2, "sgd": 5e-4}[training.optimiser]  # for a model this small
    settings = dataclasses.replace(training, epochs=40, batch_size=4, learning_rate=rate, averaging=0.5)
    model = build_alignment_model(small, len(vocabulary))
    Trainer(model, vocabulary, colour_split(40, 0), colour_split(8, 1), settings, tmp_path).run()
    dev = load_checkpoint(tmp_path).about["dev"]
    assert dev["image_to_sentence"]["r1"] >= 75.0  # chance is one in eight
    assert dev["sentence_to_image"]["r1"] >= 75.0


class Interrupted(AlignmentModel):
    """A model whose n-th forward pass in training is a Ctrl-C."""

    countdown = 23

    def forward(self, features: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        self.countdown -= self.training
        if self.countdown == 0:
            raise KeyboardInterrupt
        return super().forward(features, numbers)


def test_interrupted_and_resumed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = make_trainer(tmp_path / "whole")
    whole.run()
    stopped = make_trainer(tmp_path / "resumed")
    stopped.model.__class__ = Interrupted
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = make_trainer(tmp_path / "resumed")
    torch.manual_seed(99)  # whatever the random state was, the saved one counts
    resumed.resume()
    resumed.run()
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(value, resumed.model.state_dict()[name], rtol=0, atol=0)


def test_resume_is_refused_without_a_state_or_with_other_settings(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no interrupted training"):
        make_trainer(tmp_path).resume()
    make_trainer(tmp_path, dataclasses.replace(SETTINGS, epochs=1)).run()
    with pytest.raises(TrainingError, match="other settings"):
        make_trainer(tmp_path).resume()


def test_loss_that_is_not_a_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    make_trainer(tmp_path, dataclasses.replace(SETTINGS, epochs=1)).run()
    before = (tmp_path / "weights.safetensors").read_bytes()
    broken = make_trainer(tmp_path)
    with torch.no_grad():
        broken.model.image_encoder.project.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="not a number"):
        broken.run()
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_no_photo_is_twice_in_a_batch_and_every_sentence_comes_once_an_epoch(tmp_path: Path) -> None:
    pairs = list(make_trainer(tmp_path)._pairs(0))
    assert all(len({image for image, _ in batch}) == len(batch) for batch in pairs)
    assert sorted(pair for batch in pairs for pair in batch) == [
        (row, number) for row in range(40) for number in (0, 1)
    ]


def test_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    make_trainer(tmp_path, dataclasses.replace(SETTINGS, epochs=1)).run()
    loaded = load_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path).model_hash == loaded.model_hash
    weights, description = tmp_path / "weights.safetensors", tmp_path / "checkpoint.json"
    good = weights.read_bytes()
    weights.write_bytes(good[:-10])
    with pytest.raises(CheckpointError, match="cut short"):
        load_checkpoint(tmp_path)
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="are not those"):
        load_checkpoint(tmp_path)
    weights.write_bytes(good)
    text = description.read_text()
    description.write_text(text.replace('"format_version": 1', '"format_version": 99'))
    with pytest.raises(CheckpointError, match="format 99"):
        load_checkpoint(tmp_path)
    description.write_text(text.replace('"proposer"', '"proposal"'))
    with pytest.raises(CheckpointError, match="another version"):
        load_checkpoint(tmp_path)
    description.write_text(text[:100])
    with pytest.raises(CheckpointError, match="cut short"):
        load_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load_checkpoint(tmp_path / "nowhere")
