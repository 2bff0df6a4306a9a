"""SQL, header lines and markup in every text that a request can carry: they stay texts."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.http.server_process import Server
from tests.api.http.test_guards import raw
from tests.api.http.test_routes import API, given, photo_ids, upload

SQL = (
    "'; DROP TABLE photos; --",
    "' OR '1'='1",
    '" OR 1=1 --',
    "1); DELETE FROM collections; --",
    "x' UNION SELECT digest FROM api_keys --",
    "%' ESCAPE '",
)
HEADER = "walls\r\nSet-Cookie: dvsa_key=stolen"


def text_search(**fields: Any) -> dict[str, Any]:
    return {"text": "wall", "collection": "walls", **fields}


def queries(text: str) -> dict[str, dict[str, Any]]:
    """A search by text for each field that takes a text."""
    return {
        "text": text_search(text=text),
        "collection": text_search(collection=text),
        "collections": text_search(collections=["walls", text]),
        "target": text_search(target=text),
        "effort": text_search(effort=text),
        "cursor": text_search(cursor=text),
        "tag": text_search(filter={"tags": [text]}),
        "attribute's name": text_search(filter={"attributes": {text: "a"}}),
        "attribute's value": text_search(filter={"attributes": {"a": text}}),
        "range's name": text_search(filter={"ranges": {text: {"gte": 1}}}),
        "date": text_search(filter={"taken": {"from": text}}),
        "excluded": text_search(exclude={"text": text}),
    }


@pytest.fixture(autouse=True)
def whole(client: httpx.Client) -> Any:
    """Whatever was sent, the collections are as they were."""
    before = client.get(f"{API}/collections").json(), photo_ids(client)
    yield
    assert (client.get(f"{API}/collections").json(), photo_ids(client)) == before


@pytest.mark.parametrize("field", queries(""))
@pytest.mark.parametrize("text", [*SQL, HEADER, "<script>alert(1)</script>", "\x00", "../../etc/passwd"])
def test_fields_of_a_search(client: httpx.Client, field: str, text: str) -> None:
    answer = client.post(f"{API}/search/text", json=queries(text)[field])
    assert answer.status_code in (200, 404, 422), answer.text
    assert "Set-Cookie" not in answer.headers
    assert not any(said in answer.text for said in ("sqlite", "sqlalchemy", "SELECT digest FROM api_keys WHERE"))
    if field == "tag":
        assert given(answer)["hits"] == []


@pytest.mark.parametrize("text", [*SQL, HEADER])
def test_fields_of_forms(client: httpx.Client, walls: Path, text: str) -> None:
    photo = upload(walls / "red.png")
    for form in ({"collection": text}, {"collection": "walls", "filter": json.dumps({"tags": [text]})}):
        answer = client.post(f"{API}/search/photo", data=form, files=photo)
        assert answer.status_code in (200, 404), answer.text
    assert client.post(f"{API}/alignment", data={"sentence": text}, files=photo).status_code in (200, 422)
    named = {"photo": (text, (walls / "red.png").read_bytes(), "text/html\r\nX: y")}
    assert given(client.post(f"{API}/captions", files=named))["caption"]


@pytest.mark.parametrize("text", [*SQL, HEADER])
def test_parts_of_addresses(client: httpx.Client, text: str) -> None:
    assert client.get(f"{API}/photos", params={"collection": text}).status_code == 404
    assert client.get(f"{API}/photos", params={"collection": "walls", "after": text}).status_code == 422
    assert client.get(f"{API}/collections/{quote(text, safe='')}").status_code == 404
    answer = client.get(f"{API}/photos/1/thumbnail", params={"size": text})
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("name", ["If-None-Match", "X-Request-ID", "Authorization", "Cookie", "Accept", "Range"])
def test_headers_of_a_request(server: Server, client: httpx.Client, name: str) -> None:
    for text in SQL:
        answer = client.get(f"{API}/photos/1/bytes", headers={name: text})
        assert answer.status_code == 200
        assert text not in str(answer.headers)
    lines = f"GET {API}/collections HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{name}: a\r\n\tb\x00c\r\n\r\n"
    assert raw(server, lines.encode()).startswith((b"HTTP/1.1 400", b"HTTP/1.1 200"))


@pytest.mark.parametrize("second", ["Content-Length: 6", "Transfer-Encoding: chunked"])
def test_two_lengths_are_no_request(server: Server, second: str) -> None:
    lines = [
        f"POST {API}/search/text HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        "Content-Type: application/json",
        "Content-Length: 5",
        second,
        "",
        "0\r\n\r\n",
    ]
    answer = raw(server, "\r\n".join(lines).encode())
    assert answer.startswith(b"HTTP/1.1 4"), answer
