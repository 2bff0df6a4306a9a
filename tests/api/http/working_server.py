"""A server over the tiny encoder with a worker: `python -m tests.api.http.working_server HOME [--no-worker]`.

A photo SLOW_WIDTH pixels wide takes the worker SLOW_PHOTO seconds.
"""

import logging
import socket
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt

from api.http.app import create_app
from api.http.logs import log_to_stderr
from api.http.server import run
from api.worker_process import WorkerProcess
from engine.encoder import PhotoFragments
from engine.settings import Settings
from indexer.perform import Models
from tests.api.http.tiny_server import tiny_service
from tests.tiny_captioner import TinyCaptioner
from tests.tiny_encoder import TinyEncoder

SLOW_PHOTO = 0.1  # seconds
SLOW_WIDTH = 31  # pixels


class SlowPhotoEncoder(TinyEncoder):
    """A tiny encoder that takes its time with some photos."""

    def encode_photo(self, photo: npt.NDArray[np.uint8]) -> PhotoFragments:
        if photo.shape[1] == SLOW_WIDTH:
            time.sleep(SLOW_PHOTO)
        return super().encode_photo(photo)


def tiny_models(_settings: Settings) -> Models:
    """Return what the worker encodes with."""
    return Models(SlowPhotoEncoder(), TinyCaptioner())


if __name__ == "__main__":
    log_to_stderr()
    service = tiny_service(Path(sys.argv[1]))
    listening = socket.create_server(("127.0.0.1", 0))
    logging.getLogger(__name__).info("running on http://127.0.0.1:%d", listening.getsockname()[1])
    with nullcontext() if "--no-worker" in sys.argv else WorkerProcess(service.settings, service.stopping, tiny_models):
        run(create_app(service), service.stopping, listening)
