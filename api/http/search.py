"""Routes of searches."""

from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import BaseModel, Field

from api.http.documents import AnswerDocument
from api.http.service import Service, ServiceOfApp
from api.http.uploads import UploadedPhoto
from engine.fragments import Kind
from engine.search import Answer

MOST_HITS = 200
LONGEST_TEXT = 5000  # characters
LONGEST_NAME = 1000  # characters of a collection's name

router = APIRouter(prefix="/search", tags=["search"])


class TextQuery(BaseModel):
    """A search by text."""

    text: str = Field(max_length=LONGEST_TEXT, examples=["two dogs play in the snow"])
    collection: str = Field("default", max_length=LONGEST_NAME, examples=["holidays"])
    k: int = Field(10, ge=1, le=MOST_HITS, description="how many hits")
    target: Kind = "images"
    explain: bool = Field(True, description="give each word's region")


@router.post("/text")
async def search_by_text(service: ServiceOfApp, query: TextQuery) -> AnswerDocument:
    """Find photos, or sentences, by a text."""
    work = service.search.search_text
    answer = await service.model_work.run(work, query.collection, query.text, query.k, query.target)
    return AnswerDocument.of(answer, query.explain)


@router.post("/photo")
async def search_by_photo(
    service: ServiceOfApp,
    photo: UploadedPhoto,
    collection: Annotated[str, Form(max_length=LONGEST_NAME)] = "default",
    k: Annotated[int, Form(ge=1, le=MOST_HITS)] = 10,
    target: Annotated[Kind, Form()] = "sentences",
    explain: Annotated[bool, Form()] = True,
) -> AnswerDocument:
    """Find sentences, or photos, by a photo; where there is a captioner, the photo is captioned too."""
    answer = await service.model_work.run(_by_photo, service, photo, collection, k, target)
    return AnswerDocument.of(answer, explain)


def _by_photo(service: Service, photo: bytes, collection: str, k: int, target: Kind) -> Answer:
    service.catalogue.collection(collection)  # an unknown name is told before the photo is decoded
    return service.search.search_photo(collection, service.decode(photo), k, target)
