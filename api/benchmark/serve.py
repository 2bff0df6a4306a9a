"""What a running server bears: the measures of `dvsa benchmark serve`."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from api.benchmark.http_load import Caller, Document, calling, load, summary

WARM_UP = 20  # searches before each measure
JOB_SECONDS = 1800  # that a job may take
ENDED = ("done", "failed", "cancelled")
HELD = re.compile(rb"^process_resident_memory_bytes (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A server, what to ask it, and whose.

    Attributes:
        server: its address.
        key: an API key, or None.
        collection: that is searched.
        texts: queries.
        photos: query photos, bytes of their files.
    """

    server: str
    key: str | None
    collection: str
    texts: Sequence[str]
    photos: Sequence[bytes]

    def caller(self) -> Caller:
        """Open a client."""
        return Caller(self.server, self.key)

    def ask_text(self, caller: Caller, number: int) -> int:
        """Ask a text; return the code of the answer."""
        return caller.search_text(self.collection, self.texts[number % len(self.texts)])[0]

    def ask_photo(self, caller: Caller, number: int) -> int:
        """Ask a photo; return the code of the answer."""
        return caller.search_photo(self.collection, self.photos[number % len(self.photos)])[0]


def texts(target: Target, clients: int, requests: int) -> Document:
    """Search by text, so many clients at once."""
    load(target.caller, target.ask_text, clients, WARM_UP)
    return {"clients": clients, **asdict(load(target.caller, target.ask_text, clients, requests))}


def photos(target: Target, requests: int) -> Document:
    """Search by uploaded photos, one client."""
    load(target.caller, target.ask_photo, 1, 2)  # the first photo loads the CNN
    return {"clients": 1, **asdict(load(target.caller, target.ask_photo, 1, requests))}


def memory(target: Target, first: int, last: int) -> Document:
    """Say what memory the server holds after so many searches, and after more; MB of resident memory."""
    load(target.caller, target.ask_text, 2, first)
    before = _resident(target)
    done = load(target.caller, target.ask_text, 2, last - first)
    after = _resident(target)
    grown = round(100 * (after / before - 1), 2)
    return {"errors": done.errors, f"mb_after_{first}": before, f"mb_after_{last}": after, "grown_percent": grown}


def while_indexing(target: Target, path: str, compared: int = 20) -> Document:
    """Search by text, one client, while the server indexes a folder into the collection that is searched.

    Args:
        target: the server.
        path: the folder, as the server names it.
        compared: texts whose answers must be those of before or of after the job, and nothing in between.
    """
    asked = target.texts[:compared]
    answers: list[tuple[float, int]] = []
    seen: dict[str, set[bytes]] = {text: set() for text in asked}
    with calling(target.server, target.key) as caller:
        before = {text: _hits(caller, target, text) for text in asked}
        job = caller.document("POST", "/jobs", {"collection": target.collection, "path": path, "captions": False})
        began = time.perf_counter()
        while job["state"] not in ENDED and time.perf_counter() - began < JOB_SECONDS:
            for text in asked:
                start = time.perf_counter()
                code, found = caller.search_text(target.collection, text)
                answers.append((time.perf_counter() - start, code))
                seen[text].add(_ids(found))
            job = caller.document("GET", f"/jobs/{job['id']}")
        whole = time.perf_counter() - began
        after = {text: _hits(caller, target, text) for text in asked}
    half = sum(bool(seen[text] - {before[text], after[text]}) for text in asked)
    changed = sum(before[text] != after[text] for text in asked)
    said = {"job": job["state"], "seconds": round(whole, 1), "half_published": half, "answers_changed": changed}
    return {"clients": 1, **asdict(summary(answers, whole)), **said}


def _hits(caller: Caller, target: Target, text: str) -> bytes:
    return _ids(caller.search_text(target.collection, text)[1])


def _ids(answer: bytes) -> bytes:
    hits = json.loads(answer).get("hits", [])
    return json.dumps([hit["id"] for hit in hits]).encode()


def _resident(target: Target) -> float:
    with calling(target.server, target.key) as caller:
        found = HELD.search(caller.ask("GET", "/metrics")[1])
    return round(float(found[1]) / 2**20, 1) if found else float("nan")
