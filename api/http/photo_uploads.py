"""Uploads of photos: bounded in bytes, files and pixels before anything is decoded; kept, then indexed by a job."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import TypeAdapter, ValidationError

from api.http.fields import LONGEST_NAME, Attributes, Tags
from api.http.jobs import HasRoom, JobDocument, enqueue
from api.http.service import Service, ServiceOfApp
from engine.exceptions import BadRequest
from engine.settings import Settings
from indexer.requests import UploadRequest
from indexer.uploads import UploadFolder
from model.exceptions import PhotoError

TAGS: TypeAdapter[Any] = TypeAdapter(Tags)
ATTRIBUTES: TypeAdapter[Any] = TypeAdapter(Attributes)


def upload_router(settings: Settings) -> APIRouter:
    """Return the route, with the limits of the settings."""
    router = APIRouter(prefix="/photos", tags=["photos"])
    router.add_api_route(
        "",
        upload_photos,
        methods=["POST"],
        status_code=202,
        dependencies=[HasRoom],
        max_body_size=settings.max_upload_total_bytes,
        form_limits={"max_files": settings.max_upload_files},
    )
    return router


async def upload_photos(
    service: ServiceOfApp,
    collection: Annotated[str, Form(max_length=LONGEST_NAME, examples=["holidays"])],
    photos: Annotated[list[UploadFile], File(min_length=1, description="JPEG, PNG, WebP or GIF, one or many")],
    tags: Annotated[str, Form(description="of all the photos, JSON", examples=['["beach", "dog"]'])] = "[]",
    attributes: Annotated[str, Form(description="of all the photos, JSON", examples=['{"camera": "X100"}'])] = "{}",
) -> JobDocument:
    """Keep photos and index them, by a job whose report names what could not be indexed; 422 if none is a photo.

    A photo that the collection has already gets the tags and attributes too.
    """
    said = {"tags": _read("tags", TAGS, tags), "attributes": _read("attributes", ATTRIBUTES, attributes)}
    asked = await service.disk_work.run(_receive, service, collection, photos, said)
    return await enqueue(service, "upload", collection, asked)


def _read(name: str, adapter: TypeAdapter[Any], text: str) -> Any:
    """Read a field of a form that is JSON, because forms know texts only."""
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise BadRequest(f"{name}: {error.errors()[0]['msg']}") from error


def _receive(service: Service, collection: str, photos: list[UploadFile], said: dict[str, Any]) -> UploadRequest:
    """Put aside what is a photo."""
    folder = UploadFolder(service.settings, service.catalogue.collection(collection).id)
    token, taken, refused = folder.receive_photos((photo.filename, photo.file) for photo in photos)
    if not taken:
        folder.forget(token)
        raise PhotoError(f"{refused[0].name} {refused[0].reason}")
    return UploadRequest(token, taken, refused, **said)
