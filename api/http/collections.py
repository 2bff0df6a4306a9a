"""Routes of collections."""

from fastapi import APIRouter

from api.http.documents import CollectionDocument, CollectionList
from api.http.service import ServiceOfApp

router = APIRouter(prefix="/collections", tags=["collections"])


@router.get("")
async def list_collections(service: ServiceOfApp) -> CollectionList:
    """List the collections by name."""
    found = await service.disk_work.run(service.catalogue.collections)
    return CollectionList(collections=[CollectionDocument.of(info) for info in found])


@router.get("/{name:path}")
async def describe_collection(service: ServiceOfApp, name: str) -> CollectionDocument:
    """Describe one collection."""
    return CollectionDocument.of(await service.disk_work.run(service.catalogue.collection, name))
