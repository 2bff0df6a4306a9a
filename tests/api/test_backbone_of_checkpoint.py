"""A model trained on features of another CNN than the bundled one's, by the real command line."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def write_photos(folder: Path) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    rows = ["photo,sentence,split"]
    for number in range(8):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.jpg")
        rows.append(f"{number}.jpg,a dog,{'train' if number < 6 else 'dev'}")
    path = folder / "photos.csv"
    path.write_text("\n".join(rows))
    return path


def test_a_trained_model_indexes_with_its_own_cnn_and_refuses_other_weights(dvsa: Run, tmp_path: Path) -> None:
    table, run = write_photos(tmp_path / "photos"), tmp_path / "run"
    for name in ("own", "other"):
        torch.save(timm.create_model("resnet10t").state_dict(), tmp_path / f"{name}.pth")
    own, other = str(tmp_path / "own.pth"), str(tmp_path / "other.pth")
    options = ["backbone=timm:resnet10t", "proposer=grid", "sentence.words=learned", "epochs=1"]
    settings = [word for option in options for word in ("--set", option)]

    command = ("train", "alignment", "--dataset", table, "--output", run, *settings)
    trained = dvsa(*command, DVSA_BACKBONE_WEIGHTS=own)
    assert trained.returncode == 0, trained.stderr

    index = ("index", table.parent, "--collection", "resnet")
    refused = dvsa(*index, DVSA_CHECKPOINT=str(run), DVSA_BACKBONE_WEIGHTS=other)
    assert refused.returncode == 1
    error = refused.stderr.strip().splitlines()[-1]
    assert error.startswith("Error: the checkpoint was trained with timm:resnet10t of the weights ")
    assert "Traceback" not in refused.stderr

    indexed = dvsa(*index, DVSA_CHECKPOINT=str(run), DVSA_BACKBONE_WEIGHTS=own)
    assert indexed.returncode == 0, indexed.stderr
