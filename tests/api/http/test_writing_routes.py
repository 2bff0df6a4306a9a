"""Every route that changes something: one success and one refusal at least, from a server process with its worker."""

import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.http.jobs import API, accepted, done, ended, events, names, new_collection, photo, upload
from tests.api.http.test_routes import given, refused


@pytest.fixture(scope="module")
def described(worker_client: httpx.Client) -> str:
    """A collection of two uploaded photos, and a document of two sentences about the first."""
    collection = new_collection(worker_client)
    done(worker_client, upload(worker_client, collection, {"one.png": photo(1), "two.png": photo(2)}))
    first = names(worker_client, collection)["one.png"]
    sentences = [{"text": "A wall of one colour.", "photo_id": first}, {"text": "Nothing but paint."}]
    body = {"collection": collection, "name": "walls", "sentences": sentences}
    done(worker_client, accepted(worker_client.post(f"{API}/documents", json=body)))
    return collection


class TestCollections:
    def test_made_and_deleted_with_all_that_it_holds(self, worker_client: httpx.Client, worker_home: Path) -> None:
        before = {path for part in ("collections", "uploads") for path in (worker_home / part).glob("*/*")}
        name = f"it's a/b {secrets.token_hex(4)}"
        made = worker_client.post(f"{API}/collections", json={"name": name})
        assert (made.status_code, made.json()) == (201, {"name": name, "photos": 0, "sentences": 0})
        job = upload(worker_client, name, {"one.png": photo(1)})
        done(worker_client, job)
        assert given(worker_client.get(f"{API}/collections/{name}"))["photos"] == 1
        gone = worker_client.delete(f"{API}/collections/{name}")
        assert (gone.status_code, gone.content) == (204, b"")
        refused(worker_client.get(f"{API}/collections/{name}"), 404, "unknown_collection")
        left = given(worker_client.get(f"{API}/jobs/{job}"))
        assert (left["state"], left["collection"]) == ("done", name)
        after = {path for part in ("collections", "uploads") for path in (worker_home / part).glob("*/*")}
        assert after <= before

    def test_refused(self, worker_client: httpx.Client) -> None:
        name = new_collection(worker_client)
        refused(worker_client.post(f"{API}/collections", json={"name": name}), 409, "collection_exists")
        for wrong in ("", "  ", "a\0b", "a\nb", "x" * 201, None, 7):
            refused(worker_client.post(f"{API}/collections", json={"name": wrong}), 422, "invalid_request")
        refused(worker_client.delete(f"{API}/collections/none"), 404, "unknown_collection")


class TestUploads:
    def test_are_indexed_with_what_is_said_of_them(self, worker_client: httpx.Client) -> None:
        collection = new_collection(worker_client)
        said = {"tags": '["wall", "paint"]', "attributes": '{"camera": "X100", "iso": 400}'}
        report = done(worker_client, upload(worker_client, collection, {"one.png": photo(1)}, **said))
        assert (report["added"], report["captioned"], report["photos"]) == (1, 1, 1)
        number = names(worker_client, collection)["one.png"]
        shown = given(worker_client.get(f"{API}/photos/{number}"))
        assert (shown["tags"], shown["attributes"]) == (["paint", "wall"], {"camera": "X100", "iso": 400})
        assert worker_client.get(f"{API}/photos/{number}/bytes").content == photo(1)
        again = done(worker_client, upload(worker_client, collection, {"uno.png": photo(1)}, tags='["again"]'))
        assert (again["added"], again["unchanged"], again["photos"]) == (0, 1, 1)
        assert given(worker_client.get(f"{API}/photos/{number}"))["tags"] == ["again", "paint", "wall"]

    @pytest.mark.parametrize(
        "form",
        [
            {"tags": "wall"},
            {"tags": '{"a": 1}'},
            {"tags": '[""]'},
            {"tags": f'["{"x" * 201}"]'},
            {"attributes": "[]"},
            {"attributes": '{"iso": true}'},
            {"attributes": '{"iso": NaN}'},
            {"attributes": '{"": 1}'},
            {"attributes": '{"iso": [1]}'},
        ],
    )
    def test_wrong_descriptions(self, worker_client: httpx.Client, described: str, form: dict[str, str]) -> None:
        files = {"photos": ("one.png", photo(1))}
        refused(
            worker_client.post(f"{API}/photos", data={"collection": described, **form}, files=files), 422, "bad_request"
        )

    def test_refused(self, worker_client: httpx.Client, described: str) -> None:
        files = {"photos": ("one.png", photo(1))}
        refused(
            worker_client.post(f"{API}/photos", data={"collection": "none"}, files=files), 404, "unknown_collection"
        )
        refused(worker_client.post(f"{API}/photos", files=files), 422, "invalid_request")
        refused(worker_client.post(f"{API}/photos", data={"collection": described}), 422, "invalid_request")


