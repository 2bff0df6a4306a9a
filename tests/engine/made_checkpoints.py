"""Captioners of random weights as checkpoints, and an encoder whose features they take."""

from pathlib import Path

import numpy as np
import torch

from engine.encoder import PhotoFragments
from model.captions.captioner import CaptionerConfig, Subject, build_captioner
from model.captions.checkpoint import save_captioner
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


def made_photo(seed: int, regions: int = 20) -> PhotoFragments:
    """Return a photo of R regions, of 400 x 300 pixels, the whole last."""
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 200, (regions - 1, 2))
    boxes = np.concatenate([corners, corners + random.uniform(20, 100, (regions - 1, 2))], axis=1)
    boxes = np.concatenate([boxes, [[0, 0, 400, 300]]]).astype(np.float32)
    features = random.normal(size=(regions, ROW_SIZE)).astype(np.float32)
    return PhotoFragments(boxes, np.zeros((regions, 4), np.float32), features)
