"""What the service must withstand, tried on a server process."""

import contextlib
import itertools
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.http.server_process import Server, client_of
from tests.api.http.test_routes import API, given, photo_ids, refused, upload
from tests.api.http.tiny_server import MAX_UPLOAD, SLOW


def png(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG of one grey channel that says it has that size, with compressed rows."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def captions_of(client: httpx.Client, content: bytes, name: str = "photo.jpg") -> httpx.Response:
    return client.post(f"{API}/captions", files={"photo": (name, content)})


def raw(server: Server, request: bytes) -> bytes:
    """Send bytes as they are and return all that comes back."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    "path",
    [
        "/../../pyproject.toml",
        "/%2e%2e/%2e%2e/pyproject.toml",
        "/..%2f..%2fpyproject.toml",
        "/....//pyproject.toml",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/app.py%00.html",
        "/api/v1/photos/../../../../etc/passwd",
        "/api/v1/photos/..%2f..%2fetc%2fpasswd/bytes",
    ],
)
def test_no_path_leads_out(server: Server, path: str) -> None:
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    status = int(answer.split()[1])
    assert status in (400, 404, 405, 422), answer
    assert b"root:" not in answer
    assert b"[project]" not in answer


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::1", "10.0.0.1"]
)
def test_only_names_of_this_machine_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 400
    assert client.get(f"{API}/collections", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"])
def test_names_of_this_machine_are_answered(client: httpx.Client, host: str) -> None:
    given(client.get(f"{API}/health/live", headers={"Host": host}))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_other_sites_post_nothing(client: httpx.Client, walls: Path, site: str) -> None:
    asked = {"sentence": "grey wall"}
    url, photo, header = f"{API}/alignment", upload(walls / "grey.png"), {"Sec-Fetch-Site": site}
    refused(client.post(url, data=asked, files=photo, headers=header), 403, "forbidden")
    given(client.post(url, data=asked, files=photo, headers={"Sec-Fetch-Site": "same-origin"}))
    assert client.get("/", headers=header).status_code == 200  # a link to the page


@pytest.mark.parametrize("path", ["/", "/nothing", f"{API}/collections", f"{API}/collections/none"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert len(headers["X-Request-ID"]) == 32


def test_an_upload_that_is_too_large_is_refused(client: httpx.Client) -> None:
    answer = captions_of(client, b"\xff\xd8\xff" + bytes(MAX_UPLOAD))
    assert "more bytes" in refused(answer, 413, "content_too_large")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n\r\n'
    parts = itertools.chain([head], (b"x" * 10_000 for _ in range(100)))  # sent in chunks, without a length
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post(f"{API}/captions", content=parts, headers=form).status_code == 413


def test_a_length_is_believed_before_a_byte_is_read(server: Server) -> None:
    head = f"POST {API}/captions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    form = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99999999999\r\n\r\n"
    assert raw(server, (head + form).encode()).startswith(b"HTTP/1.1 413")


def test_a_decompression_bomb_is_not_decoded(client: httpx.Client) -> None:
    bomb = png(30_000, 30_000, bytes(30_001 * 3000))
    assert len(bomb) < MAX_UPLOAD
    began = time.perf_counter()
    assert "the cap of 500,000" in refused(captions_of(client, bomb), 422, "photo_error")
    assert time.perf_counter() - began < 2
    refused(captions_of(client, png(2**31 - 1, 2**31 - 1, b"")), 422, "photo_error")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a<script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"BM" + bytes(60),
    ],
)
def test_what_is_no_photo_is_refused_whatever_its_name(client: httpx.Client, content: bytes) -> None:
    refused(captions_of(client, content, "photo.png"), 422, "photo_error")


def test_a_photo_that_is_also_a_page_is_only_a_photo(client: httpx.Client, walls: Path) -> None:
    photo = (walls / "grey.png").read_bytes()
    polyglot = photo + b"<script>alert(1)</script>"
    assert given(captions_of(client, polyglot, "../../page.html")) == given(captions_of(client, photo))


def test_a_file_that_changed_since_it_was_indexed_is_not_served(client: httpx.Client, walls: Path) -> None:
    photo = walls / "red.png"
    number, before = photo_ids(client)["red.png"], photo.read_bytes()
    try:
        photo.unlink()
        refused(client.get(f"{API}/photos/{number}/bytes"), 410, "photo_gone")
        photo.symlink_to("/etc/passwd")
        for part in ("bytes", "thumbnail", "captions"):
            said = refused(client.get(f"{API}/photos/{number}/{part}"), 410, "photo_gone")
            assert str(walls) not in said
    finally:
        photo.unlink()
        photo.write_bytes(before)
    assert client.get(f"{API}/photos/{number}/bytes").content == before


@pytest.mark.parametrize("name", ["%00", "%ed%a0%80", "%0d%0aX-Bad:%201", "'%20OR%201=1--", "a" * 5000])
def test_odd_names_of_collections_are_unknown(client: httpx.Client, name: str) -> None:
    answer = client.get(f"{API}/collections/{name}")
    assert answer.status_code == 404
    assert "X-Bad" not in answer.headers


def test_the_inside_stays_inside_and_the_log_has_it(client: httpx.Client, server: Server) -> None:
    answer = client.post(f"{API}/search/text", json={"text": "it breaks", "collection": "walls"})
    refused(answer, 500, "internal")
    assert "Gretel" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    lines = server.lines(answer.headers["X-Request-ID"])
    assert any("Gretel" in line.get("traceback", "") for line in lines)
    assert [line["status"] for line in lines if line["message"] == "request"] == [500]
    given(client.get(f"{API}/health/ready"))


def test_a_full_queue_says_when_to_come_again(server: Server) -> None:
    def ask(_: int) -> httpx.Response:
        with client_of(server) as client:
            return client.post(f"{API}/search/text", json={"text": "wall slowly", "collection": "walls"})

    with ThreadPoolExecutor(6) as pool, client_of(server) as client:
        asked = pool.map(ask, range(6))
        time.sleep(SLOW / 4)
        began = time.perf_counter()
        given(client.get(f"{API}/health/live"))  # nobody waits for the model who does not need it
        assert len(given(client.get(f"{API}/photos", params={"collection": "walls"}))["photos"]) == 4
        assert time.perf_counter() - began < SLOW
        answers = list(asked)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429, 429]
    for answer in answers:
        if answer.status_code == 429:
            refused(answer, 429, "overloaded")
            assert int(answer.headers["Retry-After"]) >= 1


def test_two_hundred_small_uploads_at_once_are_answered_or_put_off(server: Server) -> None:
    def ask(number: int) -> int:
        with client_of(server) as client:
            return captions_of(client, png(8, 8, (b"\0" + bytes([number]) * 8) * 8)).status_code

    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(ask, range(200)))
    assert set(codes) <= {200, 429}
    assert 200 in codes


def test_a_slow_client_keeps_nobody_waiting(server: Server, client: httpx.Client) -> None:
    address = urlsplit(server.url)
    head = f"POST {API}/captions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
    with contextlib.ExitStack() as slow:
        for _ in range(50):
            connection = slow.enter_context(socket.create_connection((address.hostname, address.port), timeout=5))
            connection.sendall((head + "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x").encode())
        began = time.perf_counter()
        given(client.post(f"{API}/search/text", json={"text": "wall", "collection": "walls"}))
        assert time.perf_counter() - began < SLOW


def test_a_client_that_goes_away_leaves_the_server_whole(server: Server, client: httpx.Client) -> None:
    address = urlsplit(server.url)
    head = f"POST {API}/captions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            connection.sendall((head + "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n").encode())
    given(client.get(f"{API}/health/ready"))
