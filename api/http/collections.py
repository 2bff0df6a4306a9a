"""Routes of collections."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.documents import CollectionDocument, CollectionList
from api.http.fields import PRINTABLE
from api.http.service import ServiceOfApp
from indexer.collections import create_collection, delete_collection

router = APIRouter(prefix="/collections", tags=["collections"])


class NewCollection(BaseModel):
    """A collection to make."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE, examples=["holidays"])]


@router.get("")
async def list_collections(service: ServiceOfApp) -> CollectionList:
    """List the collections by name."""
    found = await service.disk_work.run(service.catalogue.collections)
    return CollectionList(collections=[CollectionDocument.of(info) for info in found])


@router.post("", status_code=201)
async def add_collection(service: ServiceOfApp, asked: NewCollection) -> CollectionDocument:
    """Make a collection that holds nothing; 409 if there is one of that name."""
    made = await service.disk_work.run(create_collection, service.catalogue, asked.name, service.encoder)
    return CollectionDocument.of(made)


@router.delete("/{name:path}", status_code=204)
async def drop_collection(service: ServiceOfApp, name: str) -> None:
    """Delete a collection with its index and what was uploaded into it; its jobs are cancelled.

    409 if something else indexes into it and does not give up in time. Files that were not uploaded are left alone.
    """
    await service.disk_work.run(delete_collection, service.catalogue, name, service.settings)


@router.get("/{name:path}")
async def describe_collection(service: ServiceOfApp, name: str) -> CollectionDocument:
    """Describe one collection."""
    return CollectionDocument.of(await service.disk_work.run(service.catalogue.collection, name))
