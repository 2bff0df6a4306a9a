"""What searches over HTTP can be asked: collections, pages, filters, exclusion, regions."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.http.test_routes import API, given, photo_ids, refused, upload

TEXT = f"{API}/search/text"


def ask(client: httpx.Client, **query: Any) -> httpx.Response:
    return client.post(TEXT, json={"text": "painted wall", "collection": "walls", **query})


def test_several_collections_answer_together(client: httpx.Client) -> None:
    answer = given(ask(client, collections=["walls", "a/b"], target="sentences", k=20))
    assert answer["collections"] == ["walls", "a/b"]
    assert sorted({hit["collection"] for hit in answer["hits"]}) == ["a/b", "walls"]
    assert len(answer["hits"]) == 10
    refused(ask(client, collections=["walls", "none"]), 404, "unknown_collection")
    refused(ask(client, collections=["walls"] * 21), 422, "invalid_request")


def test_pages_follow_each_other(client: httpx.Client) -> None:
    whole = given(ask(client))
    first = given(ask(client, k=3))
    last = given(ask(client, k=3, cursor=first["cursor"]))
    assert [*first["hits"], *last["hits"]] == whole["hits"]
    assert whole["cursor"] is last["cursor"] is None
    refused(ask(client, k=3, cursor="x"), 422, "bad_request")
    refused(ask(client, text="wall", k=3, cursor=first["cursor"]), 422, "bad_request")
    refused(ask(client, cursor="x" * 65), 422, "invalid_request")


def test_a_photo_has_pages_too(client: httpx.Client, walls: Path) -> None:
    def page(**form: str) -> Any:
        sent = client.post(f"{API}/search/photo", data={"collection": "walls", **form}, files=upload(walls / "red.png"))
        return given(sent)

    first = page(k="5")
    last = page(k="5", cursor=first["cursor"])
    assert [*first["hits"], *last["hits"]] == page()["hits"]


def test_what_is_excluded_goes_down(client: httpx.Client) -> None:
    plain = {hit["id"]: hit["score"] for hit in given(ask(client))["hits"]}
    less = {hit["id"]: hit["score"] for hit in given(ask(client, text="grey"))["hits"]}
    answer = given(ask(client, exclude={"text": "grey zzgrey", "weight": 0.5}))
    assert {hit["id"]: hit["score"] for hit in answer["hits"]} == pytest.approx(
        {number: plain[number] - 0.5 * less[number] for number in plain}, abs=1e-4
    )
    assert answer["not_understood"] == ["zzgrey"]
    refused(ask(client, exclude={"text": "zzgrey"}), 422, "text_error")
    for wrong in (
        {"text": "grey", "weight": -1},
        {"text": "x" * 5001},
        {"weight": 1},
        {"text": "grey", "wait": 1},
        "a",
    ):
        refused(ask(client, exclude=wrong), 422, "invalid_request")


def test_a_minimum_score(client: httpx.Client) -> None:
    scores = [hit["score"] for hit in given(ask(client))["hits"]]
    few = given(ask(client, min_score=scores[1] - 1e-4))
    assert [hit["score"] for hit in few["hits"]] == [score for score in scores if score >= scores[1] - 1e-4]
    refused(ask(client, min_score="high"), 422, "invalid_request")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"tags": ["none"]},
        {"attributes": {"camera": "X100", "iso": 100}},
        {"ranges": {"iso": {"gte": 100, "lte": 800}}},
        {"taken": {"from": "2024-01-01", "to": "2024-12-31T10:00:00+02:00"}},
        {"taken": {"to": "8999-12-31"}},
        {"tags": ["'; DROP TABLE photos; --"], "attributes": {"'": '" OR 1=1'}},
    ],
)
def test_filters_that_make_sense(client: httpx.Client, walls: Path, wanted: dict[str, Any]) -> None:
    found = given(ask(client, filter=wanted))
    assert len(found["hits"]) == (0 if wanted else 4)  # none of the photos has metadata
    form = {"collection": "walls", "target": "images", "filter": json.dumps(wanted)}
    by_photo = given(client.post(f"{API}/search/photo", data=form, files=upload(walls / "red.png")))
    assert len(by_photo["hits"]) == len(found["hits"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"tag": ["a"]},
        {"tags": "a"},
        {"tags": ["x" * 1001]},
        {"tags": ["x"] * 21},
        {"attributes": {"iso": None}},
        {"attributes": {"iso": [1]}},
        {"ranges": {"iso": {"gt": 1}}},
        {"ranges": {"iso": {"gte": "many"}}},
        {"taken": {"from": "yesterday"}},
        {"taken": {"to": "9999-12-31"}},
        {"taken": {"since": "2024-01-01"}},
    ],
)
def test_filters_that_make_none(client: httpx.Client, walls: Path, wrong: dict[str, Any]) -> None:
    refused(ask(client, filter=wrong), 422, "invalid_request")
    form = {"collection": "walls", "filter": json.dumps(wrong)}
    answer = client.post(f"{API}/search/photo", data=form, files=upload(walls / "red.png"))
    refused(answer, 422, "invalid_request")


class TestRegion:
    def region(self, client: httpx.Client, box: Any, **query: Any) -> httpx.Response:
        asked = {"photo_id": photo_ids(client)["red.png"], "box": box, "collection": "walls", **query}
        return client.post(f"{API}/search/region", json=asked)

    def test_a_box_finds_photos_and_where_they_show_it(self, client: httpx.Client) -> None:
        answer = given(self.region(client, [200, 0, 400, 150]))  # a quarter, and one of the tiny encoder's regions
        best = answer["hits"][0]
        assert (answer["target"], best["name"], best["box"]) == ("images", "red.png", [200.0, 0.0, 400.0, 150.0])
        for hit in answer["hits"]:
            x0, y0, x1, y1 = hit["box"]
            assert 0 <= x0 < x1 <= hit["width"]
            assert 0 <= y0 < y1 <= hit["height"]
        plain = given(self.region(client, [200, 0, 400, 150], explain=False))
        assert [hit["box"] for hit in plain["hits"]] == [None] * 4

    def test_a_box_finds_sentences_whose_words_are_on_it(self, client: httpx.Client) -> None:
        answer = given(self.region(client, [200, 0, 400, 150], target="sentences", k=3))
        assert len(answer["hits"]) == 3
        for hit in answer["hits"]:
            assert hit["words"]
            assert all(word["box"] == [200.0, 0.0, 400.0, 150.0] for word in hit["words"])

    def test_a_box_is_cut_off_at_the_edge_of_the_photo(self, client: httpx.Client) -> None:
        inside, beyond = (given(self.region(client, [200, 0, right, 150])) for right in (400, 10_000))
        assert inside == beyond

    def test_refused(self, client: httpx.Client) -> None:
        refused(self.region(client, [400, 0, 500, 100]), 422, "bad_request")  # beside the photo
        refused(self.region(client, [0, 0, 9, 9], photo_id=2**62), 404, "unknown_photo")
        refused(self.region(client, [0, 0, 9, 9], collection="none"), 404, "unknown_collection")
        for wrong in ([9, 0, 9, 9], [0, 9, 9, 1], [-1, 0, 9, 9], [0, 0, 2**40, 9], [0, 0, 9], "box", [0, 0, "x", 9]):
            refused(self.region(client, wrong), 422, "invalid_request")
