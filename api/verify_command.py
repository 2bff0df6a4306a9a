"""`dvsa verify`."""

import sys
from dataclasses import asdict

import click


@click.command()
@click.option("--collection", default="default", show_default=True, help="Which one.")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
def verify(collection: str, json_output: bool) -> None:
    """Check that a collection is whole: all its files against their checksums, its index against the catalogue.

    Reads every byte and changes nothing. The exit code is 1 where something is wrong; what is lost comes back by
    indexing the same paths again with --rebuild.
    """
    from api.output import as_json, printable
    from api.session import read_settings
    from engine.catalogue import Catalogue
    from engine.verification import verify_collection

    settings = read_settings()
    catalogue = Catalogue(settings.catalogue_url)
    try:
        found = verify_collection(catalogue, collection, settings)
    finally:
        catalogue.close()
    if json_output:
        click.echo(as_json(asdict(found)))
    else:
        click.echo(
            f"{printable(found.collection)}: {found.photos:,} photos, {found.sentences:,} sentences, "
            f"{found.files} files of {found.bytes / 1e6:,.1f} MB"
        )
        click.echo("\n".join(map(printable, found.problems)) or "everything is whole")
    if found.problems:
        sys.exit(1)
