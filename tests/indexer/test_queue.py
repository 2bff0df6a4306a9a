"""The queue of jobs: each is done once, by one worker, in turn, whatever dies."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.jobs import JobInfo, job, job_page
from engine.exceptions import CollectionExists, JobConflict, UnknownCollection, UnknownJob
from engine.settings import Settings
from indexer.collections import create_collection, delete_collection
from indexer.liveness import a_worker_lives, has_died, living_worker
from indexer.queue import MOST_DEATHS, JobLost, JobQueue
from tests.conftest import NewDatabase
from tests.tiny_encoder import TinyEncoder


@pytest.fixture
def settings(tmp_path: Path, new_database: NewDatabase) -> Settings:
    return Settings(home=tmp_path, database_url=new_database())


@pytest.fixture
def catalogue(settings: Settings) -> Iterator[Catalogue]:
    """A catalogue with the collections a and b."""
    made = Catalogue(settings.catalogue_url)
    for name in "ab":
        create_collection(made, name, TinyEncoder())
    yield made
    made.close()


@pytest.fixture
def queue(catalogue: Catalogue) -> JobQueue:
    return JobQueue(catalogue)


@pytest.fixture
def a(catalogue: Catalogue) -> CollectionInfo:
    return catalogue.collection("a")


@pytest.fixture
def b(catalogue: Catalogue) -> CollectionInfo:
    return catalogue.collection("b")


def claimed(queue: JobQueue, worker: str) -> JobInfo:
    found = queue.claim(worker)
    assert found is not None
    return found


def test_jobs_of_a_collection_are_done_one_after_the_other_in_their_order(
    queue: JobQueue, a: CollectionInfo, b: CollectionInfo
) -> None:
    jobs = [queue.add("index", collection, {"path": f"/{n}"}).id for n, collection in enumerate((a, a, b))]
    first, other = claimed(queue, "one"), claimed(queue, "two")
    assert [first.id, other.id] == [jobs[0], jobs[2]]
    assert (first.state, queue.request(first.id)) == ("running", {"path": "/0"})
    assert queue.claim("three") is None
    queue.finish(first.id, "one", "done", report={"added": 1})
    assert claimed(queue, "three").id == jobs[1]


def test_collection_that_is_busy_is_left_alone_for_now(queue: JobQueue, a: CollectionInfo, b: CollectionInfo) -> None:
    queue.add("index", a, {})
    wanted = queue.add("index", b, {})
    found = queue.claim("one", busy={a.id})
    assert found is not None
    assert found.id == wanted.id


def test_many_workers_at_once_never_take_the_same_job(queue: JobQueue, catalogue: Catalogue) -> None:
    for number in range(20):
        queue.add("index", create_collection(catalogue, f"c{number}", TinyEncoder()), {})

    def take_all(worker: str) -> list[int]:
        taken = []
        for _ in range(100):
            found = queue.claim(worker)
            if found is not None:
                taken.append(found.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        found = [number for taken in pool.map(take_all, "wxyz") for number in taken]
    assert sorted(found) == list(range(1, 21))


def test_progress_is_seen_and_a_job_that_was_lost_is_told(
    queue: JobQueue, catalogue: Catalogue, a: CollectionInfo
) -> None:
    queue.add("index", a, {})
    running = claimed(queue, "one")
    assert queue.report(running.id, "one", "photos", 3, 10) is False
    seen = job(catalogue, running.id)
    assert (seen.stage, seen.done, seen.total) == ("photos", 3, 10)
    with pytest.raises(JobLost):
        queue.report(running.id, "two", "photos", 4, 10)
    queue.finish(running.id, "two", "failed", "not mine")
    assert job(catalogue, running.id).state == "running"


def test_cancelled_jobs_are_resumed_where_they_can_be(queue: JobQueue, catalogue: Catalogue, a: CollectionInfo) -> None:
    waiting = queue.add("index", a, {})
    assert queue.cancel(waiting.id).state == "cancelled"
    with pytest.raises(JobConflict, match="it is cancelled"):
        queue.cancel(waiting.id)
    assert queue.resume(waiting.id).state == "queued"
    with pytest.raises(JobConflict, match="it is queued"):
        queue.resume(waiting.id)
    running = claimed(queue, "one")
    assert queue.cancel(running.id).state == "running"  # its worker has to stop first
    assert queue.report(running.id, "one", "photos", 0, 1) is True
    queue.put_back(running.id, "one")  # the worker was told to end at the same time
    assert job(catalogue, running.id).state == "cancelled"
    with pytest.raises(UnknownJob):
        queue.cancel(99)


def test_job_of_a_worker_that_died_goes_on_and_is_given_up_if_each_dies(
    queue: JobQueue, catalogue: Catalogue, a: CollectionInfo
) -> None:
    number = queue.add("index", a, {}).id
    for death in range(1, MOST_DEATHS + 1):
        assert claimed(queue, f"worker {death}").id == number
        assert queue.workers() == [f"worker {death}"]
        queue.take_from(f"worker {death}")
        assert job(catalogue, number).state == ("queued" if death < MOST_DEATHS else "failed")
    assert "died" in job(catalogue, number).message
    assert queue.resume(number).state == "queued"
    assert claimed(queue, "last").message == ""


def test_worker_lives_as_long_as_its_process_holds_its_lock(settings: Settings) -> None:
    assert not a_worker_lives(settings)
    with living_worker(settings) as name:
        assert not has_died(settings, name)
        assert a_worker_lives(settings)
    assert not a_worker_lives(settings)
    assert has_died(settings, name)
    assert has_died(settings, "never there")
    assert list(settings.workers_directory.iterdir()) == []


def test_pages_of_jobs_are_the_newest_first(queue: JobQueue, catalogue: Catalogue, a: CollectionInfo) -> None:
    numbers = [queue.add("index", a, {}).id for _ in range(3)]
    queue.add("index", catalogue.collection("b"), {})
    assert [found.id for found in job_page(catalogue, "a", None, 2)] == numbers[:0:-1]
    assert [found.id for found in job_page(catalogue, "a", numbers[1], 2)] == numbers[:1]
    assert len(job_page(catalogue, None, None, 10)) == 4
    with pytest.raises(UnknownCollection):
        job_page(catalogue, "none", None, 2)


def test_deleting_a_collection_cancels_its_jobs_and_keeps_their_names(
    queue: JobQueue, catalogue: Catalogue, settings: Settings, a: CollectionInfo
) -> None:
    waiting, other = queue.add("index", a, {}), queue.add("index", catalogue.collection("b"), {})
    with pytest.raises(CollectionExists):
        create_collection(catalogue, "a", TinyEncoder())
    delete_collection(catalogue, "a", settings)
    left = job(catalogue, waiting.id)
    assert (left.state, left.collection, left.collection_id) == ("cancelled", "a", None)
    assert job(catalogue, other.id).state == "queued"
    with pytest.raises(JobConflict, match="was deleted"):
        queue.resume(waiting.id)
    assert create_collection(catalogue, "a", TinyEncoder()).id > a.id
