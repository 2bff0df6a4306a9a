"""Routes of alignments: which word of a sentence went to which region of a photo."""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Form
from pydantic import BaseModel, Field

from api.http.documents import AlignmentDocument, WordDocument
from api.http.photos import PhotoId
from api.http.queries import LONGEST_TEXT
from api.http.service import Service, ServiceOfApp
from api.http.uploads import UploadedPhoto
from engine.alignment import align

router = APIRouter(tags=["alignment"])


class Sentence(BaseModel):
    """A sentence to lay over a photo."""

    sentence: str = Field(max_length=LONGEST_TEXT, examples=["two dogs play in the snow"])
    beta: float = Field(0, ge=0, allow_inf_nan=False, description="larger: neighbouring words share a region")


@router.post("/alignment")
async def align_upload(
    service: ServiceOfApp,
    photo: UploadedPhoto,
    sentence: Annotated[str, Form(max_length=LONGEST_TEXT)],
    beta: Annotated[float, Form(ge=0, allow_inf_nan=False)] = 0,
) -> AlignmentDocument:
    """Lay a sentence over an uploaded photo."""
    return await service.model_work.run(lambda: _align(service, service.decode(photo), sentence, beta))


@router.post("/photos/{photo_id}/alignment")
async def align_photo(service: ServiceOfApp, photo_id: PhotoId, asked: Sentence) -> AlignmentDocument:
    """Lay a sentence over a photo of a collection."""
    return await service.model_work.run(
        lambda: _align(service, service.stored_pixels(photo_id), asked.sentence, asked.beta)
    )


def _align(service: Service, pixels: npt.NDArray[np.uint8], sentence: str, beta: float) -> AlignmentDocument:
    found = align(service.encoder, pixels, sentence, beta)
    height, width = pixels.shape[:2]
    return AlignmentDocument(
        width=width,
        height=height,
        score=round(found.score, 5),
        not_understood=found.not_understood,
        words=[WordDocument.of(word) for word in found.words],
    )