class TestPhotos:
    def test_what_is_known_is_changed_part_by_part(self, worker_client: httpx.Client, described: str) -> None:
        path = f"{API}/photos/{names(worker_client, described)['two.png']}"
        change: dict[str, Any] = {"tags": ["b", "a", "b"], "attributes": {"iso": 100, "lens": "50 mm"}}
        changed = given(worker_client.patch(path, json=change))
        assert (changed["tags"], changed["attributes"]) == (["a", "b"], {"iso": 100, "lens": "50 mm"})
        dated = given(worker_client.patch(path, json={"taken_at": "2024-05-01T12:30:00+02:00"}))
        assert (dated["tags"], dated["taken_at"]) == (["a", "b"], "2024-05-01T10:30:00Z")
        less = given(worker_client.patch(path, json={"tags": [], "attributes": {"iso": None}, "taken_at": None}))
        assert (less["tags"], less["attributes"], less["taken_at"]) == ([], {"lens": "50 mm"}, None)
        assert given(worker_client.get(path)) == less

    @pytest.mark.parametrize(
        "wrong",
        [
            {"tags": "wall"},
            {"tags": ["a\0"]},
            {"tags": ["x"] * 101},
            {"attributes": {"a": "x" * 501}},
            {"attributes": {"a": "\0"}},
            {"attributes": {"x" * 101: 1}},
            {"attributes": {"a": 10**400}},
            {"taken_at": "yesterday"},
            {"taken_at": "2024-05-01T12:30:00"},
            {"taken_at": "0001-01-01T00:00:00+14:00"},
        ],
    )
    def test_wrong_changes(self, worker_client: httpx.Client, described: str, wrong: dict[str, Any]) -> None:
        path = f"{API}/photos/{names(worker_client, described)['two.png']}"
        refused(worker_client.patch(path, json=wrong), 422, "invalid_request")

    def test_deleted_with_its_file_and_its_place_in_the_index(
        self, worker_client: httpx.Client, worker_home: Path
    ) -> None:
        collection = new_collection(worker_client)
        done(worker_client, upload(worker_client, collection, {"one.png": photo(1), "two.png": photo(2)}))
        held = names(worker_client, collection)
        files = [path for path in (worker_home / "uploads").glob("*/photos/*/*") if path.read_bytes() == photo(1)]
        report = done(worker_client, accepted(worker_client.delete(f"{API}/photos/{held['one.png']}")))
        assert (report["removed"], report["photos"]) == (1, 1)
        assert list(names(worker_client, collection)) == ["two.png"]
        left = [path for path in (worker_home / "uploads").glob("*/photos/*/*") if path.read_bytes() == photo(1)]
        assert len(left) == len(files) - 1
        refused(worker_client.delete(f"{API}/photos/{held['one.png']}"), 404, "unknown_photo")

    def test_refused(self, worker_client: httpx.Client) -> None:
        refused(worker_client.patch(f"{API}/photos/99999", json={"tags": []}), 404, "unknown_photo")
        refused(worker_client.delete(f"{API}/photos/0"), 422, "invalid_request")


