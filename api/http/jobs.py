"""Routes of jobs: what changes a collection takes time, and can be watched, cancelled and resumed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from api.http.fields import LARGEST_ID, LONGEST_NAME, TEXT, CollectionName, Count
from api.http.service import Service, ServiceOfApp
from api.http.work import Overloaded
from engine.catalogue.jobs import JobInfo, job, job_page
from engine.catalogue.tables import JobKind, JobState
from indexer.requests import IndexRequest, allowed_path

MOST_WAITING = 1000  # jobs; more are refused until some are done
LOOK = 0.5  # seconds between two looks at a job that is watched

JobId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[3])]

PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEM_IS_JSON = {"responses": {"4XX": {"content": PROBLEM}}}  # although the answer is a stream of events

router = APIRouter(prefix="/jobs", tags=["jobs"])


class JobDocument(BaseModel):
    """A job: work on a collection."""

    id: int = Field(examples=[3])
    kind: JobKind
    collection: str = Field(examples=["holidays"])
    state: JobState
    stage: str = Field(description="what it does now: photos, sentences, publish, captions", examples=["photos"])
    done: int = Field(description="of the stage", examples=[40])
    total: int = Field(description="of the stage", examples=[80])
    message: str = Field(description="why it failed or waits; empty where all is well")
    report: dict[str, Any] | None = Field(description="what it did: added, skipped, ...; once it is done")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, info: JobInfo) -> Self:
        """Say of a job what is for all to know."""
        return cls(**{name: value for name, value in asdict(info).items() if name != "collection_id"})


class JobPage(BaseModel):
    """Some jobs, the newest first."""

    jobs: list[JobDocument]
    after: int | None = Field(description="give this back for the next page; null: this was the last", examples=[42])


class NewJob(BaseModel):
    """A folder or file of the server to index."""

    collection: str = Field(max_length=LONGEST_NAME, examples=["holidays"])
    path: str = Field(max_length=4096, pattern=TEXT, examples=["/photos/2024"])
    captions: bool = Field(True, description="give photos a caption that have none")


async def enqueue(service: Service, kind: JobKind, collection: str, request: Any) -> JobDocument:
    """Queue a job.

    Args:
        service: whose queue.
        kind: of the job.
        collection: name of a collection that is there.
        request: a dataclass of indexer.requests.

    Raises:
        UnknownCollection: there is none of that name.
        Overloaded: too many jobs wait already.
    """

    def add() -> JobInfo:
        info = service.catalogue.collection(collection)
        return service.jobs.add(kind, info, asdict(request))

    return JobDocument.of(await service.disk_work.run(add))


async def has_room(service: ServiceOfApp) -> None:
    """Refuse a request for a job where too many wait."""
    if await service.disk_work.run(service.jobs.waiting) >= MOST_WAITING:
        raise Overloaded


HasRoom = Depends(has_room)


@router.post("", status_code=202, dependencies=[HasRoom])
async def index_folder(service: ServiceOfApp, asked: NewJob) -> JobDocument:
    """Index a folder or file of the server into a collection: photos, texts, tables, datasets, as `dvsa index` does.

    It must be in a folder that DVSA_ALLOWED_ROOTS names, links resolved; 403 if not.
    """
    path = await service.disk_work.run(allowed_path, service.settings, asked.path)
    return await enqueue(service, "index", asked.collection, IndexRequest(path, asked.captions))


@router.get("")
async def list_jobs(
    service: ServiceOfApp,
    collection: CollectionName | None = None,
    after: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="as the page before said")] = None,
    count: Count = 50,
) -> JobPage:
    """List jobs, the newest first, page by page; of one collection or of all."""
    found = await service.disk_work.run(job_page, service.catalogue, collection, after, count + 1)
    shown = [JobDocument.of(info) for info in found[:count]]
    return JobPage(jobs=shown, after=shown[-1].id if len(found) > count else None)


@router.get("/{job_id}")
async def describe_job(service: ServiceOfApp, job_id: JobId) -> JobDocument:
    """Describe a job: how far it is, and its report once it is done."""
    return JobDocument.of(await service.disk_work.run(job, service.catalogue, job_id))


@router.post("/{job_id}/cancel", status_code=202)
async def cancel_job(service: ServiceOfApp, job_id: JobId) -> JobDocument:
    """Cancel a job; one that runs stops between two photos, and what it encoded is kept for when it is resumed.

    409 if it has ended.
    """
    return JobDocument.of(await service.disk_work.run(service.jobs.cancel, job_id))


@router.post("/{job_id}/resume", status_code=202)
async def resume_job(service: ServiceOfApp, job_id: JobId) -> JobDocument:
    """Queue a job again that was cancelled or has failed; 409 if it is neither."""
    return JobDocument.of(await service.disk_work.run(service.jobs.resume, job_id))


async def _watched(service: ServiceOfApp, job_id: JobId) -> AsyncIterator[JobInfo]:
    """Take a place among those who watch jobs; an unknown job is told before the answer begins."""
    if not service.watchers.acquire(blocking=False):
        raise Overloaded
    try:
        yield await service.disk_work.run(job, service.catalogue, job_id)
    finally:
        service.watchers.release()


@router.get("/{job_id}/events", response_class=EventSourceResponse, openapi_extra=PROBLEM_IS_JSON)
async def watch_job(
    service: ServiceOfApp, watched: Annotated[JobInfo, Depends(_watched)]
) -> AsyncIterator[ServerSentEvent]:
    """Tell how a job goes on, as server-sent events, each with a job document.

    `progress` when something has changed; `end`, the last, when the job has ended. A stream without `end` was cut off
    because the server stops: ask again.
    """
    shown: JobInfo | None = None
    while not service.stopping.is_set():
        if watched.ended:
            yield ServerSentEvent(event="end", data=JobDocument.of(watched))
            return
        if watched != shown:
            yield ServerSentEvent(event="progress", data=JobDocument.of(watched))
            shown = watched
        await asyncio.sleep(LOOK)
        watched = await service.disk_work.run(job, service.catalogue, watched.id)
