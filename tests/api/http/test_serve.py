"""`dvsa serve` with the bundled model and a few example photos, and how a server starts and ends."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from tests.api.http.server_process import client_of, serving
from tests.api.http.test_routes import API, given, refused
from tests.api.http.tiny_server import SLOW, tiny_service
from tests.api.test_cli import complaint, document

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", "127.0.0.1.example.org"])
def test_no_other_machine_is_served(dvsa: Run, host: str) -> None:
    said = complaint(dvsa("serve", "--host", host))
    assert host in said
    assert "API keys" in said


def test_with_keys_others_are_served_too(dvsa: Run, tmp_path: Path) -> None:
    home = str(tmp_path)
    command: list[str | Path] = [Path(sys.executable).with_name("dvsa"), "serve", "--host", "127.0.0.2", "--port", "0"]
    key = dvsa("keys", "create", "page", "--scope", "read", DVSA_HOME=home).stdout.strip()
    dvsa("keys", "create", "old", "--scope", "write", DVSA_HOME=home)
    dvsa("keys", "revoke", "old", DVSA_HOME=home)
    with serving(command, DVSA_HOME=home) as server, client_of(server) as client:  # no address of `HOSTS`
        refused(client.get(f"{API}/collections"), 401, "unauthorized")
        header = {"Authorization": f"Bearer {key}", "Host": "photos.example.org"}
        assert given(client.get(f"{API}/collections", headers=header)) == {"collections": []}
    dvsa("keys", "revoke", "page", DVSA_HOME=home)
    assert "dvsa keys create" in complaint(dvsa("serve", "--host", "127.0.0.2", DVSA_HOME=home))
    assert "dvsa keys create" in complaint(dvsa("serve", DVSA_HOME=home, DVSA_REQUIRE_KEYS="true"))


def test_only_the_names_that_are_allowed_are_served(tmp_path: Path) -> None:
    service = tiny_service(tmp_path)
    for hosts, public, asked, code in [
        ((), False, "photos.example.org", 400),
        (("photos.example.org",), False, "photos.example.org", 200),
        (("photos.example.org",), True, "other.example.org", 400),
        (("photos.example.org",), True, "127.0.0.1", 200),
        ((), True, "other.example.org", 200),
    ]:
        service.settings = service.settings.model_copy(update={"allowed_hosts": hosts})
        client = TestClient(create_app(service, public))
        assert client.get(f"{API}/health/live", headers={"Host": asked}).status_code == code
    service.close()


def test_wrong_ports_are_wrong_usage(dvsa: Run) -> None:
    complaint(dvsa("serve", "--port", "70000"), code=2)


def test_a_port_that_is_taken_is_told(dvsa: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}" in complaint(dvsa("serve", "--port", str(port)))


def test_a_request_that_is_under_way_is_answered_before_the_server_ends(server_home: Path) -> None:
    answers: list[httpx.Response] = []
    with serving([sys.executable, "-m", "tests.api.http.tiny_server", server_home]) as server:

        def ask() -> None:
            with client_of(server) as client:
                query = {"text": "wall slowly", "collection": "walls"}
                answers.append(client.post(f"{API}/search/text", json=query))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(SLOW / 2)
        code = server.stop()
        asking.join()
    assert len(given(answers[0])["hits"]) == 4
    assert code in (0, -signal.SIGTERM)
    assert not any("traceback" in line.lower() for line in server.log)


def test_example_photos_are_searched_over_http(dvsa: Run, photos: Path, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    document(dvsa("index", photos, "--collection", "small", "--json", DVSA_HOME=home))
    with serving([Path(sys.executable).with_name("dvsa"), "serve", "--port", "0"], DVSA_HOME=home) as server:
        with client_of(server) as client:
            query: dict[str, Any] = {"text": "a bridge over a river at night", "collection": "small", "k": 3}
            found = given(client.post(f"{API}/search/text", json=query))
            assert found["hits"][0]["name"] == "bridge-at-night.jpg"
            assert all(hit["words"] and hit["caption"] for hit in found["hits"])
            shepherd = {"photo": (photos / "german-shepherd.jpg").read_bytes()}
            said = given(client.post(f"{API}/search/photo", data={"collection": "small"}, files=shepherd))
            assert any("dog" in hit["text"].lower() for hit in said["hits"])
            assert said["caption"] == given(client.post(f"{API}/captions", files=shepherd))["caption"]
            laid = given(client.post(f"{API}/alignment", data={"sentence": "a dog on grass"}, files=shepherd))
            assert [word["word"] for word in laid["words"]] == ["a", "dog", "on", "grass"]
            small = client.get(f"{API}/photos/{found['hits'][0]['id']}/thumbnail")
            assert small.headers["Content-Type"] == "image/jpeg"
            assert client.get("/").headers["Content-Type"].startswith("text/html")
            wrong = client.post(f"{API}/search/text", json={**query, "text": "qqzzk"})
            assert "qqzzk" in refused(wrong, 422, "text_error")
        assert server.stop() in (0, -signal.SIGTERM)


def test_a_home_without_collections_is_served(dvsa: Run, tmp_path: Path) -> None:
    assert dvsa("serve", "--help").stdout.startswith("Usage: dvsa serve")
    command: list[str | Path] = [Path(sys.executable).with_name("dvsa"), "serve", "--port", "0"]
    with serving(command, DVSA_HOME=str(tmp_path)) as server, client_of(server) as client:
        assert given(client.get(f"{API}/collections")) == {"collections": []}
        began = time.perf_counter()
        for _ in range(50):
            client.get(f"{API}/health/live")
        assert time.perf_counter() - began < 1.0  # 2 s where a packet waits until the one before is acknowledged
        query = {"text": "a dog", "collection": "default"}
        assert "dvsa index" in refused(client.post(f"{API}/search/text", json=query), 404, "unknown_collection")
