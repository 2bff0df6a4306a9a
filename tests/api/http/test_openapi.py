"""The OpenAPI document is committed, so that a change of the API is seen; DVSA_SNAPSHOT=1 writes it anew."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from api.http.app import create_app
from tests.api.http.tiny_server import tiny_service

SNAPSHOT = Path(__file__).with_name("openapi.json")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    service = tiny_service(tmp_path_factory.mktemp("home"))
    made = create_app(service).openapi()
    service.close()
    return made


def test_the_document_is_the_committed_one(document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    if os.environ.get("DVSA_SNAPSHOT"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text(), "the API has changed; if that is meant: DVSA_SNAPSHOT=1 pytest, and commit"


def test_every_route_says_what_it_does_and_how_it_refuses(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 34
    for operation in operations:
        assert operation["description"]
        assert operation["responses"]["4XX"]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")
    asked = document["components"]["schemas"]["TextQuery"]["properties"]
    assert asked["text"]["examples"] == ["two dogs play in the snow"]
