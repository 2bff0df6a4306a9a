"""Measure the encoders alone: one sentence to word vectors, one photo's region features to region vectors.

    .venv/bin/python scripts/encode_speed.py

Medians and worst of 200 calls in a warm process, by the bundled checkpoint. Prints JSON.
"""

import json
import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch

from engine.encoder import ModelEncoder
from model.boxes import GEOMETRY, REGIONS
from model.checkpoint import load_checkpoint

SENTENCE = "two brown dogs run through the wet grass beside a lake"


def milliseconds(call: Callable[[], object], calls: int = 200) -> dict[str, float]:
    """Time a call, after ten that warm it up."""
    for _ in range(10):
        call()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return {"median_ms": round(float(np.median(times)), 2), "worst_ms": round(max(times), 2)}


def main() -> None:
    """Measure both encoders."""
    checkpoint = load_checkpoint()
    encoder, config = ModelEncoder(checkpoint), checkpoint.model.config
    features = torch.rand(REGIONS, len(config.features) * config.feature_size + GEOMETRY)
    with torch.inference_mode():
        result = {
            "sentence": milliseconds(lambda: encoder.encode_sentences([SENTENCE])),
            "regions": milliseconds(lambda: checkpoint.model.image_encoder(features)),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
