"""schemathesis asks every route what its OpenAPI document allows, and what it does not."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.http.server_process import Server, serving
from tests.api.http.test_openapi import SNAPSHOT

EXAMPLES = 20  # of each route
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
TIMEOUT = 20  # seconds


@pytest.fixture(scope="module")
def fuzzed(server_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a copy of the home, as what is asked may change it."""
    home = shutil.copytree(server_home, tmp_path_factory.mktemp("fuzzed") / "home")
    with serving([sys.executable, "-m", "tests.api.http.tiny_server", home]) as running:
        yield running


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that stay away from proxies."""
    with requests.Session() as made:
        made.trust_env = False
        yield made


api = schemathesis.openapi.from_path(SNAPSHOT)


@api.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_that_is_asked_breaks_the_server(
    case: "schemathesis.Case[Any]", fuzzed: Server, session: requests.Session
) -> None:
    answer = case.call_and_validate(base_url=fuzzed.url, session=session, checks=CHECKS, timeout=TIMEOUT)
    assert b"Traceback" not in answer.content
    assert str(Path(__file__).parents[3]).encode() not in answer.content
