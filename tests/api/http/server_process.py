"""A server in a process of its own, and what it logged."""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[3]
STARTS = 120  # seconds; loading torch on a busy machine
STOPS = 60  # seconds; its worker, which others go before, may take 30


class Server:
    """A running server; `log` holds its lines so far."""

    def __init__(self, command: Sequence[str | Path], environment: dict[str, str]) -> None:
        self.log: list[str] = []
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._listening.wait(STARTS), "".join(self.log)
        assert self.url, "".join(self.log)

    url = ""

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            address = re.search(r"running on (http://127\.0\.0\.\d:\d+)", line)
            if address:
                self.url = address[1]
                self._listening.set()
        self._listening.set()

    def lines(self, request_id: str) -> list[dict[str, Any]]:
        """Return what was logged of a request, to its last line, which comes after the answer."""
        for _ in range(100):
            found = [line for line in map(json.loads, list(self.log)) if line.get("request_id") == request_id]
            if any(line["message"] == "request" for line in found):
                return found
            time.sleep(0.05)
        raise AssertionError("".join(self.log))

    def stop(self) -> int:
        """End the process as an operator does, and return its exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=STOPS)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextmanager
def serving(command: Sequence[str | Path], **environment: str) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    server = Server(command, environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def client_of(server: Server) -> httpx.Client:
    """Return a client that stays away from proxies."""
    return httpx.Client(base_url=server.url, timeout=30, trust_env=False)
