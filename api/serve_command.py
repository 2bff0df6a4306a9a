"""`dvsa serve`."""

import logging
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.settings import Settings

HOSTS = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; one that other machines reach needs API keys (dvsa keys create).",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@click.option("--no-worker", is_flag=True, help="Leave the jobs to others; see dvsa worker.")
def serve(host: str, port: int, no_worker: bool) -> None:
    r"""Serve the collections over HTTP: a web page at /, and what other programs call below /api/v1.

    Jobs, as the indexing of uploads, are done by a process beside it.

    \b
        dvsa serve
    """
    from api.session import read_settings

    settings, public = read_settings(), host not in HOSTS
    if public or settings.require_keys:
        _refuse_without_keys(settings, host)
    with _listen(host, port) as listening:  # a port that is taken is told before the model is loaded
        from api.http.app import create_app
        from api.http.logs import log_to_stderr
        from api.http.server import run
        from api.http.service import load_service
        from api.worker_process import WorkerProcess

        service = load_service(settings)
        log_to_stderr()
        shown = f"[{host}]" if ":" in host else host
        logging.getLogger(__name__).info("running on http://%s:%d", shown, listening.getsockname()[1])
        with nullcontext() if no_worker else WorkerProcess(settings, service.stopping):
            run(create_app(service, public), service.stopping, listening)


def _refuse_without_keys(settings: "Settings", host: str) -> None:
    from engine.catalogue import Catalogue
    from engine.catalogue.keys import ApiKeys
    from engine.exceptions import BadRequest

    catalogue = Catalogue(settings.catalogue_url)
    usable = any(key.revoked_at is None for key in ApiKeys(catalogue).all())
    catalogue.close()
    if not usable:
        raise BadRequest(
            f"to listen to {host} with API keys, a key is needed first: dvsa keys create NAME --scope read; "
            "without keys dvsa serve listens to this machine only"
        )


def _listen(host: str, port: int) -> socket.socket:
    from engine.exceptions import BadRequest

    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BadRequest(f"port {port} of {host} cannot be used: {error.strerror}; --port names another") from error
    # connections inherit it; without it the second packet of an answer waits 40 ms for the first to be acknowledged
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
