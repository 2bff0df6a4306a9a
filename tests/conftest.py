"""What the whole suite shares: the markers that depend on the machine, and the databases."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from engine.catalogue import Catalogue
from tests.postgresql_server import PostgresServer, running_server

NewDatabase = Callable[[], str | None]

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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A PostgreSQL server, for the whole session."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def empty_catalogue(postgresql: PostgresServer) -> URL:
    """A database in PostgreSQL with all tables and no row, to be copied."""
    url = postgresql.new_database()
    Catalogue(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Give the database_url of a new home: SQLite's file in the home, then, in a second run, one in PostgreSQL."""
    yield from _databases(request)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """The same for what the tests of a module share."""
    yield from _databases(request)


def _databases(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    if request.param == "sqlite":
        yield lambda: None
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    template: URL = request.getfixturevalue("empty_catalogue")
    made: list[URL] = []

    def new() -> str:
        made.append(server.new_database(template))
        return made[-1].render_as_string(hide_password=False)

    yield new
    for database in made:
        server.drop(database)
