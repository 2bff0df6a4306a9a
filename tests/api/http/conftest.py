"""A server over a few made photos, and a client of it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from engine.catalogue import Catalogue
from engine.catalogue.keys import ApiKeys
from engine.settings import Settings
from indexer.index import index_paths
from tests.api.http.server_process import Server, client_of, serving
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (20, 40, 230), "grey": (128, 128, 128)}


@pytest.fixture(scope="session")
def walls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four photos, two sentences each."""
    folder = tmp_path_factory.mktemp("secret place")
    for number, (name, colour) in enumerate(COLOURS.items()):
        picture = Image.new("RGB", (400 + 20 * number, 300), colour)
        picture.paste((255, 255, 255), (0, 0, 50 * number + 30, 100))
        picture.save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"A {name} wall.\nSomeone painted this wall {name} again.\n")
    return folder


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory, walls: Path) -> Path:
    """A home with the collection `walls` and the collection `a/b`, which holds one text."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, database_url=None)
    index_paths([walls], "walls", TinyEncoder(), settings, captioner=TinyCaptioner())
    index_paths([walls / "red.txt"], "a/b", TinyEncoder(), settings)
    return home


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[Server]:
    """The server, for the whole session."""
    with serving([sys.executable, "-m", "tests.api.http.tiny_server", server_home]) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of the server."""
    with client_of(server) as made:
        yield made


@pytest.fixture(scope="session")
def worker_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home without collections, of a server whose worker does jobs."""
    return tmp_path_factory.mktemp("worker home")


@pytest.fixture(scope="session")
def worker_client(worker_home: Path, walls: Path) -> Iterator[httpx.Client]:
    """A client of that server, which may index the folder `walls`."""
    command: list[str | Path] = [sys.executable, "-m", "tests.api.http.working_server", worker_home]
    with serving(command, DVSA_ALLOWED_ROOTS=str(walls)) as running, client_of(running) as made:
        yield made


@pytest.fixture(scope="session")
def locked(server_home: Path) -> Iterator[Server]:
    """A server over the same home that asks for API keys, for the whole session."""
    with serving([sys.executable, "-m", "tests.api.http.tiny_server", server_home, "keys"]) as running:
        yield running


@pytest.fixture
def keys(server_home: Path) -> Iterator[ApiKeys]:
    """The keys of that home."""
    catalogue = Catalogue(Settings(home=server_home, database_url=None).catalogue_url)
    yield ApiKeys(catalogue)
    catalogue.close()
