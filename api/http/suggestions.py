"""The route of suggestions: how a query that somebody types could go on."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http.queries import LONGEST_NAME
from api.http.service import ServiceOfApp

LONGEST_PREFIX = 200  # characters; nobody needs help with more

router = APIRouter(tags=["search"])


class SuggestionList(BaseModel):
    """What a query could be, the likeliest first."""

    suggestions: list[str] = Field(examples=[["two dogs", "two dogs play in the snow"]])


@router.get("/suggestions")
async def suggest(
    service: ServiceOfApp,
    collection: Annotated[str, Query(max_length=LONGEST_NAME, examples=["holidays"])],
    prefix: Annotated[str, Query(max_length=LONGEST_PREFIX, description="what was typed", examples=["two do"])] = "",
    count: Annotated[int, Query(ge=1, le=50)] = 8,
) -> SuggestionList:
    """Say how a query could go on: by words and texts of the collection, then by words that the model knows."""
    return SuggestionList(
        suggestions=await service.disk_work.run(service.suggestions.complete, collection, prefix, count)
    )
