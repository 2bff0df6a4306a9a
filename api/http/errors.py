"""The one place that turns errors into HTTP answers; what they say of the inside goes to the log only."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.http.work import Overloaded
from engine.exceptions import (
    BadRequest,
    CollectionBusy,
    CollectionExists,
    CursorOutdated,
    EmptyCollection,
    JobConflict,
    ModelMismatch,
    PathNotAllowed,
    PhotoGone,
    UnknownCollection,
    UnknownDocument,
    UnknownJob,
    UnknownPhoto,
)
from model.exceptions import CaptionError, DvsaError, PhotoError, TextError

RETRY_SECONDS = 1
_LOG = logging.getLogger(__name__)

STATUS: dict[type[DvsaError], HTTPStatus] = {
    UnknownCollection: HTTPStatus.NOT_FOUND,
    UnknownDocument: HTTPStatus.NOT_FOUND,
    UnknownJob: HTTPStatus.NOT_FOUND,
    UnknownPhoto: HTTPStatus.NOT_FOUND,
    PathNotAllowed: HTTPStatus.FORBIDDEN,
    PhotoGone: HTTPStatus.GONE,
    CollectionBusy: HTTPStatus.CONFLICT,
    CollectionExists: HTTPStatus.CONFLICT,
    CursorOutdated: HTTPStatus.CONFLICT,
    EmptyCollection: HTTPStatus.CONFLICT,
    JobConflict: HTTPStatus.CONFLICT,
    ModelMismatch: HTTPStatus.CONFLICT,
    BadRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    TextError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PhotoError: HTTPStatus.UNPROCESSABLE_ENTITY,
    CaptionError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Errors of the caller, whose message is for him; any other is one of the server, whose message stays inside."""


class Problem(BaseModel):
    """What went wrong."""

    error: str = Field(description="a name for programs", examples=["unknown_collection"])
    detail: str = Field(description="one sentence for people", examples=["there is no collection 'holidays'"])
    request_id: str = Field(description="also in the log and in the header X-Request-ID")


def answer(
    request: Request, status: int, error: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the HTTP answer of an error."""
    document = Problem(error=error, detail=detail, request_id=request.state.request_id)
    return JSONResponse(document.model_dump(), status, headers)


def install(app: FastAPI) -> None:
    """Have an app answer errors so."""
    app.add_exception_handler(DvsaError, _stated)
    app.add_exception_handler(Overloaded, _overloaded)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _stated(request: Request, error: Exception) -> JSONResponse:
    for kind, status in STATUS.items():
        if isinstance(error, kind):
            return answer(request, status, _name(kind), str(error))
    _LOG.error("%s", error, extra={"request_id": request.state.request_id})
    detail = "the server cannot use its index, its catalogue or its model; its log says why"
    return answer(request, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail)


async def _overloaded(request: Request, _error: Exception) -> JSONResponse:
    detail = "the server is busy; come again in a moment"
    again = {"Retry-After": str(RETRY_SECONDS)}
    return answer(request, HTTPStatus.TOO_MANY_REQUESTS, "overloaded", detail, again)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", f"{place}: {first['msg']}")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return answer(request, error.status_code, name, str(error.detail), dict(error.headers or {}))


def _name(kind: type[DvsaError]) -> str:
    """Return the class's name as programs read it.

    >>> _name(UnknownCollection)
    'unknown_collection'
    """
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in kind.__name__).lstrip("_")
