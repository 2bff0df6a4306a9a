"""Uses an installed dvsa as a container does: `python first_use.py DVSA PHOTOS HOME`.

Indexes two photos by the command line, starts server and worker as two processes, searches, uploads a photo, finds it,
and stops both by SIGTERM.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 180  # seconds for a start or a job on a busy machine
INDEXED, UPLOADED = ("bridge-at-night", "citrus-slices"), "two-dogs-at-window"


def main(dvsa: Path, photos: Path, home: Path) -> None:
    """Use it; ends with the first thing that is not as it should be."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DVSA_HOME": str(home), "OMP_WAIT_POLICY": "passive"}
    folder = home / "photos"
    folder.mkdir(parents=True)
    for name in INDEXED:
        shutil.copy(photos / f"{name}.jpg", folder)
    subprocess.run([dvsa, "index", folder, "--collection", "photos"], check=True, env=environment)
    log = home / "server.log"
    with log.open("w") as file:
        server = subprocess.Popen([dvsa, "serve", "--port", "0", "--no-worker"], env=environment, stderr=file)
    worker = subprocess.Popen([dvsa, "worker"], env=environment)
    try:
        with httpx.Client(base_url=f"{_address(server, log)}/api/v1", timeout=PATIENCE, trust_env=False) as client:
            _search_and_upload(client, photos / f"{UPLOADED}.jpg")
    except BaseException:
        print(log.read_text(), file=sys.stderr, end="")
        raise
    finally:
        codes = [_stop(process) for process in (worker, server)]
    assert all(code in (0, -15) for code in codes), f"ended with {codes}"
    print("first use: indexed, searched, uploaded and found")


def _search_and_upload(client: httpx.Client, photo: Path) -> None:
    assert _answer(client.get("/health/ready"))["status"] == "ready"
    assert _best(client, "a bridge over a river at night") == "bridge-at-night.jpg"
    with photo.open("rb") as file:
        job = _answer(client.post("/photos", data={"collection": "photos"}, files={"photos": (photo.name, file)}))
    began = time.monotonic()
    while job["state"] in ("queued", "running"):
        assert time.monotonic() - began < PATIENCE, job
        time.sleep(0.2)
        job = _answer(client.get(f"/jobs/{job['id']}"))
    assert job["state"] == "done", job
    assert _best(client, "two dogs at a window") == photo.name


def _best(client: httpx.Client, text: str) -> Any:
    return _answer(client.post("/search/text", json={"text": text, "collection": "photos"}))["hits"][0]["name"]


def _answer(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json()


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the server's address, which it logs."""
    began = time.monotonic()
    while server.poll() is None and time.monotonic() - began < PATIENCE:
        if address := re.search(r"running on (http://[^\s\"]+)", log.read_text()):
            return address[1]
        time.sleep(0.2)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    return process.wait(timeout=60)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
