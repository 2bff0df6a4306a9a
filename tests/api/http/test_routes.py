"""Every route: one answer and one refusal at least, from a server process over the tiny encoder."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

API = "/api/v1"


def refused(answer: httpx.Response, status: int, error: str) -> str:
    """Check that an answer is a stated error, and return its sentence."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert set(document) == {"error", "detail", "request_id"}
    assert document["error"] == error
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert "Traceback" not in answer.text
    return str(document["detail"])


def given(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def photo_ids(client: httpx.Client) -> dict[str, int]:
    page = given(client.get(f"{API}/photos", params={"collection": "walls"}))
    return {photo["name"]: photo["id"] for photo in page["photos"]}


def upload(path: Path) -> dict[str, Any]:
    return {"photo": (path.name, path.read_bytes())}


class TestHealth:
    def test_live_and_ready(self, client: httpx.Client) -> None:
        assert given(client.get(f"{API}/health/live")) == {"status": "alive"}
        assert given(client.get(f"{API}/health/ready")) == {"status": "ready", "model": "0" * 64}

    def test_a_route_that_is_none(self, client: httpx.Client) -> None:
        refused(client.get(f"{API}/health/dead"), 404, "not_found")
        refused(client.post(f"{API}/health/live"), 405, "method_not_allowed")


class TestCollections:
    def test_list_and_one(self, client: httpx.Client) -> None:
        walls = {"name": "walls", "photos": 4, "sentences": 8}
        assert given(client.get(f"{API}/collections"))["collections"][1] == walls
        assert given(client.get(f"{API}/collections/walls")) == walls
        assert given(client.get(f"{API}/collections/a/b"))["name"] == "a/b"

    def test_unknown(self, client: httpx.Client) -> None:
        said = refused(client.get(f"{API}/collections/wall"), 404, "unknown_collection")
        assert "walls" in said


class TestPhotos:
    def test_pages_hold_each_photo_once(self, client: httpx.Client) -> None:
        names, after = [], 0
        for _ in range(3):
            page = given(client.get(f"{API}/photos", params={"collection": "walls", "count": 2, "after": after}))
            names += [photo["name"] for photo in page["photos"]]
            if page["after"] is None:
                break
            after = page["after"]
        assert sorted(names) == ["blue.png", "green.png", "grey.png", "red.png"]
        assert given(client.get(f"{API}/photos", params={"collection": "a/b"})) == {"photos": [], "after": None}

    def test_pages_refused(self, client: httpx.Client) -> None:
        refused(client.get(f"{API}/photos", params={"collection": "none"}), 404, "unknown_collection")
        refused(client.get(f"{API}/photos"), 422, "invalid_request")
        for wrong in ({"count": 0}, {"count": 201}, {"after": -1}, {"after": 2**63}, {"after": "x"}):
            refused(client.get(f"{API}/photos", params={"collection": "walls", **wrong}), 422, "invalid_request")

    def test_metadata_says_nothing_of_the_folder(self, client: httpx.Client) -> None:
        number = photo_ids(client)["green.png"]
        answer = client.get(f"{API}/photos/{number}")
        photo = given(answer)
        assert (photo["name"], photo["width"], photo["height"]) == ("green.png", 420, 300)
        assert len(photo["caption"].split()) == 3
        assert "secret" not in answer.text

    @pytest.mark.parametrize("part", ["", "/bytes", "/thumbnail", "/captions"])
    def test_unknown_photos(self, client: httpx.Client, part: str) -> None:
        refused(client.get(f"{API}/photos/{2**63 - 1}{part}"), 404, "unknown_photo")
        for wrong in ("0", "-1", str(2**63), "x", "1.5"):
            refused(client.get(f"{API}/photos/{wrong}{part}"), 422, "invalid_request")

    def test_bytes_are_the_files_and_are_not_sent_twice(self, client: httpx.Client, walls: Path) -> None:
        number = photo_ids(client)["green.png"]
        answer = client.get(f"{API}/photos/{number}/bytes")
        assert answer.content == (walls / "green.png").read_bytes()
        assert answer.headers["Content-Type"] == "image/png"
        again = client.get(f"{API}/photos/{number}/bytes", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    def test_thumbnail_is_small(self, client: httpx.Client) -> None:
        number = photo_ids(client)["green.png"]
        answer = client.get(f"{API}/photos/{number}/thumbnail", params={"size": 84})
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.size) == ("JPEG", (84, 60))
        again = client.get(
            f"{API}/photos/{number}/thumbnail", params={"size": 84}, headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status_code == 304
        refused(client.get(f"{API}/photos/{number}/thumbnail", params={"size": 9000}), 422, "invalid_request")


class TestSearch:
    def test_text_finds_photos_and_explains(self, client: httpx.Client) -> None:
        query = {"text": "painted zzwall wall", "collection": "walls", "k": 3}
        answer = given(client.post(f"{API}/search/text", json=query))
        assert (answer["target"], answer["not_understood"]) == ("images", ["zzwall"])
        assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
        scores = [hit["score"] for hit in answer["hits"]]
        assert scores == sorted(scores, reverse=True)
        for hit in answer["hits"]:
            assert [query["text"][word["start"] : word["end"]] for word in hit["words"]] == ["painted", "wall"]  # type: ignore[index]
            for x0, y0, x1, y1 in (word["box"] for word in hit["words"]):
                assert 0 <= x0 < x1 <= hit["width"]
                assert 0 <= y0 < y1 <= hit["height"]
        plain = given(client.post(f"{API}/search/text", json={**query, "explain": False}))
        assert [hit["words"] for hit in plain["hits"]] == [[], [], []]

    def test_text_finds_sentences(self, client: httpx.Client) -> None:
        query = {"text": "Someone painted this wall blue again.", "collection": "walls", "target": "sentences"}
        answer = client.post(f"{API}/search/text", json=query)
        best = given(answer)["hits"][0]
        assert (best["text"], best["document"]) == (query["text"], "blue.txt")
        assert "secret" not in answer.text

    @pytest.mark.parametrize(
        "wrong",
        [
            {"k": 0},
            {"k": 201},
            {"k": "many"},
            {"target": "films"},
            {"text": "x" * 5001},
            {"text": None},
            {"text": "\ud800"},  # half a character
        ],
    )
    def test_wrong_queries(self, client: httpx.Client, wrong: dict[str, Any]) -> None:
        content = json.dumps({"text": "wall", "collection": "walls", **wrong})
        answer = client.post(f"{API}/search/text", content=content, headers={"Content-Type": "application/json"})
        refused(answer, 422, "invalid_request")

    def test_queries_that_find_nothing_say_why(self, client: httpx.Client) -> None:
        def ask(text: str, collection: str) -> httpx.Response:
            return client.post(f"{API}/search/text", json={"text": text, "collection": collection})

        refused(ask("wall", "none"), 404, "unknown_collection")
        refused(ask("zzqq", "walls"), 422, "text_error")
        refused(ask("", "walls"), 422, "text_error")
        refused(ask("wall", "a/b"), 409, "empty_collection")
        refused(ask("wall", "x'; DROP TABLE photos; --"), 404, "unknown_collection")
        refused(client.post(f"{API}/search/text", content=b"{"), 422, "invalid_request")

    def test_a_photo_finds_sentences_and_itself(self, client: httpx.Client, walls: Path) -> None:
        form = {"collection": "walls", "k": "2"}
        said = given(client.post(f"{API}/search/photo", data=form, files=upload(walls / "blue.png")))
        assert len(said["hits"]) == 2
        assert len(said["caption"].split()) == 3
        for hit in said["hits"]:
            assert [hit["text"][word["start"] : word["end"]].lower() for word in hit["words"]] == [
                word["word"] for word in hit["words"]
            ]
        form["target"] = "images"
        found = given(client.post(f"{API}/search/photo", data=form, files=upload(walls / "blue.png")))
        assert found["hits"][0]["name"] == "blue.png"

    def test_wrong_photo_searches(self, client: httpx.Client, walls: Path) -> None:
        def ask(form: dict[str, str]) -> httpx.Response:
            return client.post(f"{API}/search/photo", data=form, files=upload(walls / "blue.png"))

        refused(ask({"collection": "walls", "k": "0"}), 422, "invalid_request")
        refused(ask({"collection": "none"}), 404, "unknown_collection")
        refused(client.post(f"{API}/search/photo", data={"collection": "walls"}), 422, "invalid_request")


class TestCaptions:
    def test_of_an_upload_and_of_the_stored_photo_are_the_same(self, client: httpx.Client, walls: Path) -> None:
        asked = client.post(f"{API}/captions", data={"regions": "true"}, files=upload(walls / "grey.png"))
        document = given(asked)
        assert (document["width"], document["height"]) == (460, 300)
        assert [region["caption"] for region in document["regions"]] == [f"a part{number}" for number in range(4)]
        stored = client.get(f"{API}/photos/{photo_ids(client)['grey.png']}/captions", params={"regions": True})
        assert given(stored) == document
        assert given(client.get(f"{API}/photos/{photo_ids(client)['grey.png']}/captions"))["regions"] == []

    def test_of_a_photo_without_regions(self, client: httpx.Client) -> None:
        refused(client.post(f"{API}/captions"), 422, "invalid_request")


class TestAlignment:
    def test_of_an_upload_and_of_the_stored_photo_are_the_same(self, client: httpx.Client, walls: Path) -> None:
        asked = client.post(f"{API}/alignment", data={"sentence": "grey zz wall"}, files=upload(walls / "grey.png"))
        document = given(asked)
        assert [word["word"] for word in document["words"]] == ["grey", "wall"]
        assert document["not_understood"] == ["zz"]
        number = photo_ids(client)["grey.png"]
        assert given(client.post(f"{API}/photos/{number}/alignment", json={"sentence": "grey zz wall"})) == document

    def test_refused(self, client: httpx.Client, walls: Path) -> None:
        number = photo_ids(client)["grey.png"]
        for wrong in ({"beta": -1}, {"beta": "inf"}, {"sentence": "x" * 5001}):
            asked = {"sentence": "wall", **wrong}
            refused(client.post(f"{API}/photos/{number}/alignment", json=asked), 422, "invalid_request")
            refused(
                client.post(f"{API}/alignment", data=asked, files=upload(walls / "grey.png")), 422, "invalid_request"
            )
        refused(client.post(f"{API}/photos/{number}/alignment", json={"sentence": "zz"}), 422, "text_error")
        refused(client.post(f"{API}/photos/99999/alignment", json={"sentence": "wall"}), 404, "unknown_photo")


def test_suggestions_come_from_the_collection_and_from_the_model(client: httpx.Client) -> None:
    asked = {"collection": "walls", "prefix": "A re", "count": "3"}
    assert client.get("/api/v1/suggestions", params=asked).json() == {"suggestions": ["A red", "A red wall."]}
    assert client.get("/api/v1/suggestions", params=asked | {"collection": "nothing"}).status_code == 404
    assert client.get("/api/v1/suggestions", params=asked | {"prefix": "a" * 201}).status_code == 422
