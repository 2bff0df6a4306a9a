"""API keys: who may read, who may change, how often; tried on a server process that asks for them."""

import http.client
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.http.access import COOKIE, RateLimit, needed_scope
from engine.catalogue.keys import ApiKeys, Scope
from tests.api.http.server_process import Server, client_of
from tests.api.http.test_guards import png, raw
from tests.api.http.test_routes import API, given, photo_ids, refused, upload
from tests.api.http.tiny_server import PER_MINUTE

QUERY = {"text": "wall", "collection": "walls"}


def new_key(keys: ApiKeys, scope: Scope) -> tuple[str, str]:
    """Make a key of its own for a test, whose requests count for no other; return its name, too."""
    name = uuid.uuid4().hex
    return keys.create(name, scope), name


def caller(server: Server, key: str) -> httpx.Client:
    client = client_of(server)
    client.headers["Authorization"] = f"Bearer {key}"
    return client


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/", "nothing"),
        ("GET", "/main.js", "nothing"),
        ("GET", f"{API}/health/ready", "nothing"),
        ("GET", f"{API}/openapi.json", "nothing"),
        ("POST", f"{API}/session", "a slow pace"),
        ("GET", "/metrics", "read"),
        ("GET", f"{API}/photos/1/bytes", "read"),
        ("HEAD", f"{API}/collections", "read"),
        ("POST", f"{API}/search/region", "read"),
        ("POST", f"{API}/captions", "read"),
        ("POST", f"{API}/photos/17/alignment", "read"),
        ("POST", f"{API}/photos", "write"),
        ("POST", f"{API}/search", "write"),
        ("DELETE", f"{API}/collections/search/text", "write"),
        ("POST", f"{API}/collections/search/text", "write"),
        ("POST", f"{API}/a-route-that-comes-later", "write"),
        ("OPTIONS", f"{API}/photos", "write"),
        ("PATCH", f"{API}/photos/1", "write"),
    ],
)
def test_what_each_request_needs(method: str, path: str, needed: str) -> None:
    assert needed_scope(method, path) == needed


