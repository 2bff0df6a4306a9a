import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DVSA = Path(sys.executable).with_name("dvsa")


def train(table: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [
        DVSA,
        "train",
        "alignment",
        "--dataset",
        table,
        "--output",
        output,
        "--set",
        "epochs=1",
        "--set",
        "sentence.words=learned",
        *options,
    ]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Eight photos to train on, of which one is missing and one cut short, and four to choose by."""
    random = np.random.default_rng(0)
    rows = ["photo,sentence,split"]
    for number in range(12):
        pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
        rows.append(f"{number}.jpg,собака бежит по траве,{'train' if number < 8 else 'dev'}")
    (tmp_path / "0.jpg").unlink()
    whole = (tmp_path / "1.jpg").read_bytes()
    (tmp_path / "1.jpg").write_bytes(whole[: len(whole) // 2])
    path = tmp_path / "photos.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_a_half_read_dataset_is_trained_on_only_where_that_is_asked_for(table: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    refused = train(table, output)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: photos: 1 of the 8 photos of the train split cannot be used, the first: ")
    assert f"{tmp_path / '0.jpg'} is not there" in refused.stderr
    assert not output.exists()

    Image.new("RGB", (64, 64)).save(tmp_path / "0.jpg")
    refused = train(table, output)
    assert refused.returncode == 1
    assert "1 of 8 photos cannot be used" in refused.stderr
    assert f"{tmp_path / '1.jpg'} is cut short or damaged" in refused.stderr
    assert not list(output.glob("*.safetensors"))

    (tmp_path / "0.jpg").unlink()
    trained = train(table, output, "--skip-missing")
    assert trained.returncode == 0, trained.stderr
    assert f"left out 2 photos, the first: {tmp_path / '0.jpg'} is not there" in trained.stderr
    assert list(output.glob("*.safetensors"))
