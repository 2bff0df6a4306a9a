"""Bodies that are too large: the framework refuses them in a line of text, which becomes a document as any error."""

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import answer

TOO_LARGE = 413
DETAIL = "the request has more bytes than the server takes"


class TooLarge:
    """The layer around what bounds bodies.

    Args:
        app: the layers within.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        replaced = False

        async def send_documents(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == TOO_LARGE:
                replaced = Headers(raw=message["headers"]).get("content-type") != "application/json"
                if replaced:
                    await answer(Request(scope), TOO_LARGE, "content_too_large", DETAIL)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, send_documents if scope["type"] == "http" else send)
