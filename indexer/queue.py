"""The queue of jobs, in the catalogue: what is asked for is kept until a worker has done it, whatever dies meanwhile.

    queued --claim--> running --finish--> done | failed | cancelled --resume--> queued
       ^                 |
       `----put_back-----'   the worker was told to stop, or died

The database lets one job of a collection run at a time (see the index `ix_jobs_one_runs`), and a job is claimed by an
update that only one worker's statement can make. Workers of one queue share the folder of the collections.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from engine.catalogue import Catalogue, CollectionInfo
from engine.catalogue.jobs import ENDED, JobInfo, read_job
from engine.catalogue.tables import Job, JobKind, JobState
from engine.exceptions import JobConflict

MOST_DEATHS = 3  # a job over which so many workers died is given up; one photo may crash a decoder each time
DIED = "the worker died over this job again and again; the log of the service may say why"


class JobLost(Exception):
    """The job is not this worker's any more."""


class JobQueue:
    """The jobs of a catalogue, for those who ask and for those who work. Thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def add(self, kind: JobKind, collection: CollectionInfo, request: dict[str, Any]) -> JobInfo:
        """Queue a job of a collection."""
        row = {"kind": kind, "collection_id": collection.id, "collection": collection.name, "request": request}
        with self._catalogue.write() as connection:
            added = insert(Job).returning(Job.id)
            number = connection.execute(added, {**row, "state": "queued", "created_at": _now()}).scalar_one()
            return read_job(connection, number)

    def waiting(self) -> int:
        """Count the jobs that are queued."""
        with self._catalogue.read() as connection:
            query = select(func.count()).select_from(Job).where(Job.state == "queued")
            return connection.execute(query).scalar_one()

    def cancel(self, job_id: int) -> JobInfo:
        """End a job that is queued; ask the worker of one that runs to stop, which it does between two photos.

        Raises:
            UnknownJob: there is none of that id.
            JobConflict: it has ended.
        """
        with self._catalogue.write() as connection:
            found = read_job(connection, job_id)
            if found.ended:
                raise JobConflict(f"job {job_id} has ended already: it is {found.state}")
            _cancel(connection, [job_id])
            return read_job(connection, job_id)

    def cancel_all(self, collection_id: int) -> None:
        """Cancel the jobs of a collection, those that run, too."""
        with self._catalogue.write() as connection:
            query = select(Job.id).where(Job.collection_id == collection_id, Job.state.not_in(ENDED))
            _cancel(connection, connection.scalars(query).all())

    def resume(self, job_id: int) -> JobInfo:
        """Queue a job again that was cancelled or has failed; what it staged is used.

        Raises:
            UnknownJob: there is none of that id.
            JobConflict: it is done, it has not ended, or its collection is gone.
        """
        with self._catalogue.write() as connection:
            found = read_job(connection, job_id)
            if found.state not in ("cancelled", "failed") or found.collection_id is None:
                why = f"it is {found.state}" if found.collection_id else "its collection was deleted"
                raise JobConflict(f"job {job_id} cannot be resumed: {why}")
            values = {"state": "queued", "message": "", "cancel": False, "deaths": 0, "finished_at": None}
            connection.execute(update(Job).where(Job.id == job_id).values(values))
            return read_job(connection, job_id)

    def request(self, job_id: int) -> dict[str, Any]:
        """Return what a job was asked to do."""
        with self._catalogue.read() as connection:
            return dict(connection.execute(select(Job.request).where(Job.id == job_id)).scalar_one())

    def claim(self, worker: str, busy: Collection[int] = ()) -> JobInfo | None:
        """Take the oldest job of a collection in which none runs; None where there is none.

        Args:
            worker: who asks.
            busy: ids of collections that are to be left alone for now.
        """
        if not self.waiting():  # an idle worker writes nothing
            return None
        other = aliased(Job)
        runs = exists().where(other.collection_id == Job.collection_id, other.state == "running")
        query = select(Job.id).where(Job.state == "queued", Job.collection_id.not_in(busy), ~runs)
        with self._catalogue.write() as connection:
            for number in connection.scalars(query.order_by(Job.id).limit(1)):
                began = func.coalesce(Job.started_at, _now())
                mine = {"state": "running", "worker": worker, "message": "", "started_at": began}
                taken = update(Job).where(Job.id == number, Job.state == "queued").values(mine)
                try:
                    with connection.begin_nested():
                        if connection.execute(taken).rowcount:
                            return read_job(connection, number)
                except IntegrityError:  # another worker took another job of the collection at this very moment
                    return None
        return None

    def report(self, job_id: int, worker: str, stage: str, done: int, total: int) -> bool:
        """Say how far a job is; returns whether somebody wants it cancelled.

        Raises:
            JobLost: the job is not this worker's any more.
        """
        values = {"stage": stage, "done": done, "total": total}
        told = update(Job).where(*_mine(job_id, worker)).values(values).returning(Job.cancel)
        with self._catalogue.write() as connection:
            row = connection.execute(told).one_or_none()
        if row is None:
            raise JobLost
        return bool(row.cancel)

    def finish(
        self, job_id: int, worker: str, state: JobState, message: str = "", report: dict[str, Any] | None = None
    ) -> None:
        """End a job, if it is this worker's still."""
        values = {"state": state, "message": message, "report": report, "worker": None, "finished_at": _now()}
        with self._catalogue.write() as connection:
            connection.execute(update(Job).where(*_mine(job_id, worker)).values(values))

    def put_back(self, job_id: int, worker: str, message: str = "") -> None:
        """Queue a job again, if it is this worker's still; where somebody wants it cancelled it ends."""
        with self._catalogue.write() as connection:
            _queue_again(connection, _mine(job_id, worker), message)

    def workers(self) -> list[str]:
        """Name the workers of the jobs that run."""
        with self._catalogue.read() as connection:
            return [name for name in connection.scalars(select(Job.worker).where(Job.state == "running")) if name]

    def take_from(self, worker: str) -> None:
        """Queue the job of a worker that has died again, or give it up."""
        his = (Job.worker == worker, Job.state == "running")
        given_up = {"state": "failed", "worker": None, "message": DIED, "finished_at": _now()}
        with self._catalogue.write() as connection:
            connection.execute(update(Job).where(*his).values(deaths=Job.deaths + 1))
            connection.execute(update(Job).where(*his, Job.deaths >= MOST_DEATHS).values(given_up))
            _queue_again(connection, his)


Condition = tuple[ColumnElement[bool], ...]


def _mine(job_id: int, worker: str) -> Condition:
    return Job.id == job_id, Job.worker == worker, Job.state == "running"


def _queue_again(connection: Connection, which: Condition, message: str = "") -> None:
    jobs = connection.scalars(select(Job.id).where(*which)).all()
    values = {"state": "queued", "worker": None, "message": message}
    connection.execute(update(Job).where(Job.id.in_(jobs)).values(values))
    _cancel(connection, connection.scalars(select(Job.id).where(Job.id.in_(jobs), Job.cancel)).all())


def _cancel(connection: Connection, jobs: Sequence[int]) -> None:
    connection.execute(update(Job).where(Job.id.in_(jobs)).values(cancel=True))
    waiting = (Job.id.in_(jobs), Job.state == "queued")
    connection.execute(update(Job).where(*waiting).values(state="cancelled", finished_at=_now()))


def _now() -> datetime:
    return datetime.now(UTC)
