"""The session of the web page: its key in a cookie that no script reads, as images carry no Authorization."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field

from api.http.access import COOKIE, key_of
from api.http.service import ServiceOfApp
from engine.catalogue.keys import LONGEST

router = APIRouter(prefix="/session", tags=["session"])


class Given(BaseModel):
    """An API key."""

    key: Annotated[str, Field(max_length=LONGEST, examples=["dvsa_..."])]


class Session(BaseModel):
    """What whoever asks may do."""

    scope: Literal["read", "write"] | None = Field(description="null: nothing; a key must be given first")


@router.get("")
async def describe_session(service: ServiceOfApp, request: Request) -> Session:
    """Say what whoever asks may do; everything where no keys are needed."""
    if not request.app.state.keys_needed:
        return Session(scope="write")
    key = await key_of(request, service)
    return Session(scope=key.scope if key else None)


@router.post("")
async def begin_session(service: ServiceOfApp, request: Request, given: Given, response: Response) -> Session:
    """Take a key, and set it as a cookie of this browser."""
    key = await service.disk_work.run(service.keys.find, given.key)
    if key is None:
        raise HTTPException(401, "this is no API key, or it was revoked")
    response.set_cookie(
        COOKIE, given.key, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return Session(scope=key.scope)


@router.delete("", status_code=204)
async def end_session(response: Response) -> None:
    """Forget the key of this browser."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
