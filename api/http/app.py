"""The app: routes, guards and the web page around a ready-made service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api.http import errors
from api.http.alignment import router as alignment
from api.http.captions import router as captions
from api.http.collections import router as collections
from api.http.guard import Guard
from api.http.health import router as health
from api.http.photos import router as photos
from api.http.search import router as search
from api.http.service import Service
from api.http.suggestions import router as suggestions

WEB = Path(__file__).parent.parent / "web"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ABOUT = "Search photos by text and sentences by photo; every hit shows which word matched which region."


def create_app(service: Service) -> FastAPI:
    """Return the app of a service; the service is closed when the app shuts down.

    Only requests to a loopback name are answered, so that no web page reaches the service under a name of its own.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="dvsa",
        description=ABOUT,
        version=version("dvsa"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=service.settings.max_upload_bytes,
        generate_unique_id_function=_operation_name,
        middleware=[
            Middleware(Guard),
            Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False),
        ],
    )
    app.state.service = service
    errors.install(app)
    for router in (health, collections, photos, search, suggestions, captions, alignment):
        app.include_router(router, prefix="/api/v1", responses={"4XX": {"model": errors.Problem}})
    app.mount("/", StaticFiles(directory=WEB, html=True))
    return app


def _operation_name(route: APIRoute) -> str:
    return route.name
