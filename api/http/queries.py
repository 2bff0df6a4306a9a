"""The JSON documents, and the form, of what is searched for."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, model_validator

from api.http.documents import Box
from engine.catalogue.filtering import PhotoFilter, Range
from engine.fragments import Effort, Kind
from engine.search import Exclusion, SearchRequest
from engine.search.paging import LONGEST

MOST_HITS = 200
LONGEST_TEXT = 5000  # characters
LONGEST_NAME = 1000  # characters of a collection's name, a tag, an attribute
MOST_NAMED = 20  # collections, tags, attributes of one query

Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _plausible(day: date | datetime) -> date | datetime:
    if not 1000 < day.year < 9000:  # others are at the edge of what can be calculated with
        raise ValueError("a date is of a year between 1000 and 9000")
    return day


Day = Annotated[date | datetime, AfterValidator(_plausible), Field(examples=["2024-12-31"])]


class Query(BaseModel):
    """Part of a search; what it does not know is refused, so that a misspelt filter hides nothing."""

    model_config = ConfigDict(extra="forbid")


class RangeDocument(Query):
    """Numbers, the bounds included."""

    gte: Number | None = Field(None, examples=[100])
    lte: Number | None = Field(None, examples=[800])


class TakenDocument(Query):
    """When a photo was taken: days, to the end of the last, or times; UTC where no zone is named."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None


class FilterDocument(Query):
    """What a photo must have, all of it; of sentences, the photo that they describe."""

    tags: list[Name] = Field([], max_length=MOST_NAMED, examples=[["summer", "family"]])
    attributes: dict[Name, Name | Number] = Field({}, max_length=MOST_NAMED, examples=[{"camera": "X100"}])
    ranges: dict[Name, RangeDocument] = Field({}, max_length=MOST_NAMED)
    taken: TakenDocument = Field(default_factory=TakenDocument)

    def wanted(self) -> PhotoFilter:
        """Return the filter as the engine takes it."""
        return PhotoFilter(
            tuple(self.tags),
            self.attributes,
            {name: Range(span.gte, span.lte) for name, span in self.ranges.items()},
            _moment(self.taken.from_),
            _moment(self.taken.to, after=True),
        )


class ExcludeDocument(Query):
    """What hits should not show."""

    text: str = Field(max_length=LONGEST_TEXT, examples=["people"])
    weight: Number = Field(1, ge=0, le=100, description="times the score with this text is taken off a hit's score")


class SearchOptions(Query):
    """How to search, whatever is asked."""

    collection: Name = Field("default", examples=["holidays"])
    collections: list[Name] = Field([], max_length=MOST_NAMED, description="several, in place of `collection`")
    k: int = Field(10, ge=1, le=MOST_HITS, description="how many hits")
    target: Kind = "images"
    explain: bool = Field(True, description="give each word's region")
    effort: Effort = Field("normal", description="how much the search of a large collection may cost")
    min_score: Number | None = Field(None, description="leave out what scores less")
    cursor: str | None = Field(None, max_length=LONGEST, description="as the page before said")
    filter: FilterDocument | None = None
    exclude: ExcludeDocument | None = None

    def request(self) -> SearchRequest:
        """Return the request as the engine takes it."""
        return SearchRequest(
            tuple(self.collections or [self.collection]),
            self.target,
            self.k,
            self.effort,
            Exclusion(self.exclude.text, self.exclude.weight) if self.exclude else None,
            self.filter.wanted() if self.filter else None,
            self.min_score,
            self.cursor,
            self.explain,
        )


class TextQuery(SearchOptions):
    """A search by text."""

    text: str = Field(max_length=LONGEST_TEXT, examples=["two dogs play in the snow"])


class RegionQuery(SearchOptions):
    """A search by a box that is drawn on a photo of a collection."""

    photo_id: int = Field(ge=1, le=2**63 - 1, examples=[17])
    box: Box

    @model_validator(mode="after")
    def _encloses(self) -> "RegionQuery":
        x0, y0, x1, y1 = self.box
        if not (0 <= x0 < x1 < 2**31 and 0 <= y0 < y1 < 2**31):
            raise ValueError("a box is x0, y0, x1, y1 with 0 <= x0 < x1 and 0 <= y0 < y1")
        return self


class PhotoForm(SearchOptions):
    """A search by photo, as a form; `filter` and `exclude` are JSON texts."""

    photo: UploadFile = Field(description="JPEG, PNG, WebP or GIF")
    target: Kind = "sentences"
    filter: Json[FilterDocument] | None = None
    exclude: Json[ExcludeDocument] | None = None


def _moment(day: date | datetime | None, after: bool = False) -> datetime | None:
    """Return the begin of a day or a time; the first moment behind it if asked."""
    if day is None:
        return None
    if isinstance(day, datetime):
        moment = day if day.tzinfo else day.replace(tzinfo=UTC)
        return moment + timedelta(microseconds=after)
    return datetime.combine(day + timedelta(days=after), time(), UTC)
