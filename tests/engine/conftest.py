"""Fixtures of the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from engine.catalogue import Catalogue
from tests.conftest import NewDatabase
from tests.engine.catalogued import filled


@pytest.fixture
def catalogue_url(tmp_path: Path, new_database: NewDatabase) -> URL:
    """Where a catalogue without rows is, or will be made: SQLite, then PostgreSQL."""
    given = new_database()
    return URL.create("sqlite", database=str(tmp_path / "catalogue.db")) if given is None else make_url(given)


@pytest.fixture
def catalogue(catalogue_url: URL) -> Iterator[Catalogue]:
    """A catalogue with one live and one staged photo, each with a sentence."""
    made = filled(catalogue_url)
    yield made
    made.close()
