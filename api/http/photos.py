"""Routes of the photos that the collections hold; which file is read, the catalogue alone says."""

import io
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from PIL import Image
from pydantic import BaseModel, Field

from api.http.documents import PhotoDocument, PhotoPage
from api.http.fields import LARGEST_ID, After, AttributeName, AttributeValue, CollectionName, Count, Moment, Tags
from api.http.jobs import HasRoom, JobDocument, enqueue
from api.http.service import Service, ServiceOfApp
from engine.catalogue import PhotoInfo
from engine.catalogue.metadata import photo_metadata
from indexer.metadata import MetadataChange, change_metadata
from indexer.requests import DeleteRequest

PhotoId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[17])]
IfNoneMatch = Annotated[str | None, Header()]
Side = Annotated[int, Query(ge=16, le=1024, description="pixels of the longer side, at most")]
THUMBNAIL = 384  # pixels
CACHED = "private, no-cache"  # kept by the browser, which asks each time whether the photo is still the same

router = APIRouter(prefix="/photos", tags=["photos"])


class PhotoChange(BaseModel):
    """What is to change of a photo; what is left out stays as it is."""

    tags: Tags | None = Field(None, description="in place of those that it has")
    attributes: Annotated[dict[AttributeName, AttributeValue | None], Field(max_length=100)] | None = Field(
        None, description="in place of those of the same names; null takes one away"
    )
    taken_at: Moment | None = Field(None, description="holds against the file's EXIF; null: not known")

    def change(self) -> MetadataChange:
        """Return the change."""
        taken_at = (self.taken_at,) if "taken_at" in self.model_fields_set else None
        return MetadataChange(self.tags, self.attributes, taken_at)


@router.get("")
async def list_photos(
    service: ServiceOfApp,
    collection: CollectionName,
    after: After = 0,
    count: Count = 50,
) -> PhotoPage:
    """List the photos of a collection, page by page."""
    found = await service.disk_work.run(service.catalogue.photo_page, collection, after, count + 1)
    shown = await service.disk_work.run(_documents, service, found[:count])
    return PhotoPage(photos=shown, after=shown[-1].id if len(found) > count else None)


@router.get("/{photo_id}")
async def describe_photo(service: ServiceOfApp, photo_id: PhotoId) -> PhotoDocument:
    """Describe one photo."""
    return await service.disk_work.run(_document, service, photo_id)


@router.patch("/{photo_id}")
async def change_photo(service: ServiceOfApp, photo_id: PhotoId, asked: PhotoChange) -> PhotoDocument:
    """Change what is known of a photo. It stays when the photo is indexed again, renamed or replaced."""

    def change() -> PhotoDocument:
        change_metadata(service.catalogue, photo_id, asked.change())
        return _document(service, photo_id)

    return await service.disk_work.run(change)


@router.delete("/{photo_id}", status_code=202, dependencies=[HasRoom])
async def drop_photo(service: ServiceOfApp, photo_id: PhotoId) -> JobDocument:
    """Drop a photo from its collection, by a job. The file of an uploaded photo is deleted.

    The file of any other is left alone, and comes back when its folder is indexed again.
    """
    info = await service.disk_work.run(service.catalogue.photo, photo_id)
    return await enqueue(service, "delete", info.collection, DeleteRequest([info.path]))


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


def _documents(service: Service, photos: Sequence[PhotoInfo]) -> list[PhotoDocument]:
    metadata = photo_metadata(service.catalogue, [info.id for info in photos])
    return [PhotoDocument.of(info, metadata[info.id]) for info in photos]


def _document(service: Service, photo_id: int) -> PhotoDocument:
    return _documents(service, [service.catalogue.photo(photo_id)])[0]


def _thumbnail(service: Service, photo_id: int, size: int) -> bytes:
    image = Image.fromarray(service.stored_pixels(photo_id))
    image.thumbnail((size, size))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85)
    return written.getvalue()
