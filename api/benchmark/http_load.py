"""Timed requests to a running server; by the standard library alone, as asking must cost little."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from engine.exceptions import BadRequest

LOOPBACK = ("127.0.0.1", "::1", "localhost")
API = "/api/v1"
SECONDS = 60  # that an answer may take
BOUNDARY = "dvsa-benchmark"

Document = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """How fast requests were answered.

    Attributes:
        requests: answered.
        errors: answers that were none of code 200.
        p50_ms, p99_ms: times of an answer, milliseconds.
        per_second: answers, of all clients together.
    """

    requests: int
    errors: int
    p50_ms: float
    p99_ms: float
    per_second: float


class Caller:
    """One client with one connection that is kept open."""

    def __init__(self, server: str, key: str | None) -> None:
        address = urlsplit(server)
        if address.scheme != "http" or address.hostname not in LOOPBACK:
            raise BadRequest(f"only a server of this machine is put under load, as http://127.0.0.1:8000, not {server}")
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=SECONDS)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, bytes]:
        """Return code and content of an answer."""
        headers = {**self._headers, "Content-Type": kind} if body else self._headers
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def document(self, method: str, path: str, content: Document | None = None) -> Document:
        """Return the document of an answer.

        Raises:
            BadRequest: the server refuses; the message is its own.
        """
        status, answer = self.ask(method, API + path, json.dumps(content).encode() if content is not None else b"")
        found: Document = json.loads(answer)
        if status >= http.client.BAD_REQUEST:
            raise BadRequest(f"the server refuses {path}: {found.get('detail', status)}")
        return found

    def search_text(self, collection: str, text: str) -> tuple[int, bytes]:
        """Search for the photos of a text, with explanations, as the web page does."""
        body = json.dumps({"text": text, "collection": collection}).encode()
        return self.ask("POST", f"{API}/search/text", body)

    def search_photo(self, collection: str, photo: bytes) -> tuple[int, bytes]:
        """Search for the sentences of a photo, from its bytes."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="photo"\r\n\r\n'
        part = f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="collection"\r\n\r\n{collection}'
        body = head.encode() + photo + part.encode() + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.ask("POST", f"{API}/search/photo", body, f"multipart/form-data; boundary={BOUNDARY}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def calling(server: str, key: str | None) -> Iterator[Caller]:
    """Open a client for as long as the block lasts."""
    caller = Caller(server, key)
    try:
        yield caller
    finally:
        caller.close()


def load(open_caller: Callable[[], Caller], ask: Callable[[Caller, int], int], clients: int, requests: int) -> Load:
    """Have clients ask at once, each the next question as soon as its last is answered.

    Args:
        open_caller: opens a client.
        ask: asks a numbered question, and returns the code of the answer.
        clients: how many.
        requests: of all clients together.
    """
    numbers = count()

    def one(_: int) -> list[tuple[float, int]]:
        caller, answers = open_caller(), []
        while (number := next(numbers)) < requests:
            began = time.perf_counter()
            code = ask(caller, number)
            answers.append((time.perf_counter() - began, code))
        caller.close()
        return answers

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answers = [answer for each in pool.map(one, range(clients)) for answer in each]
    return summary(answers, time.perf_counter() - began)


def summary(answers: list[tuple[float, int]], whole: float) -> Load:
    """Sum up seconds and codes of answers that took `whole` seconds together."""
    times = np.array([seconds for seconds, _ in answers]) * 1e3
    errors = sum(code != http.client.OK for _, code in answers)
    p50, p99 = (round(float(np.quantile(times, part)), 1) for part in (0.5, 0.99))
    return Load(len(answers), errors, p50, p99, round(len(answers) / whole, 1))
