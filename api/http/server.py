"""Runs the app: uvicorn, which finishes requests under way when it is told to end."""

import gc
import signal
import socket
from threading import Event
from types import FrameType

import uvicorn
from fastapi import FastAPI

GRACE = 30  # seconds that requests under way have to finish


class _Server(uvicorn.Server):
    """Tells those who watch jobs, whose requests would not end by themselves, that the server is to end."""

    def __init__(self, config: uvicorn.Config, stopping: Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal to end."""
        self._stopping.set()
        super().handle_exit(sig, frame)


def run(app: FastAPI, stopping: Event, listening: socket.socket) -> None:
    """Serve until the process is told to end; `stopping` is set then, before requests under way are waited for."""
    # uvicorn raises the signal once more when it has ended; one that is ignored processes begun here would inherit
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again and again holds up all requests
    config = uvicorn.Config(
        app, access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=GRACE
    )
    _Server(config, stopping).run(sockets=[listening])
