"""SIGTERM while many clients ask: whatever was taken is answered, whatever comes later is not taken."""

import json
import signal
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.api.http.server_process import serving
from tests.api.http.test_routes import API

CLIENTS = 6
ANSWERED = (200, 429)  # 429: the queue of this small server is full
ANEW = httpx.Limits(max_keepalive_connections=0)  # a connection that is kept may be closed between two requests
PATIENCE = 60  # seconds for the first answers of a busy machine


@pytest.mark.parametrize("answers", [1, 20])
def test_requests_under_way_are_answered_when_the_server_is_told_to_end(server_home: Path, answers: int) -> None:
    statuses: list[int] = []

    def ask(url: str) -> None:
        query = {"text": "a red wall", "collection": "walls"}
        with httpx.Client(base_url=url, limits=ANEW, timeout=PATIENCE, trust_env=False) as client:
            while True:
                try:
                    statuses.append(client.post(f"{API}/search/text", json=query).status_code)
                except httpx.TransportError:  # not taken any more
                    return

    with serving([sys.executable, "-m", "tests.api.http.tiny_server", server_home]) as server:
        clients = [threading.Thread(target=ask, args=(server.url,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        began = time.monotonic()
        while len(statuses) < answers and time.monotonic() - began < PATIENCE:
            time.sleep(0.001)
        code = server.stop()
        for client in clients:
            client.join()
    assert code in (0, -signal.SIGTERM)
    assert 200 in statuses
    assert set(statuses) <= set(ANSWERED)
    logged = [line["status"] for line in map(json.loads, server.log) if line["message"] == "request"]
    assert sorted(logged) == sorted(statuses)  # each request that the server took was answered, the others never began
    assert not any("traceback" in line.lower() for line in server.log)
