"""Fixtures of the indexer's tests."""

from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, new_database: NewDatabase) -> Workspace:
    """An empty home and an empty folder of photos, once with SQLite and once with PostgreSQL."""
    return Workspace(tmp_path, database_url=new_database())
