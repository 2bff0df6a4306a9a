"""Jobs through kills, restarts, cancellations and crowds; searches through jobs that publish."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from engine.catalogue import Catalogue
from engine.settings import Settings
from indexer.staging import BATCH
from tests.api.http.jobs import (
    API,
    accepted,
    done,
    ended,
    found_by_text,
    names,
    new_collection,
    photo,
    slow_photo,
    upload,
)
from tests.api.http.server_process import Server, client_of, serving
from tests.api.http.test_routes import given, refused

PATIENCE = 200  # seconds; a worker loads torch first, on a machine that may be busy


@contextmanager
def working(home: Path, *options: str) -> Iterator[tuple[Server, httpx.Client]]:
    """Run a server with its worker, and give a client of it."""
    command: list[str | Path] = [sys.executable, "-m", "tests.api.http.working_server", home, *options]
    with serving(command) as server, client_of(server) as client:
        yield server, client


def until_begun(client: httpx.Client, job: int) -> None:
    """Wait until a worker has encoded a photo of a job."""
    began = time.monotonic()
    while True:
        found = given(client.get(f"{API}/jobs/{job}"))
        assert found["state"] in ("queued", "running"), found
        if found["done"] >= 1:
            return
        assert time.monotonic() - began < PATIENCE, found
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = [path.read_text().split() for path in Path("/proc").glob(f"{pid}/task/*/children")]
    return [int(number) for numbers in found for number in numbers]


def staged(home: Path) -> int:
    """Count the photos that are encoded and not yet published."""
    catalogue = Catalogue(Settings(home=home, database_url=None).catalogue_url)
    with catalogue.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM photos WHERE state = 'staged'").scalar_one()
    catalogue.close()
    return int(count)


def until_staged(home: Path) -> None:
    """Wait until a batch is staged."""
    began = time.monotonic()
    while staged(home) < BATCH:
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.1)


def worker_of(server: Server) -> int:
    """Return the process that does the jobs of a server."""
    spawned = [
        pid for pid in children(server.process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(spawned) == 1
    return spawned[0]


def test_job_goes_on_after_the_worker_and_then_all_are_killed(tmp_path: Path) -> None:
    slow = {f"{number}.png": slow_photo(number) for number in range(60)}
    with working(tmp_path) as (server, client):
        collection = new_collection(client)
        job = upload(client, collection, slow)
        until_begun(client, job)
        os.kill(worker_of(server), signal.SIGKILL)
        until_staged(tmp_path)  # by a new worker, from the beginning
        os.kill(worker_of(server), signal.SIGKILL)
        server.process.kill()
        server.stop()
    assert staged(tmp_path) == BATCH
    with working(tmp_path) as (_, client):
        assert given(client.get(f"{API}/collections/{collection}"))["photos"] == 0
        report = done(client, job)
        assert (report["added"], report["photos"]) == (60, 60)
        assert set(names(client, collection)) == set(slow)
        assert found_by_text(client, collection) == 60
    assert staged(tmp_path) == 0


def test_server_that_ends_puts_its_job_back_and_ends_those_who_watch(tmp_path: Path) -> None:
    with working(tmp_path) as (server, client):
        collection = new_collection(client)
        job = upload(client, collection, {f"{number}.png": slow_photo(number) for number in range(60)})
        until_begun(client, job)
        with client.stream("GET", f"{API}/jobs/{job}/events") as watching:
            lines = watching.iter_lines()
            assert next(lines) == "event: progress"
            began = time.monotonic()
            assert server.stop() == 0
            assert "event: end" not in list(lines)
        assert time.monotonic() - began < 20
    with working(tmp_path, "--no-worker") as (_, client):
        assert given(client.get(f"{API}/jobs/{job}"))["state"] == "queued"
        cancelled = client.post(f"{API}/jobs/{job}/cancel")
        assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server of this file's own."""
    with working(tmp_path_factory.mktemp("home")) as (_, client):
        yield client


def test_cancelled_job_stops_keeps_what_it_staged_and_is_resumed(crowd: httpx.Client) -> None:
    collection = new_collection(crowd)
    job = upload(crowd, collection, {f"{number}.png": slow_photo(number) for number in range(50)})
    until_begun(crowd, job)
    assert crowd.post(f"{API}/jobs/{job}/cancel").status_code == 202
    assert ended(crowd, job)["state"] == "cancelled"
    assert names(crowd, collection) == {}
    done(crowd, upload(crowd, collection, {"other.png": photo(7)}))  # in between, of the same collection
    assert accepted(crowd.post(f"{API}/jobs/{job}/resume")) == job
    assert done(crowd, job)["photos"] == 51
    assert found_by_text(crowd, collection) == 51


def test_two_hundred_photos_of_which_some_are_none(crowd: httpx.Client) -> None:
    collection = new_collection(crowd)
    files = {f"{number}.png": photo(number) for number in range(200)}
    files |= {"cut.png": photo(300)[:60], "page.png": b"<html>", "empty.png": b""}
    report = done(crowd, upload(crowd, collection, files))
    assert (report["added"], report["photos"], report["seen"]) == (200, 200, 203)
    assert {item["name"]: item["reason"] for item in report["skipped_items"]} == {
        "cut.png": "is cut short or damaged",
        "page.png": "is not a photo (JPEG, PNG, WebP or GIF)",
        "empty.png": "is empty",
    }
    assert set(names(crowd, collection)) == {f"{number}.png" for number in range(200)}
    assert found_by_text(crowd, collection) == 200


def test_collection_is_deleted_although_a_job_works_on_it(crowd: httpx.Client) -> None:
    collection = new_collection(crowd)
    job = upload(crowd, collection, {f"{number}.png": slow_photo(number) for number in range(100)})
    until_begun(crowd, job)
    assert crowd.delete(f"{API}/collections/{collection}").status_code == 204
    assert ended(crowd, job)["state"] == "cancelled"
    refused(crowd.get(f"{API}/collections/{collection}"), 404, "unknown_collection")
    refused(crowd.post(f"{API}/jobs/{job}/resume"), 409, "job_conflict")


def test_searches_find_a_whole_state_while_jobs_publish_again_and_again(crowd: httpx.Client) -> None:
    collection = new_collection(crowd)
    done(crowd, upload(crowd, collection, {f"{number}.png": photo(number) for number in range(3)}))
    counts: list[int] = []
    ending = threading.Event()

    def search(server: httpx.URL) -> None:
        with httpx.Client(base_url=server, timeout=30, trust_env=False) as client:
            while not ending.is_set():
                counts.append(found_by_text(client, collection))

    searching = threading.Thread(target=search, args=(crowd.base_url,))
    searching.start()
    jobs = [upload(crowd, collection, {f"a{n}.png": photo(1000 + n), f"b{n}.png": photo(2000 + n)}) for n in range(12)]
    for job in jobs:
        done(crowd, job)
    held = names(crowd, collection)
    dropped = [accepted(crowd.delete(f"{API}/photos/{held[f'{kind}1.png']}")) for kind in "ab"]
    for job in dropped:
        done(crowd, job)
    ending.set()
    searching.join()
    assert len(counts) > 12
    assert set(counts) <= {*range(3, 28, 2), 26}  # the two photos of an upload come together
