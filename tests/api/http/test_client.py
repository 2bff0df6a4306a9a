"""The client and the commands' --server, against a server process."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.client import Client, ServerError
from engine.catalogue.keys import ApiKeys
from tests.api.http.server_process import Server
from tests.api.http.test_access import new_key
from tests.api.test_cli import complaint, document

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def asked(server: Server) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client


def test_the_client_searches_by_text_photo_and_box(asked: Client, walls: Path) -> None:
    assert [found["name"] for found in asked.collections()] == ["a/b", "walls"]
    found = asked.search_text("painted wall", collection="walls", k=3, exclude={"text": "grey", "weight": 0.5})
    assert len(found["hits"]) == 3
    rest = asked.search_text(
        "painted wall", collection="walls", k=3, exclude={"text": "grey", "weight": 0.5}, cursor=found["cursor"]
    )
    assert len(rest["hits"]) == 1
    for photo in (walls / "red.png", (walls / "red.png").read_bytes()):
        options = {"collection": "walls", "target": "images", "explain": False, "filter": {"tags": []}}
        alike = asked.search_photo(photo, **options, collections=["walls"], cursor=None)
        assert alike["hits"][0]["name"] == "red.png"
    number = alike["hits"][0]["id"]
    assert asked.photo(number) == (walls / "red.png").read_bytes()
    boxed = asked.search_region(number, (200, 0, 400, 150), collection="walls")
    assert boxed["hits"][0]["id"] == number


def test_the_client_captions_and_aligns(asked: Client, walls: Path) -> None:
    said = asked.caption(walls / "grey.png", regions=True)
    assert (len(said["caption"].split()), len(said["regions"])) == (3, 4)
    assert [word["word"] for word in asked.align(walls / "grey.png", "grey wall")["words"]] == ["grey", "wall"]


def test_a_refusal_is_an_error_with_the_services_own_sentence(asked: Client) -> None:
    with pytest.raises(ServerError, match="there is no collection 'none'") as caught:
        asked.search_text("wall", collection="none")
    assert (caught.value.status, caught.value.error) == (404, "unknown_collection")


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "http://[", "nowhere", "ftp://127.0.0.1"])
def test_a_server_that_is_none_is_told(server: str) -> None:
    with pytest.raises(ServerError), Client(server) as client:
        client.collections()


def test_what_is_no_server_of_this_program_is_told(server: Server) -> None:
    for path in ("/nothing", "/index.html#"):
        with Client(f"{server.url}{path}") as client, pytest.raises(ServerError):
            client.collections()


def test_the_client_gives_its_key(locked: Server, keys: ApiKeys) -> None:
    with Client(locked.url) as client, pytest.raises(ServerError, match="needs an API key"):
        client.collections()
    with Client(locked.url, key=new_key(keys, "read")[0]) as client:
        assert len(client.collections()) == 2


def test_the_search_command_asks_a_server(dvsa: Run, server: Server, walls: Path) -> None:
    there = ("--server", server.url, "--collection", "walls")
    found = document(dvsa("search", "painted wall", *there, "-k", "2", "--json"))
    assert (found["query"], found["collections"], len(found["hits"])) == ("painted wall", ["walls"], 2)
    lines = dvsa("search", "painted zzwall wall", *there).stdout.splitlines()
    assert lines[0] == "not understood: zzwall"
    assert sum(line.endswith(".png") for line in lines) == 4
    said = document(dvsa("search", "--image", walls / "red.png", *there, "--json"))
    assert all(hit["text"] for hit in said["hits"])
    by_variable = document(dvsa("search", "wall", "--collection", "walls", "--json", DVSA_SERVER=server.url))
    assert len(by_variable["hits"]) == 4


def test_caption_and_align_ask_a_server(dvsa: Run, server: Server, walls: Path) -> None:
    photo = walls / "grey.png"
    said = document(dvsa("caption", photo, "--regions", "--json", "--server", server.url))
    assert (said["photo"], len(said["regions"])) == (str(photo), 4)
    assert len(dvsa("caption", photo, "--server", server.url).stdout.splitlines()) == 1
    laid = document(dvsa("align", photo, "grey wall", "--json", "--server", server.url))
    assert (laid["sentence"], [word["word"] for word in laid["words"]]) == ("grey wall", ["grey", "wall"])


def test_a_key_of_the_environment_is_given(dvsa: Run, locked: Server, keys: ApiKeys) -> None:
    ask = ("search", "wall", "--collection", "walls", "--server", locked.url, "--json")
    assert "API key" in complaint(dvsa(*ask))
    key = new_key(keys, "read")[0]
    assert len(document(dvsa(*ask, DVSA_KEY=key))["hits"]) == 4
    assert len(document(dvsa(*ask, "--key", key))["hits"]) == 4


def test_what_does_not_go_with_a_server_is_told(dvsa: Run, server: Server, walls: Path, tmp_path: Path) -> None:
    there = ("--server", server.url)
    assert "--plot" in complaint(dvsa("search", "wall", *there, "--plot", tmp_path / "a.png"), code=2)
    assert "--beam" in complaint(dvsa("caption", walls / "red.png", *there, "--beam", "3"), code=2)
    assert "--plot" in complaint(dvsa("align", walls / "red.png", "wall", *there, "--plot", tmp_path / "a"), code=2)
    assert "No such file" in complaint(dvsa("caption", walls / "none.png", *there))
    assert "cannot be reached" in complaint(dvsa("search", "wall", "--server", "http://127.0.0.1:9"))


def test_asking_a_server_loads_no_model(server: Server) -> None:
    code = f"""
import json, sys
from api.cli import dvsa
dvsa.main(["search", "wall", "--collection", "walls", "--json", "--server", {server.url!r}], standalone_mode=False)
heavy = ("torch", "faiss", "numpy", "sqlalchemy", "engine", "pydantic")
print(json.dumps([name for name in heavy if name in sys.modules]), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []
    assert len(json.loads(done.stdout)["hits"]) == 4
