"""The worker: takes jobs from the queue, one after the other, and does them."""

import logging
import time
from collections.abc import Callable
from threading import Event

from engine.catalogue import Catalogue
from engine.catalogue.jobs import JobInfo
from engine.exceptions import (
    BadRequest,
    CollectionBusy,
    EngineError,
    ModelMismatch,
    PathNotAllowed,
    SourceError,
    UnknownCollection,
)
from engine.settings import Settings
from indexer.collections import sweep_leftovers
from indexer.liveness import has_died, living_worker
from indexer.perform import Models, perform
from indexer.queue import JobLost, JobQueue
from model.exceptions import DvsaError

POLL = 0.5  # seconds between looks into an empty queue
RETRY = 5.0  # seconds until a catalogue that cannot be used is tried again
EVERY = 0.5  # seconds between two reports of progress, and between two looks whether somebody cancels
PATIENCE = 60.0  # seconds to wait for another process to finish writing (SQLite)
TOLD = (BadRequest, ModelMismatch, PathNotAllowed, SourceError, UnknownCollection)
"""Errors whose message is for him who asked for the job; any other is for the log only."""
WAITS = "waits until another dvsa index of the collection has ended"
FAILED = "the job failed; the log of the service says why; what was encoded is kept for when it is resumed"

_LOG = logging.getLogger(__name__)


class _Cancelled(Exception):
    """Somebody wants the job cancelled."""


class _Stopped(Exception):
    """The worker is to end."""


class Worker:
    """Does the jobs of a queue until it is told to stop.

    Args:
        settings: where catalogue and collections are.
        load: loads the models, which happens when the first job comes.
        stopping: set to have it end; a job under way goes back into the queue, with what it staged.
    """

    def __init__(self, settings: Settings, load: Callable[[], Models], stopping: Event) -> None:
        self._settings = settings
        self._load = load
        self._stopping = stopping
        self._models: Models | None = None

    def run(self) -> None:
        """Work.

        Raises:
            CatalogueError: the catalogue cannot be opened.
            StorageError: the folder of the collections cannot be written to.
        """
        catalogue = Catalogue(self._settings.catalogue_url, PATIENCE)
        try:
            sweep_leftovers(catalogue, self._settings)
            with living_worker(self._settings) as name:
                while not self._stopping.is_set():
                    try:
                        self._work_off(JobQueue(catalogue), catalogue, name)
                        self._stopping.wait(POLL)
                    except EngineError as error:  # the database may come back
                        _LOG.error("%s", error)
                        self._stopping.wait(RETRY)
        finally:
            catalogue.close()

    def _work_off(self, queue: JobQueue, catalogue: Catalogue, name: str) -> None:
        """Do the jobs that are queued, and those of workers that died."""
        for worker in queue.workers():
            if worker == name or has_died(self._settings, worker):  # a job of its own could not be ended
                _LOG.warning("worker %s left a job, which goes on", worker)
                queue.take_from(worker)
        busy: set[int] = set()
        while not self._stopping.is_set() and (job := queue.claim(name, busy)):
            _LOG.info("job begins", extra={"job": job.id})
            try:
                self._do(job, queue, catalogue, name)
            except CollectionBusy:
                assert job.collection_id is not None, "claimed jobs have a collection"
                busy.add(job.collection_id)
                queue.put_back(job.id, name, WAITS)

    def _do(self, job: JobInfo, queue: JobQueue, catalogue: Catalogue, name: str) -> None:
        try:
            if self._models is None:
                self._models = self._load()
            progress = _Progress(job.id, queue, name, self._stopping)
            report = perform(job, queue.request(job.id), catalogue, self._settings, self._models, progress)
            queue.finish(job.id, name, "done", report=report)
        except _Cancelled:
            queue.finish(job.id, name, "cancelled")
        except _Stopped:
            queue.put_back(job.id, name)
        except JobLost:
            _LOG.warning("job was taken away", extra={"job": job.id})
        except CollectionBusy:
            raise
        except TOLD as error:
            queue.finish(job.id, name, "failed", str(error))
        except DvsaError as error:
            _LOG.error("%s", error, extra={"job": job.id})
            queue.finish(job.id, name, "failed", FAILED)
        except Exception:  # one job of many; the others go on
            _LOG.exception("job failed", extra={"job": job.id})
            queue.finish(job.id, name, "failed", FAILED)
        else:
            _LOG.info("job is done", extra={"job": job.id})


class _Progress:
    """Reports how far a job is, not too often, and ends it where it is cancelled or the worker is to stop."""

    def __init__(self, job_id: int, queue: JobQueue, worker: str, stopping: Event) -> None:
        self._job_id, self._queue, self._worker, self._stopping = job_id, queue, worker, stopping
        self._told = 0.0
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._stopping.is_set():
            raise _Stopped
        now = time.monotonic()
        if stage == self._stage and now - self._told < EVERY:
            return
        self._stage, self._told = stage, now
        if self._queue.report(self._job_id, self._worker, stage, done, total):
            raise _Cancelled
