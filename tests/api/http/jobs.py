"""What the tests of jobs share: small photos, uploads, and waiting for a job by its events."""

import io
import json
import secrets
from typing import Any

import httpx
from PIL import Image

from tests.api.http.working_server import SLOW_WIDTH

API = "/api/v1"


def photo(seed: int, width: int = 20) -> bytes:
    """Return a PNG that differs from those of other seeds."""
    image = Image.new("RGB", (width, 16), (seed % 256, seed // 256, 99))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def slow_photo(seed: int) -> bytes:
    """Return a photo that the worker of the tests takes its time with."""
    return photo(seed, SLOW_WIDTH)


def new_collection(client: httpx.Client) -> str:
    """Make a collection of its own name."""
    name = f"test {secrets.token_hex(4)}"
    assert client.post(f"{API}/collections", json={"name": name}).status_code == 201
    return name


def accepted(answer: httpx.Response) -> int:
    """Check that a job was queued, and return its id."""
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def upload(client: httpx.Client, collection: str, files: dict[str, bytes], **form: str) -> int:
    """Upload photos; returns the job's id."""
    parts = [("photos", (name, content)) for name, content in files.items()]
    return accepted(client.post(f"{API}/photos", data={"collection": collection, **form}, files=parts))


def events(client: httpx.Client, job: int) -> list[tuple[str, dict[str, Any]]]:
    """Watch a job until its end; returns the events, each with the job as it was."""
    found = []
    with client.stream("GET", f"{API}/jobs/{job}/events", timeout=120) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        kind = ""
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                found.append((kind, json.loads(value)))
    return found


def done(client: httpx.Client, job: int) -> dict[str, Any]:
    """Wait until a job is done, and return its report."""
    last = ended(client, job)
    assert last["state"] == "done", last
    report = last["report"]
    assert isinstance(report, dict)
    return report


def ended(client: httpx.Client, job: int) -> dict[str, Any]:
    """Wait until a job has ended, and return it."""
    kind, last = events(client, job)[-1]
    assert kind == "end"
    return last


def names(client: httpx.Client, collection: str) -> dict[str, int]:
    """Return the photos of a collection, ids by name."""
    found: dict[str, int] = {}
    after = 0
    while after is not None:
        page = client.get(f"{API}/photos", params={"collection": collection, "after": after, "count": 200}).json()
        found |= {item["name"]: item["id"] for item in page["photos"]}
        after = page["after"]
    return found


def found_by_text(client: httpx.Client, collection: str, text: str = "wall") -> int:
    """Search, and return the number of photos that are found."""
    query = {"text": text, "collection": collection, "k": 200, "explain": False}
    answer = client.post(f"{API}/search/text", json=query)
    assert answer.status_code == 200, answer.text
    return len(answer.json()["hits"])
