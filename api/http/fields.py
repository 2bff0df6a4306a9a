"""Fields that several routes take: names, tags, attributes, moments, pages; bounded as the catalogue needs it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, Field, StrictFloat, StrictStr

PRINTABLE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"  # no control characters, not blank
TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL
LONGEST_NAME = 1000  # characters of a collection's name
LARGEST_ID = 2**63 - 1
EARLIEST = datetime(1800, 1, 1, tzinfo=UTC)  # before the first photo
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def _dated(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("there were no photos then")
    return moment


Tag = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE, examples=["beach"])]
Tags = Annotated[list[Tag], Field(max_length=100)]
AttributeName = Annotated[str, Field(min_length=1, max_length=100, pattern=PRINTABLE, examples=["camera"])]
AttributeValue = (
    Annotated[StrictStr, Field(max_length=500, pattern=TEXT)] | Annotated[StrictFloat, Field(allow_inf_nan=False)]
)
Attributes = Annotated[dict[AttributeName, AttributeValue], Field(max_length=100)]
Moment = Annotated[AwareDatetime, AfterValidator(_dated), Field(examples=["2024-05-01T12:30:00Z"])]
CollectionName = Annotated[str, Query(max_length=LONGEST_NAME, examples=["holidays"])]
After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="as the page before said")]
Count = Annotated[int, Query(ge=1, le=200, description="items of a page")]
