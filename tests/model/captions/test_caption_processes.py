"""Two processes, started by torchrun, train a captioner as one does."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from model.captions.checkpoint import load_captioner
from model.training.trainer import Trainer
from tests.model.captions import colour_captions

pytest.importorskip("pycocoevalcap")

ROOT = Path(__file__).resolve().parents[3]
# 40 photos in batches of 13 and a last one of one: shares of unequal numbers of words, filled up, and one of nothing
SETTINGS = replace(colour_captions.SETTINGS, epochs=2, batch_size=13, sentences=1, smoothing=0.1)


def test_two_processes_compute_what_one_does(tmp_path: Path) -> None:
    program = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", colour_captions.__name__]
    done = subprocess.run(
        [sys.executable, *program, str(tmp_path / "two"), json.dumps(asdict(SETTINGS))],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("dev CIDEr") == SETTINGS.epochs  # only the first process measures

    task = colour_captions.make_task(SETTINGS, replace(colour_captions.CONFIG, dropout=0.0))
    Trainer(task, SETTINGS, tmp_path / "alone").run()
    expected = task.model.state_dict()
    for name, value in torch.load(tmp_path / "two" / "last.pt", weights_only=True).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-4)
    first, second = load_captioner(tmp_path / "two").about, load_captioner(tmp_path / "alone").about
    assert first["chosen_epoch"] == second["chosen_epoch"]
    assert first["dev"]["cider"] == pytest.approx(second["dev"]["cider"], abs=0.01)
