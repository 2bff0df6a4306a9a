"""Fixtures of the indexer's tests."""

from pathlib import Path

import pytest

from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty home and an empty folder of photos."""
    return Workspace(tmp_path)