class TestDocuments:
    def test_are_listed_and_their_sentences_found(self, worker_client: httpx.Client, described: str) -> None:
        listed = given(worker_client.get(f"{API}/documents", params={"collection": described}))
        assert [(item["name"], item["sentences"]) for item in listed["documents"]] == [("walls", 2)]
        query = {"text": "Nothing but paint.", "collection": described, "target": "sentences"}
        best = given(worker_client.post(f"{API}/search/text", json=query))["hits"][0]
        assert (best["text"], best["document"]) == ("Nothing but paint.", "walls")

    def test_sentences_are_listed_page_by_page_and_know_their_photo(
        self, worker_client: httpx.Client, described: str
    ) -> None:
        first = given(worker_client.get(f"{API}/sentences", params={"collection": described, "count": 1}))
        assert first["sentences"][0] | {"id": 0} == {
            "id": 0,
            "text": "A wall of one colour.",
            "document": "walls",
            "photo_id": names(worker_client, described)["one.png"],
        }
        rest = given(worker_client.get(f"{API}/sentences", params={"collection": described, "after": first["after"]}))
        assert [item["photo_id"] for item in rest["sentences"]] == [None]
        assert rest["after"] is None
        none = given(worker_client.get(f"{API}/sentences", params={"collection": described, "document": 2**62}))
        assert none["sentences"] == []

    def test_sentences_without_known_words_are_reported(self, worker_client: httpx.Client, described: str) -> None:
        collection = new_collection(worker_client)
        body = {"collection": collection, "name": "../odd", "sentences": [{"text": "a wall"}, {"text": "zz zzz"}]}
        report = done(worker_client, accepted(worker_client.post(f"{API}/documents", json=body)))
        assert report["skipped_items"] == [
            {"name": "odd, sentence 2", "reason": "sentence has no word that the model knows"}
        ]

    def test_deleted(self, worker_client: httpx.Client, worker_home: Path) -> None:
        collection = new_collection(worker_client)
        body = {"collection": collection, "name": "walls", "sentences": [{"text": "A painted wall."}]}
        done(worker_client, accepted(worker_client.post(f"{API}/documents", json=body)))
        number = given(worker_client.get(f"{API}/documents", params={"collection": collection}))["documents"][0]["id"]
        files = len(list((worker_home / "uploads").glob("*/documents/*")))
        report = done(worker_client, accepted(worker_client.delete(f"{API}/documents/{number}")))
        assert (report["removed"], report["sentences"]) == (1, 0)
        assert len(list((worker_home / "uploads").glob("*/documents/*"))) == files - 1
        refused(worker_client.delete(f"{API}/documents/{number}"), 404, "unknown_document")

    def test_refused(self, worker_client: httpx.Client, described: str) -> None:
        def ask(**change: Any) -> httpx.Response:
            body = {"collection": described, "name": "walls", "sentences": [{"text": "A wall."}], **change}
            return worker_client.post(f"{API}/documents", json=body)

        refused(ask(collection="none"), 404, "unknown_collection")
        refused(ask(sentences=[{"text": "A wall.", "photo_id": 99999}]), 422, "bad_request")
        for sentences in ([], [{"text": "a\0"}], [{"text": ""}], "A wall."):
            refused(ask(sentences=sentences), 422, "invalid_request")
        refused(ask(name=""), 422, "invalid_request")
        refused(worker_client.get(f"{API}/documents", params={"collection": "none"}), 404, "unknown_collection")
        refused(worker_client.get(f"{API}/sentences", params={"collection": "none"}), 404, "unknown_collection")

    def test_photo_of_another_collection_is_not_described(self, worker_client: httpx.Client, described: str) -> None:
        foreign = names(worker_client, described)["one.png"]
        sentences = [{"text": "A wall.", "photo_id": foreign}]
        body = {"collection": new_collection(worker_client), "name": "x", "sentences": sentences}
        refused(worker_client.post(f"{API}/documents", json=body), 422, "bad_request")


