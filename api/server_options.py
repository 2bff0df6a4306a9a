"""Options of commands that can ask a running server, so that no model is loaded here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from api.client import Client


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--server` and `--key`; they reach it as `server` and `key`, None: left out."""
    options = (
        click.option("--server", metavar="URL", envvar="DVSA_SERVER", help="Ask this running server, as a client."),
        click.option("--key", envvar="DVSA_KEY", help="The server's API key; better kept in DVSA_KEY."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def client_of(server: str, key: str | None, **local: Any) -> "Client":
    """Return a client of a server.

    Args:
        server: its address.
        key: an API key.
        local: options that only work without a server, by name; those that are given are refused.
    """
    for name, value in local.items():
        if value not in (None, False):
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --server.")
    from api.client import Client

    return Client(server, key)
