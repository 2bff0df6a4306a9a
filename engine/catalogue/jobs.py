"""Reads the jobs: work on collections that is queued, runs, or has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, select

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.tables import Job, JobKind, JobState
from engine.exceptions import UnknownJob

ENDED: Sequence[JobState] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class JobInfo:
    """A job.

    Attributes:
        collection_id: None where the collection was deleted; its name stays.
        stage, done, total: how far it is, as indexer.report.Progress tells.
        message: why it failed or waits, for the user; empty where all is well.
        report: what it did, once it is done.
    """

    id: int
    kind: JobKind
    collection_id: int | None
    collection: str
    state: JobState
    stage: str
    done: int
    total: int
    message: str
    report: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether it is over, unless somebody resumes it."""
        return self.state in ENDED


_COLUMNS = (
    Job.id,
    Job.kind,
    Job.collection_id,
    Job.collection,
    Job.state,
    Job.stage,
    Job.done,
    Job.total,
    Job.message,
    Job.report,
    Job.created_at,
    Job.started_at,
    Job.finished_at,
)


def read_job(connection: Connection, job_id: int) -> JobInfo:
    """Return a job in an open transaction.

    Raises:
        UnknownJob: there is none of that id.
    """
    row = connection.execute(select_jobs().where(Job.id == job_id)).one_or_none()
    if row is None:
        raise UnknownJob(f"there is no job {job_id}")
    return job_of(row)


def job(catalogue: Catalogue, job_id: int) -> JobInfo:
    """Return a job; see `read_job`."""
    with catalogue.read() as connection:
        return read_job(connection, job_id)


def job_page(catalogue: Catalogue, collection: str | None, before: int | None, count: int) -> list[JobInfo]:
    """Return `count` jobs, the newest first.

    Args:
        catalogue: where they are.
        collection: of this collection; None: of all.
        before: jobs with smaller ids; None: from the newest on.
        count: at most.

    Raises:
        UnknownCollection: there is no collection of that name.
    """
    query = select_jobs().order_by(Job.id.desc()).limit(count)
    if collection is not None:
        query = query.where(Job.collection_id == catalogue.collection(collection).id)
    if before is not None:
        query = query.where(Job.id < before)
    with catalogue.read() as connection:
        return [job_of(row) for row in connection.execute(query)]


def select_jobs() -> Select[Any]:
    """Return a query of jobs for `job_of`."""
    return select(*_COLUMNS)


def job_of(row: Row[Any]) -> JobInfo:
    """Make a job of a row."""
    assert row.kind in get_args(JobKind), "only this program adds jobs"
    return JobInfo(*row)