class TestJobs:
    def test_folder_of_the_server_is_indexed(self, worker_client: httpx.Client, walls: Path) -> None:
        collection = new_collection(worker_client)
        body = {"collection": collection, "path": str(walls)}
        report = done(worker_client, accepted(worker_client.post(f"{API}/jobs", json=body)))
        assert (report["photos"], report["sentences"], report["captioned"]) == (4, 8, 4)
        assert set(names(worker_client, collection)) == {"red.png", "green.png", "blue.png", "grey.png"}

    def test_photo_of_a_folder_is_dropped_and_its_file_left_alone(
        self, worker_client: httpx.Client, walls: Path
    ) -> None:
        collection = new_collection(worker_client)
        body = {"collection": collection, "path": str(walls / "red.png"), "captions": False}
        report = done(worker_client, accepted(worker_client.post(f"{API}/jobs", json=body)))
        assert (report["photos"], report["captioned"]) == (1, 0)
        number = names(worker_client, collection)["red.png"]
        assert done(worker_client, accepted(worker_client.delete(f"{API}/photos/{number}")))["photos"] == 0
        assert (walls / "red.png").is_file()

    def test_events_tell_how_it_goes_on_and_the_last_that_it_has_ended(self, worker_client: httpx.Client) -> None:
        collection = new_collection(worker_client)
        job = upload(worker_client, collection, {f"{number}.png": photo(number) for number in range(3)})
        told = events(worker_client, job)
        assert [kind for kind, _ in told].count("end") == 1
        assert {kind for kind, _ in told[:-1]} <= {"progress"}
        last = told[-1][1]
        assert (last["state"], last["kind"], last["collection"]) == ("done", "upload", collection)
        assert last == given(worker_client.get(f"{API}/jobs/{job}"))
        assert last["created_at"] <= last["started_at"] <= last["finished_at"]
        assert events(worker_client, job) == [("end", last)]

    def test_listed_page_by_page(self, worker_client: httpx.Client) -> None:
        collection = new_collection(worker_client)
        jobs = [upload(worker_client, collection, {"one.png": photo(number)}) for number in range(3)]
        done(worker_client, jobs[-1])
        page = given(worker_client.get(f"{API}/jobs", params={"collection": collection, "count": 2}))
        assert [item["id"] for item in page["jobs"]] == jobs[:0:-1]
        rest = given(worker_client.get(f"{API}/jobs", params={"collection": collection, "after": page["after"]}))
        assert ([item["id"] for item in rest["jobs"]], rest["after"]) == (jobs[:1], None)
        assert len(given(worker_client.get(f"{API}/jobs", params={"count": 200}))["jobs"]) >= 3

    def test_folder_that_holds_nothing_fails_with_a_sentence_for_the_user(
        self, worker_client: httpx.Client, walls: Path
    ) -> None:
        (walls / "nothing").mkdir()
        body = {"collection": new_collection(worker_client), "path": str(walls / "nothing")}
        job = accepted(worker_client.post(f"{API}/jobs", json=body))
        failed = ended(worker_client, job)
        assert failed["state"] == "failed"
        assert "holds nothing to index" in failed["message"]
        assert given_again(worker_client, job)["state"] in ("queued", "running", "failed")
        assert ended(worker_client, job)["state"] == "failed"
        (walls / "nothing").rmdir()

    def test_refused(self, worker_client: httpx.Client, walls: Path) -> None:
        job = upload(worker_client, new_collection(worker_client), {"one.png": photo(1)})
        done(worker_client, job)
        refused(worker_client.post(f"{API}/jobs/{job}/cancel"), 409, "job_conflict")
        refused(worker_client.post(f"{API}/jobs/{job}/resume"), 409, "job_conflict")
        for part in ("", "/events"):
            refused(worker_client.get(f"{API}/jobs/99999{part}"), 404, "unknown_job")
            refused(worker_client.get(f"{API}/jobs/0{part}"), 422, "invalid_request")
        for part in ("cancel", "resume"):
            refused(worker_client.post(f"{API}/jobs/99999/{part}"), 404, "unknown_job")
        refused(worker_client.get(f"{API}/jobs", params={"collection": "none"}), 404, "unknown_collection")
        body = {"collection": "none", "path": str(walls)}
        refused(worker_client.post(f"{API}/jobs", json=body), 404, "unknown_collection")
        refused(worker_client.post(f"{API}/jobs", json={"path": str(walls)}), 422, "invalid_request")


def given_again(client: httpx.Client, job: int) -> Any:
    """Resume a job."""
    answer = client.post(f"{API}/jobs/{job}/resume")
    assert answer.status_code == 202, answer.text
    return answer.json()
