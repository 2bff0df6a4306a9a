"""What uploads and paths of the server must withstand, tried on a server process with its worker."""

import secrets
import time
from pathlib import Path

import httpx
import pytest

from tests.api.http.jobs import API, done, names, new_collection, photo, upload
from tests.api.http.test_guards import png
from tests.api.http.test_routes import given, refused
from tests.api.http.tiny_server import MAX_FILES, MAX_TOTAL, MAX_UPLOAD


@pytest.fixture(scope="module")
def collection(worker_client: httpx.Client) -> str:
    return new_collection(worker_client)


def send(client: httpx.Client, collection: str, *contents: bytes) -> httpx.Response:
    parts = [("photos", ("photo.png", content)) for content in contents]
    return client.post(f"{API}/photos", data={"collection": collection}, files=parts)


def padded(size: int) -> bytes:
    """Return a photo of so many bytes."""
    return photo(1) + secrets.token_bytes(size - len(photo(1)))


def test_an_upload_is_bounded_in_files_and_bytes(worker_client: httpx.Client, collection: str) -> None:
    refused(send(worker_client, collection, *[photo(n) for n in range(MAX_FILES + 1)]), 400, "bad_request")
    large = send(worker_client, collection, *[padded(MAX_UPLOAD - 1)] * 6)
    assert (large.status_code, 6 * MAX_UPLOAD > MAX_TOTAL) == (413, True)


def test_a_photo_among_others_is_bounded_in_bytes_and_pixels(worker_client: httpx.Client, collection: str) -> None:
    bomb = png(30_000, 30_000, bytes(30_001 * 3000))
    began = time.monotonic()
    files = {"bomb.png": bomb, "large.png": padded(MAX_UPLOAD + 1), "good.png": photo(5)}
    report = done(worker_client, upload(worker_client, collection, files))
    assert time.monotonic() - began < 60
    reasons = {item["name"]: item["reason"] for item in report["skipped_items"]}
    assert "the cap of 500,000" in reasons["bomb.png"]
    assert reasons["large.png"] == f"is larger than {MAX_UPLOAD:,} bytes"
    assert report["added"] == 1


@pytest.mark.parametrize("content", [b"", b"GIF89a<script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"])
def test_what_is_no_photo_is_refused_and_not_kept(
    worker_client: httpx.Client, worker_home: Path, collection: str, content: bytes
) -> None:
    before = set(worker_home.glob("uploads/*/incoming/*"))
    refused(send(worker_client, collection, content), 422, "photo_error")
    assert set(worker_home.glob("uploads/*/incoming/*")) <= before


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd.png", "..\\..\\boot.png", "/etc/passwd", "a\nb\tc.png", "ü" * 999]
)
def test_names_are_only_shown(worker_client: httpx.Client, worker_home: Path, name: str) -> None:
    collection = new_collection(worker_client)
    files = {"photos": (name, photo(7))}
    answer = worker_client.post(f"{API}/photos", data={"collection": collection}, files=files)
    assert answer.status_code == 202, answer.text
    done(worker_client, answer.json()["id"])
    (shown,) = names(worker_client, collection)
    assert shown.isprintable()
    assert len(shown) <= 200
    assert not set(shown) & set("/\\")
    kept = [path.relative_to(worker_home).parts for path in worker_home.glob("uploads/*/photos/*/*")]
    assert all(len(parts) == 5 and len(Path(parts[-1]).stem) == 64 for parts in kept)


def test_a_photo_that_is_also_a_page_comes_back_as_a_photo(worker_client: httpx.Client) -> None:
    collection = new_collection(worker_client)
    polyglot = photo(8) + b"<script>alert(1)</script>"
    done(worker_client, upload(worker_client, collection, {"page.html": polyglot}))
    (number,) = names(worker_client, collection).values()
    answer = worker_client.get(f"{API}/photos/{number}/bytes")
    assert (answer.content, answer.headers["Content-Type"]) == (polyglot, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/etc", "/etc/passwd", "/", "{walls}/..", "{walls}/../../etc", "relative", "~", "a\0b", ""]
)
def test_paths_outside_of_what_is_allowed_are_refused_whether_or_not_they_are_there(
    worker_client: httpx.Client, collection: str, walls: Path, path: str
) -> None:
    body = {"collection": collection, "path": path.format(walls=walls)}
    answer = worker_client.post(f"{API}/jobs", json=body)
    if "\0" in path:
        refused(answer, 422, "invalid_request")
    else:
        refused(answer, 403, "path_not_allowed")
    there, missing = ({**body, "path": f"/etc/{name}"} for name in ("hostname", secrets.token_hex(8)))
    said = [
        worker_client.post(f"{API}/jobs", json=asked).json()["detail"].partition(" ")[2] for asked in (there, missing)
    ]
    assert said[0] == said[1]


def test_a_path_that_is_allowed_and_missing_is_told(worker_client: httpx.Client, collection: str, walls: Path) -> None:
    body = {"collection": collection, "path": str(walls / "none")}
    assert "does not exist" in refused(worker_client.post(f"{API}/jobs", json=body), 422, "bad_request")
    given(worker_client.get(f"{API}/health/ready"))