@pytest.mark.parametrize(
    "path", [f"{API}/collections", f"{API}/photos?collection=walls", f"{API}/photos/1/bytes", "/metrics"]
)
def test_nothing_is_read_without_a_key(locked: Server, path: str) -> None:
    with client_of(locked) as client:
        answer = client.get(path)
        assert "dvsa keys create" in refused(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_and_the_health_are_open(locked: Server) -> None:
    with client_of(locked) as client:
        assert client.get("/").status_code == 200
        given(client.get(f"{API}/health/live"))
        given(client.get(f"{API}/health/ready"))
        given(client.get(f"{API}/openapi.json"))


def test_a_body_is_not_read_before_the_key_is_known(locked: Server) -> None:
    head = f"POST {API}/captions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    form = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"  # none of it is sent
    assert raw(locked, (head + form).encode()).startswith(b"HTTP/1.1 401")


def test_a_key_that_reads_searches_and_changes_nothing(locked: Server, keys: ApiKeys, walls: Path) -> None:
    with caller(locked, new_key(keys, "read")[0]) as client:
        assert len(given(client.post(f"{API}/search/text", json=QUERY))["hits"]) == 4
        form = {"collection": "walls"}
        assert given(client.post(f"{API}/search/photo", data=form, files=upload(walls / "red.png")))["hits"]
        number = photo_ids(client)["red.png"]
        assert client.get(f"{API}/photos/{number}/thumbnail").status_code == 200
        for method, path in [("DELETE", f"photos/{number}"), ("POST", "collections"), ("DELETE", "collections/walls")]:
            assert "scope write" in refused(client.request(method, f"{API}/{path}"), 403, "forbidden")
        assert photo_ids(client)["red.png"] == number


def test_a_key_that_writes_reads_too(locked: Server, keys: ApiKeys) -> None:
    with caller(locked, new_key(keys, "write")[0]) as client:
        given(client.get(f"{API}/collections"))
        assert client.put(f"{API}/nothing").status_code == 405  # let in, and there is nothing to put


@pytest.mark.parametrize("given_key", ["dvsa_wrong", "x" * 5000, "' OR '1'='1", "dvsa_\x80"])
def test_what_is_no_key_is_refused(locked: Server, given_key: str) -> None:
    with client_of(locked) as client:
        header = [(b"Authorization", f"Bearer {given_key}".encode("latin-1"))]
        refused(client.get(f"{API}/collections", headers=header), 401, "unauthorized")
        refused(client.get(f"{API}/collections", headers={"Authorization": "Basic eDp5"}), 401, "unauthorized")


def test_a_revoked_key_is_refused_at_once(locked: Server, keys: ApiKeys) -> None:
    key, name = new_key(keys, "write")
    with caller(locked, key) as client:
        given(client.get(f"{API}/collections"))
        keys.revoke(name)
        refused(client.get(f"{API}/collections"), 401, "unauthorized")


def test_the_last_use_of_a_key_is_noted(locked: Server, keys: ApiKeys) -> None:
    key, name = new_key(keys, "read")
    with caller(locked, key) as client:
        given(client.get(f"{API}/collections"))
    for _ in range(100):
        used = {info.name: info.last_used_at for info in keys.all()}[name]
        if used is not None:
            return
        time.sleep(0.05)
    raise AssertionError("not noted")


def test_a_key_never_comes_into_the_log(locked: Server, keys: ApiKeys) -> None:
    key, _ = new_key(keys, "read")
    with caller(locked, key) as client:
        answer = client.get(f"{API}/photos/{2**62}/bytes")
        assert locked.lines(answer.headers["X-Request-ID"])
    assert not any(key in line for line in locked.log)


class TestSession:
    def test_the_page_keeps_its_key_in_a_cookie_that_scripts_do_not_see(self, locked: Server, keys: ApiKeys) -> None:
        key, name = new_key(keys, "read")
        with client_of(locked) as client:
            assert given(client.get(f"{API}/session")) == {"scope": None}
            answer = client.post(f"{API}/session", json={"key": key})
            assert given(answer) == {"scope": "read"}
            cookie = answer.headers["Set-Cookie"]
            assert all(part in cookie for part in (f"{COOKIE}=", "HttpOnly", "SameSite=strict", "Path=/"))
            number = photo_ids(client)["red.png"]
            assert client.get(f"{API}/photos/{number}/bytes").status_code == 200
            refused(client.delete(f"{API}/photos/{number}"), 403, "forbidden")
            assert given(client.get(f"{API}/session")) == {"scope": "read"}
            keys.revoke(name)
            refused(client.get(f"{API}/collections"), 401, "unauthorized")

    def test_it_ends(self, locked: Server, keys: ApiKeys) -> None:
        with client_of(locked) as client:
            given(client.post(f"{API}/session", json={"key": new_key(keys, "read")[0]}))
            given(client.get(f"{API}/collections"))
            assert client.delete(f"{API}/session").status_code == 204
            refused(client.get(f"{API}/collections"), 401, "unauthorized")

    def test_a_wrong_key_begins_none(self, locked: Server) -> None:
        with client_of(locked) as client:
            answer = client.post(f"{API}/session", json={"key": "dvsa_wrong"})
            refused(answer, 401, "unauthorized")
            assert "Set-Cookie" not in answer.headers
            refused(client.post(f"{API}/session", json={"key": "x" * 101}), 422, "invalid_request")

    def test_pages_of_other_sites_begin_none(self, locked: Server, keys: ApiKeys) -> None:
        with client_of(locked) as client:
            key = new_key(keys, "read")[0]
            header = {"Sec-Fetch-Site": "cross-site"}
            refused(client.post(f"{API}/session", json={"key": key}, headers=header), 403, "forbidden")

    def test_where_no_keys_are_asked_for_everything_may_be_done(self, client: httpx.Client) -> None:
        assert given(client.get(f"{API}/session")) == {"scope": "write"}


def test_a_limit_counts_each_by_himself() -> None:
    limit = RateLimit(3)
    assert [limit.seconds_to_wait("a") > 0 for _ in range(5)] == [False, False, False, True, True]
    assert limit.seconds_to_wait("b") == 0
    assert 1 <= limit.seconds_to_wait("a") <= 60


def test_ten_thousand_tiny_uploads_are_put_off(locked: Server, keys: ApiKeys) -> None:
    key, _ = new_key(keys, "read")
    photo = png(8, 8, b"\0aaaaaaaa" * 8)
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
    body = head + photo + b"\r\n--x--\r\n"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "multipart/form-data; boundary=x"}
    address = urlsplit(locked.url)

    def send(count: int) -> list[int]:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
        codes = []
        for _ in range(count):
            connection.request("POST", f"{API}/captions", body, headers)
            answer = connection.getresponse()
            answer.read()
            codes.append(answer.status)
            if answer.headers["Connection"] == "close":
                connection.close()
        connection.close()
        return codes

    with ThreadPoolExecutor(4) as pool:
        codes = [code for part in pool.map(send, [2500] * 4) for code in part]
    assert len(codes) == 10_000
    assert set(codes) == {200, 429}
    assert codes.count(200) <= 2 * PER_MINUTE  # a minute may end meanwhile
    with caller(locked, key) as client:
        answer = client.get(f"{API}/collections")
        refused(answer, 429, "too_many_requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
    with caller(locked, new_key(keys, "read")[0]) as other:
        given(other.get(f"{API}/collections"))
