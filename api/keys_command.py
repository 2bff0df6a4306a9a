"""`dvsa keys`: API keys of the HTTP service."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.catalogue.keys import ApiKeys, KeyInfo, Scope


@click.group()
def keys() -> None:
    """Make, list and revoke the API keys that `dvsa serve` asks of whoever comes from another machine."""


@keys.command()
@click.argument("name")
@click.option("--scope", type=click.Choice(["read", "write"]), required=True, help="Read only, or read and change.")
def create(name: str, scope: "Scope") -> None:
    r"""Make a key and print it, once: only its hash is kept.

    \b
        dvsa keys create website --scope read
    """
    click.echo(_keys().create(name, scope))


@keys.command("list")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
def list_keys(json_output: bool) -> None:
    """List the keys, their scopes, and when they were made, used last, and revoked (UTC)."""
    from api.output import as_json, printable

    found = _keys().all()
    if json_output:
        click.echo(as_json([_key_json(key) for key in found]))
        return
    for key in found:
        used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
        gone = f", revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        click.echo(f"{printable(key.name):20}  {key.scope:5}  made {key.created_at:%Y-%m-%d %H:%M}, {used}{gone}")


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Make the key NAME useless, at once."""
    _keys().revoke(name)


def _key_json(key: "KeyInfo") -> dict[str, str | None]:
    times = {"created_at": key.created_at, "last_used_at": key.last_used_at, "revoked_at": key.revoked_at}
    written = {name: moment.isoformat() if moment else None for name, moment in times.items()}
    return {"name": key.name, "scope": key.scope, **written}


def _keys() -> "ApiKeys":
    from api.session import read_settings
    from engine.catalogue import Catalogue
    from engine.catalogue.keys import ApiKeys

    return ApiKeys(Catalogue(read_settings().catalogue_url))
