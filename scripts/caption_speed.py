"""Time captions from the features of real photos: one, and a thousand, by the default beam.

.venv/bin/python scripts/caption_speed.py [--photos examples/photos] [--captioner DIR] [--alignment DIR] [--repeats 30]
"""

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.encoder import ModelEncoder
from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig
from model.captions.caption import caption_features
from model.captions.checkpoint import BUNDLED, CaptionerCheckpoint, load_captioner
from model.checkpoint import BUNDLED as ALIGNMENT
from model.checkpoint import load_checkpoint
from model.photo import load_photo

PHOTOS = 1000
AT_ONCE = 32


def main() -> None:
    """Print milliseconds of one photo, the median, and seconds of a thousand."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photos", type=Path, default=Path("examples/photos"), help="taken in turn")
    arguments.add_argument("--captioner", type=Path, default=BUNDLED)
    arguments.add_argument(
        "--alignment", type=Path, default=ALIGNMENT, help="model that the captioner was trained with"
    )
    arguments.add_argument("--repeats", type=int, default=30)
    options = arguments.parse_args()
    found, alignment = load_captioner(options.captioner), load_checkpoint(options.alignment)
    agreement = Agreement(alignment.model, alignment.vocabulary)
    encoder = ModelEncoder(alignment)
    made = [encoder.encode_photo(load_photo(path)) for path in sorted(options.photos.glob("*.jpg"))]
    photos = [photo.features for photo in made if photo.features is not None]
    features = torch.from_numpy(np.stack([photos[row % len(photos)] for row in range(PHOTOS)]))
    times = []
    for row in range(options.repeats + 3):  # the first three warm up
        times.append(_seconds(found, agreement, [features[row : row + 1]]))
    document = {
        "threads": torch.get_num_threads(),
        "beam": BeamConfig().width,
        "one_photo_ms": round(1000 * float(np.median(times[3:])), 1),
        "thousand_photos_s": round(_seconds(found, agreement, features.split(AT_ONCE)), 1),
    }
    print(json.dumps(document))


def _seconds(found: CaptionerCheckpoint, agreement: Agreement, parts: Iterable[Tensor]) -> float:
    begin = time.perf_counter()
    for _ in caption_features(found.model, found.vocabulary, parts, BeamConfig(), agreement):
        pass
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
