"""`dvsa benchmark serve` against a small server: what is measured, not how fast it is."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from api.benchmark.http_load import summary
from api.benchmark.serve import Target, memory, photos, texts
from tests.api.http.server_process import Server
from tests.api.test_cli import complaint, document

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def target(server: Server, walls: Path) -> Target:
    return Target(server.url, None, "walls", ["painted wall", "red wall"], [(walls / "red.png").read_bytes()])


def test_times_are_summed_up() -> None:
    found = summary([(seconds / 1000, 200) for seconds in range(1, 101)], whole=2.0)
    assert (found.requests, found.errors, found.p50_ms, found.p99_ms, found.per_second) == (100, 0, 50.5, 99.0, 50.0)
    assert summary([(0.1, 200), (0.1, 429), (0.1, 500)], 1.0).errors == 2


def test_every_request_is_made_and_counted(target: Target) -> None:
    assert (texts(target, 1, 30)["requests"], texts(target, 1, 30)["errors"]) == (30, 0)
    found = photos(target, 5)
    assert (found["requests"], found["errors"]) == (5, 0)
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_refusals_are_errors(target: Target) -> None:
    many = texts(target, 8, 60)  # the small server takes two at a time
    assert many["requests"] == 60
    unknown = Target(target.server, None, "none", target.texts, target.photos)
    assert texts(unknown, 1, 10)["errors"] == 10


def test_memory_is_the_servers(target: Target) -> None:
    found = memory(target, 20, 60)
    assert found["errors"] == 0
    assert found["mb_after_60"] > 10
    assert found["grown_percent"] == pytest.approx(100 * (found["mb_after_60"] / found["mb_after_20"] - 1), abs=0.01)


def test_the_command_prints_lines_and_json(dvsa: Run, server: Server, target: Target) -> None:
    ask = ("benchmark", "serve", server.url, "--collection", "walls", "--requests", "10", "--uploads", "0")
    found = document(dvsa(*ask, "--clients", "2", "--json"))
    assert set(found) == {"text, one client", "text, 2 clients"}
    lines = dvsa(*ask, "--clients", "2").stdout.splitlines()
    assert lines[0].startswith("text, one client: clients 1, requests 10, errors ")


def test_only_servers_of_this_machine_are_put_under_load(dvsa: Run) -> None:
    for url in ("http://example.org", "https://127.0.0.1", "nowhere"):
        assert "this machine" in complaint(dvsa("benchmark", "serve", url))
