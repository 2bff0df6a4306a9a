"""The app: routes, guards and the web page around a ready-made service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api.http import errors
from api.http.access import Access
from api.http.alignment import router as alignment
from api.http.captions import router as captions
from api.http.collections import router as collections
from api.http.guard import Guard
from api.http.health import router as health
from api.http.jobs import router as jobs
from api.http.measures import router as measures
from api.http.photo_uploads import upload_router
from api.http.photos import router as photos
from api.http.search import router as search
from api.http.service import Service
from api.http.session import router as session
from api.http.suggestions import router as suggestions
from api.http.texts import router as texts
from api.http.too_large import TooLarge

WEB = Path(__file__).parent.parent / "web"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
KEY = HTTPBearer(auto_error=False, scheme_name="API key", description="Made by `dvsa keys create`.")
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": {"model": errors.Problem}}
ABOUT = "Search photos by text and sentences by photo; every hit shows which word matched which region."


def create_app(service: Service, public: bool = False) -> FastAPI:
    """Return the app of a service; the service is closed when the app shuts down.

    Args:
        service: what answers.
        public: other machines can reach it: an API key is asked for. If not, only requests to a loopback name or one
            that the settings allow are answered, so that no web page reaches the service under a name of its own.
    """
    settings = service.settings
    hosts = [*LOOPBACK, *settings.allowed_hosts] if settings.allowed_hosts or not public else ["*"]
    keys_needed = public or settings.require_keys

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
        generate_unique_id_function=_operation_name,
        middleware=[
            Middleware(Guard, metrics=service.metrics),
            Middleware(TooLarge),
            Middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_upload_bytes),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            *([Middleware(Access, service=service)] if keys_needed else []),
        ],
    )
    app.state.service, app.state.keys_needed = service, keys_needed
    errors.install(app)
    app.include_router(measures)
    writing = (upload_router(settings), texts, jobs)
    for router in (health, session, collections, photos, *writing, search, suggestions, captions, alignment):
        shown = [] if router in (health, session) else [Security(KEY)]  # in the document; `Access` is what asks for it
        app.include_router(router, prefix="/api/v1", responses=PROBLEMS, dependencies=shown)
    app.mount("/", StaticFiles(directory=WEB, html=True))
    return app


def _operation_name(route: APIRoute) -> str:
    return route.name
