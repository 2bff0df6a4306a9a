"""`dvsa verify`."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.encoder import Encoder
    from engine.verification import Verification
    from indexer.repair import Repair


@click.command()
@click.option("--collection", default="default", show_default=True, help="Which one.")
@click.option("--repair", is_flag=True, help="Mend what can be mended first.")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
def verify(collection: str, repair: bool, json_output: bool) -> None:
    """Check that a collection is whole: database, checksums of all files, index against catalogue.

    Reads every byte and changes nothing; the exit code is 1 where something is wrong. With --repair, what is whole is
    kept, and what is lost is encoded again from the photos, where they have not changed, and the texts. It also brings
    a collection of an older version up to date.
    """
    from api.output import as_json
    from api.session import read_settings
    from engine.catalogue import Catalogue
    from engine.verification import verify_collection
    from indexer.repair import Repair, repair_collection

    settings = read_settings()

    def open_encoder() -> "Encoder":
        from engine.encoder import load_encoder

        return load_encoder(settings.checkpoint, settings.weight_files)

    catalogue = Catalogue(settings.catalogue_url)
    try:
        mended = repair_collection(catalogue, collection, settings, open_encoder) if repair else Repair()
        found = verify_collection(catalogue, collection, settings)
    finally:
        catalogue.close()
    document = asdict(found) | ({"repaired": mended.done, "not_repaired": mended.failed} if repair else {})
    click.echo(as_json(document) if json_output else "\n".join(_lines(found, mended)))
    if found.problems:
        sys.exit(1)


def _lines(found: "Verification", mended: "Repair") -> list[str]:
    from api.output import printable

    return [
        *(f"repaired: {printable(what)}" for what in mended.done),
        *(f"not repaired: {printable(what)}" for what in mended.failed),
        f"{printable(found.collection)}: {found.photos:,} photos, {found.sentences:,} sentences, "
        f"{found.files} files of {found.bytes / 1e6:,.1f} MB",
        *(map(printable, found.problems) if found.problems else ["everything is whole"]),
    ]
