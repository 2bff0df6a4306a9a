"""Measure indexing from pixels: photos a second and peak memory, for each region proposer.

    .venv/bin/python scripts/index_speed.py [--photos 400]

Photos are 500 x 375 pixels, made of the example photos with a little noise so that no two are equal. Prints JSON.
"""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
SIZE = (500, 375)


def make_photos(folder: Path, count: int) -> None:
    """Write `count` different photos."""
    import numpy as np
    from PIL import Image

    sources = sorted(EXAMPLES.glob("*.jpg"))
    random = np.random.default_rng(0)
    for number in range(count):
        with Image.open(sources[number % len(sources)]) as image:
            pixels = np.asarray(image.convert("RGB").resize(SIZE)).astype(np.int16)
        pixels += random.integers(-4, 5, pixels.shape, dtype=np.int16)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{number:06}.jpg", quality=85)


def measure(photos: Path, proposer: str) -> dict[str, object]:
    """Index a folder with the bundled weights and this proposer, in this process; captioned where it is the default."""
    from engine.captioner import load_photo_captioner
    from engine.encoder import load_encoder
    from engine.settings import Settings
    from indexer.index import index_paths
    from model.alignment import AlignmentModel
    from model.checkpoint import load_checkpoint, save_checkpoint

    with tempfile.TemporaryDirectory() as home:
        bundled = load_checkpoint()
        config = dataclasses.replace(bundled.model.config, proposer=proposer)
        model = AlignmentModel(config, bundled.model.image_encoder, bundled.model.sentence_encoder)
        save_checkpoint(Path(home) / "checkpoint", model, bundled.vocabulary, bundled.about)
        encoder = load_encoder(Path(home) / "checkpoint")
        captioner = load_photo_captioner(encoder) if proposer == bundled.model.config.proposer else None
        settings = Settings(home=Path(home))
        start = time.perf_counter()
        report = index_paths([photos], "speed", encoder, settings, captioner=captioner)
        seconds = time.perf_counter() - start
    return {
        "proposer": proposer,
        "photos": report.added,
        "captioned": report.captioned,
        "photos_per_second": round(report.added / seconds, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure each proposer in a process of its own, so that one's memory is not the other's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "PROPOSER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(Path(options.measure[0]), options.measure[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_photos(Path(folder), options.photos)
        for proposer in ("consensus", "grid", "selective-search"):
            subprocess.run([sys.executable, __file__, "--measure", folder, proposer], check=True)


if __name__ == "__main__":
    main()
