"""What every request passes first and every answer last: id, log line, security headers, no traceback."""

import logging
import time
import uuid
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import Problem
from api.http.metrics import Metrics

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_LOG = logging.getLogger(__name__)


class Guard:
    """The outermost layer of the app; counts what is answered.

    Requests that the browser says another site's page makes may read pages, as links do, but post nothing.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        began = time.perf_counter()

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers.setdefault("Cache-Control", "no-store")
                for name, value in SECURITY.items():
                    headers[name] = value
            await send(message)

        try:
            await self._refuse_or_serve(scope, receive, send_guarded, request_id)
        except Exception:
            _LOG.exception("unexpected error", extra={"request_id": request_id})
            if status:  # the answer has begun; closing the connection is all that can be said
                raise
            await _problem("internal", "the server failed; its log says why", request_id, 500)(
                scope, receive, send_guarded
            )
        finally:
            seconds = time.perf_counter() - began
            self._metrics.answered(scope["method"], _route(scope), status, seconds)
            line = {"request_id": request_id, "method": scope["method"], "path": scope["path"], "status": status}
            _LOG.info("request", extra=line | {"milliseconds": round(1000 * seconds, 1)})

    async def _refuse_or_serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        site = Headers(scope=scope).get("sec-fetch-site", "none")
        if scope["method"] not in ("GET", "HEAD") and site in ("cross-site", "same-site"):
            refusal = _problem("forbidden", "pages of other sites may not post here", request_id, HTTPStatus.FORBIDDEN)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _route(scope: Scope) -> str:
    """Name the route that a request took, by the template of its path; what took none is of the web page."""
    return getattr(scope.get("route"), "path", "page")


def _problem(error: str, detail: str, request_id: str, status: int) -> JSONResponse:
    return JSONResponse(Problem(error=error, detail=detail, request_id=request_id).model_dump(), status)
