from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

from engine.encoder import load_encoder
from engine.settings import Settings
from model.alignment import AlignmentConfig, build_alignment_model
from model.checkpoint import load_checkpoint, save_checkpoint
from model.exceptions import CheckpointError
from model.region_extractor import extractor_for_training, extractor_of_model
from model.sentence_encoder import SentenceEncoderConfig
from model.vocabulary import Vocabulary
from model.weight_files import WeightFiles

SENTENCE = SentenceEncoderConfig("gru", 8, 8, words="learned")
RESNET = AlignmentConfig(
    backbone="timm:resnet18", proposer="grid", features=("cropped",), streams=1, dimension=8, sentence=SENTENCE
)
PHOTO = np.full((40, 60, 3), 200, dtype=np.uint8)


def write_weights(path: Path, seed: int) -> WeightFiles:
    torch.manual_seed(seed)
    torch.save(timm.create_model("resnet18").state_dict(), path)
    return WeightFiles(backbone=path)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> WeightFiles:
    return write_weights(tmp_path_factory.mktemp("weights") / "own.pth", 0)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> WeightFiles:
    return write_weights(tmp_path_factory.mktemp("weights") / "others.pth", 1)


def saved(folder: Path, config: AlignmentConfig) -> Path:
    vocabulary = Vocabulary(["a", "dog"])
    save_checkpoint(folder, build_alignment_model(config, vocabulary), vocabulary, {})
    return folder


def test_size_and_weights_of_features_follow_from_the_backbone(files: WeightFiles) -> None:
    config, extractor = extractor_for_training(RESNET, files)
    assert (config.feature_size, extractor.feature_size) == (512, 512 + 5)
    assert len(config.backbone_weights) == 12
    assert config == replace(RESNET, feature_size=512, backbone_weights=config.backbone_weights)


def test_a_checkpoint_of_any_backbone_encodes_photos_when_its_weights_are_named(
    tmp_path: Path, files: WeightFiles
) -> None:
    folder = saved(tmp_path, extractor_for_training(RESNET, files)[0])
    assert load_encoder(folder, files).encode_photo(PHOTO).vectors.shape == (20, 8)


def test_a_checkpoint_refuses_features_of_other_weights_and_says_which(
    tmp_path: Path, files: WeightFiles, others: WeightFiles
) -> None:
    config, _ = extractor_for_training(RESNET, files)
    folder = saved(tmp_path, config)
    found = extractor_for_training(RESNET, others)[0].backbone_weights
    message = (
        f"with timm:resnet18 of the weights {config.backbone_weights}, these are {found}: .* DVSA_BACKBONE_WEIGHTS"
    )
    with pytest.raises(CheckpointError, match=message):
        load_encoder(folder, others).encode_photo(PHOTO)
    with pytest.raises(CheckpointError, match=message):
        extractor_of_model(load_checkpoint(folder).model.config, others)


def test_a_checkpoint_refuses_features_of_another_size(tmp_path: Path, files: WeightFiles) -> None:
    folder = saved(tmp_path, replace(RESNET, feature_size=1280))
    with pytest.raises(CheckpointError, match="features of 1280 numbers and timm:resnet18 makes 512: train it again"):
        load_encoder(folder, files).encode_photo(PHOTO)


def test_a_checkpoint_that_does_not_know_its_weights_takes_any(files: WeightFiles, others: WeightFiles) -> None:
    config = replace(RESNET, feature_size=512)
    assert extractor_of_model(config, files).name != extractor_of_model(config, others).name


def test_a_checkpoint_refuses_regions_of_another_detector(tmp_path: Path, files: WeightFiles) -> None:
    named = []
    for number in range(2):
        network = fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)
        torch.save(network.state_dict(), tmp_path / f"{number}.pth")
        named.append(replace(files, proposer=tmp_path / f"{number}.pth"))
    config, extractor = extractor_for_training(replace(RESNET, proposer="faster-rcnn-mobilenet"), named[0])
    assert extractor_of_model(config, named[0]).name == extractor.name
    with pytest.raises(CheckpointError, match=r"with faster-rcnn-mobilenet of the weights .* DVSA_PROPOSER_WEIGHTS"):
        extractor_of_model(config, named[1])


def test_the_settings_name_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVSA_BACKBONE_WEIGHTS", "cnn.pth")
    monkeypatch.setenv("DVSA_PROPOSER_WEIGHTS", "detector.pth")
    assert Settings().weight_files == WeightFiles(Path("cnn.pth"), Path("detector.pth"))
    monkeypatch.delenv("DVSA_PROPOSER_WEIGHTS")
    assert Settings().weight_files == WeightFiles(backbone=Path("cnn.pth"))
