"""A client of the HTTP service, for programs and for the commands' `--server`; needs httpx, and nothing of the model.

>>> from api.client import Client
>>> with Client("http://127.0.0.1:8000", key="dvsa_...") as client:  # doctest: +SKIP
...     for hit in client.search_text("two dogs play in the snow", collection="holidays")["hits"]:
...         print(hit["name"], hit["score"])
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from model.exceptions import DvsaError

API = "/api/v1"
SECONDS = 60.0  # a photo with many regions on a busy server takes some

Document = dict[str, Any]


class ServerError(DvsaError):
    """The server cannot be reached, or refuses.

    Attributes:
        status: of HTTP; 0 where the server was not reached.
        error: the service's name of the error.
    """

    def __init__(self, message: str, status: int = 0, error: str = "unreachable") -> None:
        super().__init__(message)
        self.status, self.error = status, error


class Client:
    """Calls the service; a context manager. Each method returns the service's JSON document.

    Args:
        server: its address, as http://127.0.0.1:8000.
        key: an API key, where the service wants one.
        timeout: seconds that an answer may take.
    """

    def __init__(self, server: str, key: str | None = None, timeout: float = SECONDS) -> None:
        self._server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(base_url=self._server + API, headers=headers, timeout=timeout)
        except (httpx.InvalidURL, ValueError) as error:
            raise ServerError(f"{server} is no address of a server: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def collections(self) -> list[Document]:
        """List the collections."""
        found: list[Document] = self._ask("GET", "/collections")["collections"]
        return found

    def search_text(self, text: str, **options: Any) -> Document:
        """Search by text; the options are the fields of `TextQuery` in the OpenAPI document, as collection and k."""
        return self._ask("POST", "/search/text", json={"text": text, **options})

    def search_photo(self, photo: Path | bytes, **options: Any) -> Document:
        """Search by a photo; the options are the fields of `PhotoForm`."""
        return self._ask("POST", "/search/photo", data=_form(options), files=_file(photo))

    def search_region(self, photo_id: int, box: tuple[float, float, float, float], **options: Any) -> Document:
        """Search by a box on a photo of a collection; the options are the fields of `RegionQuery`."""
        return self._ask("POST", "/search/region", json={"photo_id": photo_id, "box": box, **options})

    def caption(self, photo: Path | bytes, regions: bool = False) -> Document:
        """Say what a photo shows, and what its regions show."""
        return self._ask("POST", "/captions", data=_form({"regions": regions}), files=_file(photo))

    def align(self, photo: Path | bytes, sentence: str, beta: float = 0.0) -> Document:
        """Lay a sentence over a photo."""
        return self._ask("POST", "/alignment", data=_form({"sentence": sentence, "beta": beta}), files=_file(photo))

    def photo(self, photo_id: int) -> bytes:
        """Return the file of a photo of a collection."""
        return self._send("GET", f"/photos/{photo_id}/bytes").content

    def _ask(self, method: str, path: str, **content: Any) -> Document:
        try:
            document: Document = self._send(method, path, **content).json()
        except ValueError as error:
            raise ServerError(f"{self._server} is no server of dvsa: it answers with something else") from error
        return document

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **content)
        except httpx.HTTPError as error:
            raise ServerError(f"the server {self._server} cannot be reached: {error}") from error
        if answer.is_success:
            return answer
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> ServerError:
    try:
        problem = answer.json()
        return ServerError(problem["detail"], answer.status_code, problem["error"])
    except (ValueError, KeyError, TypeError):
        return ServerError(f"the server answered with code {answer.status_code}", answer.status_code, "unknown")


def _form(options: Mapping[str, Any]) -> Document:
    """Write options as the fields of a form: documents as JSON texts, what is left out not at all."""
    written = {name: json.dumps(value) if isinstance(value, dict | bool) else value for name, value in options.items()}
    return {name: value for name, value in written.items() if value is not None}


def _file(photo: Path | bytes) -> dict[str, tuple[str, bytes]]:
    return {"photo": ("photo", photo if isinstance(photo, bytes) else photo.read_bytes())}
