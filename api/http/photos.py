"""Routes of the photos that the collections hold; which file is read, the catalogue alone says."""

import io
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from PIL import Image

from api.http.documents import PhotoDocument, PhotoPage
from api.http.service import Service, ServiceOfApp

PhotoId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[17])]
IfNoneMatch = Annotated[str | None, Header()]
Side = Annotated[int, Query(ge=16, le=1024, description="pixels of the longer side, at most")]
THUMBNAIL = 384  # pixels
CACHED = "private, no-cache"  # kept by the browser, which asks each time whether the photo is still the same

router = APIRouter(prefix="/photos", tags=["photos"])


@router.get("")
async def list_photos(
    service: ServiceOfApp,
    collection: Annotated[str, Query(max_length=1000, examples=["holidays"])],
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="as the page before said")] = 0,
    count: Annotated[int, Query(ge=1, le=200, description="photos of a page")] = 50,
) -> PhotoPage:
    """List the photos of a collection, page by page."""
    found = await service.disk_work.run(service.catalogue.photo_page, collection, after, count + 1)
    shown = [PhotoDocument.of(info) for info in found[:count]]
    return PhotoPage(photos=shown, after=shown[-1].id if len(found) > count else None)


@router.get("/{photo_id}")
async def describe_photo(service: ServiceOfApp, photo_id: PhotoId) -> PhotoDocument:
    """Describe one photo."""
    return PhotoDocument.of(await service.disk_work.run(service.catalogue.photo, photo_id))


@router.get("/{photo_id}/bytes", response_class=Response, responses={200: {"content": {"image/*": {}}}})
async def photo_bytes(service: ServiceOfApp, photo_id: PhotoId, if_none_match: IfNoneMatch = None) -> Response:
    """Give the file of a photo as it was indexed; 410 if it has changed since."""
    photo = await service.disk_work.run(service.stored_photo, photo_id)
    headers = {"ETag": f'"{photo.info.content_hash}"', "Cache-Control": CACHED}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(photo.data, media_type=photo.media_type, headers=headers)


@router.get("/{photo_id}/thumbnail", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def photo_thumbnail(
    service: ServiceOfApp, photo_id: PhotoId, size: Side = THUMBNAIL, if_none_match: IfNoneMatch = None
) -> Response:
    """Give a small JPEG of a photo, upright; 410 if the file has changed since it was indexed."""
    info = await service.disk_work.run(service.catalogue.photo, photo_id)
    headers = {"ETag": f'"{info.content_hash}-{size}"', "Cache-Control": CACHED}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    data = await service.disk_work.run(_thumbnail, service, photo_id, size)
    return Response(data, media_type="image/jpeg", headers=headers)


def _thumbnail(service: Service, photo_id: int, size: int) -> bytes:
    image = Image.fromarray(service.stored_pixels(photo_id))
    image.thumbnail((size, size))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()
