"""Is the process there, and can it answer?"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.service import ServiceOfApp

router = APIRouter(prefix="/health", tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Searches can be answered."""

    status: Literal["ready"] = "ready"
    model: str = Field(description="names the model's weights", examples=["1f0c" * 16])


@router.get("/live")
async def live() -> Alive:
    """Tell that the process answers."""
    return Alive()


@router.get("/ready")
async def ready(service: ServiceOfApp) -> Ready:
    """Tell that the model is loaded and the catalogue can be read; 503 if not."""
    await service.disk_work.run(service.catalogue.collections)
    return Ready(model=service.encoder.model_hash)
