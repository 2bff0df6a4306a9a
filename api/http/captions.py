"""Routes of captions."""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Form, Query

from api.http.documents import CaptionDocument, CaptionedPhoto, RegionCaptionDocument
from api.http.photos import PhotoId
from api.http.service import Service, ServiceOfApp
from api.http.uploads import UploadedPhoto
from model.exceptions import CaptionError

router = APIRouter(tags=["captions"])


@router.post("/captions")
async def caption_upload(
    service: ServiceOfApp, photo: UploadedPhoto, regions: Annotated[bool, Form()] = False
) -> CaptionedPhoto:
    """Say what an uploaded photo shows, and what its regions show."""
    return await service.model_work.run(lambda: _captions(service, service.decode(photo), regions))


@router.get("/photos/{photo_id}/captions")
async def caption_photo(
    service: ServiceOfApp, photo_id: PhotoId, regions: Annotated[bool, Query()] = False
) -> CaptionedPhoto:
    """Say what a photo of a collection shows, and what its regions show."""
    return await service.model_work.run(lambda: _captions(service, service.stored_pixels(photo_id), regions))


def _captions(service: Service, pixels: npt.NDArray[np.uint8], regions: bool) -> CaptionedPhoto:
    if service.captioner is None:
        raise CaptionError("there is no captioner for this model; DVSA_CAPTIONER names one")
    if regions and service.region_captioner is None:
        raise CaptionError("there is no captioner of regions for this model; DVSA_REGION_CAPTIONER names one")
    fragments = service.encoder.encode_photo(pixels)
    whole = CaptionDocument.of(service.captioner.caption(fragments))
    parts = service.region_captioner.captions(fragments) if regions and service.region_captioner else []
    height, width = pixels.shape[:2]
    documents = [RegionCaptionDocument.of_region(part) for part in parts]
    return CaptionedPhoto(**whole.model_dump(), width=width, height=height, regions=documents)
