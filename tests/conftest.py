"""What the whole suite shares: the markers that depend on the machine."""

import os
from pathlib import Path

import pytest

_BESIDE_THE_TREE = Path(__file__).resolve().parents[2] / "shared" / "flickr8k"


def _flickr8k_folder() -> Path | None:
    folder = Path(os.environ.get("DVSA_FLICKR8K", _BESIDE_THE_TREE))
    return folder if folder.is_dir() else None


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, with the reason."""
    for item in items:
        if item.get_closest_marker("flickr8k") and _flickr8k_folder() is None:
            item.add_marker(pytest.mark.skip(reason="needs the Flickr8k data set; DVSA_FLICKR8K names its folder"))
        if item.get_closest_marker("gpu") and not _has_gpu():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(scope="session")
def flickr8k() -> Path:
    """The folder of the Flickr8k data set; only for tests marked flickr8k."""
    folder = _flickr8k_folder()
    assert folder is not None, "mark the test with flickr8k"
    return folder
