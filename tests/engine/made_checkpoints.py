"""Captioners of random weights as checkpoints, and an alignment model of the same features."""

from pathlib import Path

import numpy as np
import torch

from engine.encoder import PhotoFragments
from model.alignment import AlignmentConfig, build_alignment_model
from model.boxes import GEOMETRY
from model.captions.captioner import CaptionerConfig, Subject, build_captioner
from model.captions.checkpoint import save_captioner
from model.checkpoint import Checkpoint
from model.sentence_encoder import SentenceEncoderConfig
from model.vocabulary import Vocabulary

ROW_SIZE = 9
WORDS = ("a", "dog", "two", "dogs", "grass", "on", "runs", "snow")


def write_captioner(
    folder: Path, subject: Subject = "photos", features: str = "tiny", row_size: int = ROW_SIZE
) -> Path:
    """Write a captioner that says a few words, and not the same of all photos."""
    torch.manual_seed(0)
    config = CaptionerConfig(subject=subject, features=features, row_size=row_size, embedding=16, hidden=16)
    captioner = build_captioner(config, len(WORDS)).eval()
    with torch.no_grad():
        for parameter in captioner.parameters():
            parameter.normal_(std=0.6)
    save_captioner(folder, captioner, Vocabulary(WORDS), {})
    return folder


def made_alignment(model_hash: str = "made") -> Checkpoint:
    """Return an alignment model of random weights that takes what the captioners take and knows half of their words."""
    torch.manual_seed(1)
    vocabulary = Vocabulary(WORDS[:4])
    sentence = SentenceEncoderConfig(embedding_size=6, hidden_size=6, words="learned")
    config = AlignmentConfig(
        features=("pooled",), streams=1, feature_size=ROW_SIZE - GEOMETRY, dimension=8, sentence=sentence
    )
    return Checkpoint(build_alignment_model(config, vocabulary).eval(), vocabulary, {}, model_hash)


def made_photo(seed: int, regions: int = 20) -> PhotoFragments:
    """Return a photo of R regions, of 400 x 300 pixels, the whole last."""
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 200, (regions - 1, 2))
    boxes = np.concatenate([corners, corners + random.uniform(20, 100, (regions - 1, 2))], axis=1)
    boxes = np.concatenate([boxes, [[0, 0, 400, 300]]]).astype(np.float32)
    features = random.normal(size=(regions, ROW_SIZE)).astype(np.float32)
    return PhotoFragments(boxes, np.zeros((regions, 4), np.float32), features)
