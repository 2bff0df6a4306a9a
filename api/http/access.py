"""Who may do what: API keys and their rate, checked before the body of a request is read.

Reading needs a key of any scope, changing anything needs one of scope `write`. Open to all are the files of the web
page, the health routes, the OpenAPI document, and the route where the page gives its key.
"""

import asyncio
import contextlib
import math
import re
import time
from typing import Literal

from fastapi import Request, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import answer
from api.http.service import Service
from api.http.work import Overloaded
from engine.catalogue.keys import KeyInfo
from engine.exceptions import CatalogueError

COOKIE = "dvsa_key"  # where the web page keeps its key: images carry no Authorization
API = "/api/v1/"
METRICS = "/metrics"
SESSION = API + "session"
OPEN = re.compile(r"/api/v1/(health/\w+|openapi\.json)")
READING = re.compile(r"/api/v1/(search/\w+|captions|alignment|photos/\d+/alignment)")
"""What is posted and changes nothing."""

USE_NOTED_EVERY = 60  # seconds

Needed = Literal["nothing", "a slow pace", "read", "write"]


class RateLimit:
    """How often each may ask; counted in memory.

    Args:
        per_minute: requests.
    """

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def seconds_to_wait(self, who: str) -> int:
        """Count a request; return after how many seconds to come again, 0 for one that is welcome."""
        if self._limiter.hit(self._item, who):
            return 0
        return max(1, math.ceil(self._limiter.get_window_stats(self._item, who).reset_time - time.time()))


class Access:
    """The layer that lets requests in.

    Args:
        app: the layers within.
        service: whose keys count.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._limit = RateLimit(service.settings.requests_per_minute)
        self._noted: dict[int, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        needed = needed_scope(scope["method"], scope["path"]) if scope["type"] == "http" else "nothing"
        refusal = None if needed == "nothing" else await self._refusal(scope, needed)
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope, needed: Needed) -> Response | None:
        """Return the answer to a request that may not go on."""
        request = Request(scope)
        key = await key_of(request, self._service)
        who = f"key {key.id}" if key else f"address {request.client.host if request.client else ''}"
        wait = self._limit.seconds_to_wait(who)
        if wait:
            detail = f"no more than {self._service.settings.requests_per_minute} requests a minute; come again later"
            return answer(request, 429, "too_many_requests", detail, {"Retry-After": str(wait)})
        if key is None and needed != "a slow pace":
            detail = "this needs an API key; whoever runs the server makes one with: dvsa keys create"
            return answer(request, 401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})
        if needed == "write" and key is not None and key.scope != "write":
            return answer(request, 403, "forbidden", f"the key {key.name!r} may read only; this needs the scope write")
        if key is not None:
            self._note_use(key)
        return None

    def _note_use(self, key: KeyInfo) -> None:
        """Have it written down that a key is used; nobody waits for that, nor for a writer that holds the catalogue."""
        if time.monotonic() < self._noted.get(key.id, -math.inf) + USE_NOTED_EVERY:
            return
        self._noted[key.id] = time.monotonic()

        async def note() -> None:
            with contextlib.suppress(CatalogueError, Overloaded):
                await self._service.disk_work.run(self._service.keys.note_use, key)

        task = asyncio.create_task(note())
        self._noting.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self._noting.discard)


def needed_scope(method: str, path: str) -> Needed:
    """Say what a request needs.

    >>> needed_scope("POST", "/api/v1/search/text"), needed_scope("DELETE", "/api/v1/photos/1")
    ('read', 'write')
    >>> needed_scope("GET", "/index.html"), needed_scope("POST", "/api/v1/session")
    ('nothing', 'a slow pace')
    """
    if path == SESSION:
        return "a slow pace"  # nobody tries keys by the thousand
    if OPEN.fullmatch(path) or not (path == METRICS or path.startswith(API)):
        return "nothing"
    return "read" if method in ("GET", "HEAD") or READING.fullmatch(path) else "write"


async def key_of(request: Request, service: Service) -> KeyInfo | None:
    """Return the key that a request carries, in its header Authorization or its cookie."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    given = given if kind.lower() == "bearer" else request.cookies.get(COOKIE, "")
    return await service.disk_work.run(service.keys.find, given) if given else None
