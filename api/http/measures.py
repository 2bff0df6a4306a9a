"""The route of the metrics."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.http.service import ServiceOfApp

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(service: ServiceOfApp) -> Response:
    """Give the metrics to Prometheus."""
    return Response(await service.disk_work.run(service.metrics.text), media_type=CONTENT_TYPE_LATEST)
