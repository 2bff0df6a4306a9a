import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from model.alignment import AlignmentConfig, build_alignment_model
from model.boxes import GEOMETRY
from model.checkpoint import load_checkpoint
from model.dataset import Dataset
from model.datasets import read_dataset
from model.feature_cache import FeatureCache
from model.region_features import RegionExtractor, RegionFeatures
from model.sentence_encoder import SentenceEncoderConfig
from model.train import AlignmentTask, SplitFeatures, TrainingConfig
from model.training.processes import Processes
from model.training.trainer import Trainer
from model.vocabulary import Vocabulary

CORNERS = [(red, green, blue) for red in (0, 255) for green in (0, 255) for blue in (0, 255)]
SENTENCES = {  # (pattern, the corners' colours in their order)
    "hindi": ("एक {} गेंद दिखती है।", "काली नीली हरी आसमानी लाल गुलाबी पीली सफ़ेद"),
    "arabic": ("هٰذِهِ كُرَةٌ {}.", "سَوْداءُ زَرْقاءُ خَضْراءُ سَماوِيَّةٌ حَمْراءُ وَرْدِيَّةٌ صَفْراءُ بَيْضاءُ"),
    "japanese": ("{}色のボールがある。", "黒 青 緑 水 赤 桃 黄 白"),
}


class MeanColour(RegionExtractor):
    """A region's features are the photo's mean colour about grey; all regions are the whole photo."""

    name = "whole_mean"
    feature_size = 3 + GEOMETRY

    def __init__(self) -> None:
        pass

    def extract(self, photo: npt.NDArray[np.uint8]) -> RegionFeatures:
        colour = photo.mean(axis=(0, 1), dtype=np.float32) / 128 - 1
        features = np.tile(np.concatenate([colour, np.zeros(GEOMETRY, np.float32)]), (20, 1))
        return RegionFeatures(np.zeros((20, 4), dtype=np.float32), features)


def write_table(folder: Path, language: str) -> Path:
    """Six photos of each colour to train on and one to choose by, as a table."""
    pattern, colours = SENTENCES[language]
    random = np.random.default_rng(0)
    with (folder / "photos.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["photo", "sentence", "split"])
        for corner, colour in zip(CORNERS, colours.split(), strict=True):
            for number in range(7):
                pixels = np.clip(np.array(corner) + random.normal(0, 40, (12, 12, 3)), 0, 255).astype(np.uint8)
                name = f"{colour}-{number}.png"
                Image.fromarray(pixels).save(folder / name)
                table.writerow([name, pattern.format(colour), "train" if number else "val"])
    return folder / "photos.csv"


def features(dataset: Dataset, split: str, folder: Path) -> SplitFeatures:
    cache = FeatureCache(folder, dataset.split(split), MeanColour())
    cache.fill()
    return SplitFeatures(dataset.split(split), cache.features, cache.boxes)


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_a_small_set_that_is_not_english_is_learned(tmp_path: Path, language: str) -> None:
    dataset = read_dataset(write_table(tmp_path, language))
    train, dev = (features(dataset, split, tmp_path / "cache") for split in ("train", "dev"))
    vocabulary = Vocabulary.from_sentences(sentence for image in train.images for sentence in image.sentences)
    assert len(vocabulary) == {"hindi": 12, "arabic": 10, "japanese": 14}[language]  # the colours among them
    sentence = SentenceEncoderConfig("gru", 16, 16, words="learned")
    config = AlignmentConfig(
        features=("pooled",), streams=1, feature_size=3, dimension=16, dropout=0.0, sentence=sentence
    )
    torch.manual_seed(0)
    settings = TrainingConfig(epochs=15, batch_size=8, learning_rate=2e-2, averaging=0.5)
    model = build_alignment_model(config, vocabulary)
    task = AlignmentTask(model, vocabulary, train, dev, settings, Processes())
    Trainer(task, settings, tmp_path / "run").run()
    about = load_checkpoint(tmp_path / "run").about["dev"]
    assert about["image_to_sentence"]["r1"] >= 75.0  # chance is one in eight
    assert about["sentence_to_image"]["r1"] >= 75.0
