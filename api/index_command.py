"""`dvsa index`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from indexer.report import IndexReport, Skipped

NO_CAPTIONS = "no captions: the bundled captioner is for another alignment model; DVSA_CAPTIONER names one of this"
SHOWN = 10  # skipped items named in the report; --json names all


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--collection", default="default", show_default=True, help="Where to put them; made if it is new.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the photos that a dataset's JSON names.")
@click.option("--rebuild", is_flag=True, help="Embed everything again, as after a change of the model.")
@click.option("--no-captions", is_flag=True, help="Put no caption beside each photo.")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
def index(
    paths: tuple[Path, ...], collection: str, images: Path | None, rebuild: bool, no_captions: bool, json_output: bool
) -> None:
    r"""Index photos, texts and datasets into a collection.

    PATH is a folder of photos (JPEG, PNG, WebP, GIF; the sentences of photo.jpg in photo.txt), a text file, a CSV or
    TSV file of photo and sentence, a dataset's JSON (Karpathy's form, or COCO captions) or a folder in the layout of
    Flickr8k, Flickr30k or COCO. Run it again, and only what is new or changed is embedded, and what is gone is dropped.

    With --rebuild, PATH is all that the collection holds besides what was uploaded into it over HTTP, if anything.

    \b
        dvsa index ~/Pictures --collection holidays
    """
    if not paths and not rebuild:
        raise click.UsageError("name at least one PATH to index")
    from api.output import as_json
    from api.progress import Bars
    from api.session import open_captioner, read_settings
    from engine.encoder import load_encoder
    from indexer.index import index_paths

    settings = read_settings()
    encoder = load_encoder(settings.checkpoint, settings.weight_files)
    captioner = None if no_captions else open_captioner(settings, encoder)
    with Bars() as bars:
        report = index_paths(
            paths, collection, encoder, settings, rebuild, bars.show, images=images, captioner=captioner
        )
    if captioner is None and not no_captions:
        click.echo(NO_CAPTIONS, err=True)
    click.echo(as_json(report_json(report)) if json_output else "\n".join(report_lines(report)))


def report_json(report: "IndexReport") -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "collection": report.collection,
        "seen": report.seen,
        "added": report.added,
        "unchanged": report.unchanged,
        "moved": report.moved,
        "removed": report.removed,
        "skipped": report.skipped,
        "skipped_items": _items_json(report.skipped_items),
        "captioned": report.captioned,
        "uncaptioned_items": _items_json(report.uncaptioned_items),
        "photos": report.photos,
        "sentences": report.sentences,
    }


def report_lines(report: "IndexReport") -> list[str]:
    """Return the report as lines for a person."""
    lines = [
        f"{report.collection}: {report.photos} photos, {report.sentences} sentences",
        f"seen {report.seen}, added {report.added}, unchanged {report.unchanged}, moved {report.moved}, "
        f"removed {report.removed}, captioned {report.captioned}, skipped {sum(report.skipped.values())}",
    ]
    lines += [f"  {count} {reason}" for reason, count in sorted(report.skipped.items(), key=lambda pair: -pair[1])]
    lines += _item_lines(report.skipped_items)
    if report.uncaptioned_items:
        lines += [f"  {len(report.uncaptioned_items)} without caption", *_item_lines(report.uncaptioned_items)]
    lines += [f"  index written anew, {reason}" for reason in report.renewed]
    return lines


def _items_json(items: "Sequence[Skipped]") -> list[dict[str, str]]:
    return [{"name": item.name, "reason": item.reason} for item in items]


def _item_lines(items: "Sequence[Skipped]") -> list[str]:
    from api.output import printable

    lines = [f"    {printable(item.name)}: {printable(item.reason)}" for item in items[:SHOWN]]
    if len(items) > SHOWN:
        lines.append(f"    and {len(items) - SHOWN} more; --json names all")
    return lines
