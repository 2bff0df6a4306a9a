"""What the service tells Prometheus."""

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from api.http.app import create_app
from tests.api.http.test_routes import API, given
from tests.api.http.tiny_server import tiny_service

Sample = dict[tuple[str, frozenset[tuple[str, str]]], float]


def metrics(client: httpx.Client) -> Sample:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Sample, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_the_template_of_their_path(client: httpx.Client) -> None:
    before = metrics(client)
    given(client.get(f"{API}/photos/1"))
    client.get(f"{API}/photos/{2**60}")
    client.request("BREW", f"{API}/photos/1")
    client.get("/nothing-here")
    after = metrics(client)

    def more(method: str, route: str, status: int) -> float:
        labels = {"method": method, "route": route, "status": str(status)}
        return value(after, "dvsa_requests_total", **labels) - value(before, "dvsa_requests_total", **labels)

    route = "/photos/{photo_id}"
    assert [more("GET", route, 200), more("GET", route, 404)] == [1, 1]
    assert more("GET", "page", 404) == 1
    assert any(name == "dvsa_requests_total" and ("method", "other") in labels for name, labels in after)
    times = [value(found, "dvsa_request_seconds_count", route=route) for found in (before, after)]
    assert times[1] - times[0] == 2


def test_passes_queues_collections_model_and_memory_are_there(client: httpx.Client) -> None:
    before = metrics(client)
    given(client.post(f"{API}/search/text", json={"text": "wall", "collection": "walls"}))
    after = metrics(client)
    assert value(after, "dvsa_texts_of_pass_count") == value(before, "dvsa_texts_of_pass_count") + 1
    assert value(after, "dvsa_requests_in_queue", queue="model") == 0
    assert value(after, "dvsa_requests_in_queue", queue="disk") == 1  # this request itself
    assert value(after, "dvsa_photos", collection="walls") == 4
    assert value(after, "dvsa_sentences", collection="a/b") == 2
    assert value(after, "dvsa_model_info", hash="0" * 64) == 1
    assert value(after, "process_resident_memory_bytes") > 1e7


def test_each_app_has_a_registry_of_its_own(tmp_path: Path) -> None:
    services = [tiny_service(tmp_path / str(number)) for number in range(2)]
    for service in services:
        create_app(service)
    services[0].metrics.answered("GET", "/x", 200, 0.1)
    assert b'route="/x"' in services[0].metrics.text()
    assert b'route="/x"' not in services[1].metrics.text()
    for service in services:
        service.close()
