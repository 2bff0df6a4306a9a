"""The real command line, in a process of its own, over a few of the example photos."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = (
    "two-dogs-at-window",
    "german-shepherd",
    "orchestra",
    "mountain-lake",
    "bridge-at-night",
    "citrus-slices",
    "desert-hikers",
    "white-duck",
)


@pytest.fixture(scope="session")
def dvsa(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run `dvsa` with arguments; the collections are in a home of the test session."""
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [Path(sys.executable).with_name("dvsa"), *arguments],
            env={**os.environ, "DVSA_HOME": str(home), "OMP_WAIT_POLICY": "passive", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight example photos with their sentences."""
    folder = tmp_path_factory.mktemp("photos with a space")
    for name in NAMES:
        for suffix in (".jpg", ".txt"):
            shutil.copy(EXAMPLES / "photos" / (name + suffix), folder)
    return folder


@pytest.fixture(scope="session")
def indexed(dvsa: Run, photos: Path) -> "subprocess.CompletedProcess[str]":
    """What `dvsa index` of the photos into `small` said."""
    return dvsa("index", photos, "--collection", "small", "--json")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 example photos with their sentences, two or three each, in the Flickr8k layout, half of them dev."""
    root = tmp_path_factory.mktemp("data set")
    (root / "Flickr8k_text").mkdir()
    (root / "Flicker8k_Dataset").mkdir()
    names: dict[str, list[str]] = {"train": [], "dev": []}
    tokens = []
    for number, photo in enumerate(sorted((EXAMPLES / "photos").glob("*.jpg"))[:40]):
        shutil.copy(photo, root / "Flicker8k_Dataset")
        names["dev" if number % 2 else "train"].append(photo.name)
        sentences = photo.with_suffix(".txt").read_text().splitlines()
        tokens += [f"{photo.name}#{row}\t{sentence}" for row, sentence in enumerate(filter(None, sentences))]
    (root / "Flickr8k_text/Flickr8k.token.txt").write_text("\n".join(tokens))
    for split, photos in names.items():
        (root / f"Flickr8k_text/Flickr_8k.{split}Images.txt").write_text("\n".join(photos))
    return root
