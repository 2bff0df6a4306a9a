"""Routes of searches."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form

from api.http.answers import AnswerDocument
from api.http.queries import PhotoForm, RegionQuery, TextQuery
from api.http.service import Service, ServiceOfApp
from engine.encoder import SentenceFragments
from engine.search import Answer, SearchRequest

router = APIRouter(prefix="/search", tags=["search"])


@router.post("/text")
async def search_by_text(service: ServiceOfApp, query: TextQuery) -> AnswerDocument:
    """Find photos, or sentences, by a text; texts that come together are encoded in one pass."""
    request = query.request()

    async def encoded() -> Sequence[SentenceFragments]:
        return await service.sentences.encode(request.texts(query.text))

    def work(sentences: Sequence[SentenceFragments]) -> Answer:
        return service.search.search_sentences(query.text, sentences, request)

    return AnswerDocument.of(await service.model_work.run_after(encoded, work))


@router.post("/photo")
async def search_by_photo(
    service: ServiceOfApp, query: Annotated[PhotoForm, Form(media_type="multipart/form-data")]
) -> AnswerDocument:
    """Find sentences, or photos, by a photo; where there is a captioner, the photo is captioned too."""
    photo = await query.photo.read()
    return AnswerDocument.of(await service.model_work.run(_by_photo, service, photo, query.request()))


@router.post("/region")
async def search_by_region(service: ServiceOfApp, query: RegionQuery) -> AnswerDocument:
    """Find photos that show, or sentences that say, what a box on a photo of a collection shows."""
    return AnswerDocument.of(await service.model_work.run(_by_region, service, query))


def _by_photo(service: Service, photo: bytes, request: SearchRequest) -> Answer:
    service.search.check(request)  # an unknown name is told before the photo is decoded
    return service.search.search_photo(service.decode(photo), request)


def _by_region(service: Service, query: RegionQuery) -> Answer:
    request = query.request()
    service.search.check(request)
    return service.search.search_box(service.stored_pixels(query.photo_id), query.box, request)
