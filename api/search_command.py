"""`dvsa search`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.fragments import Effort, Kind


@click.command()
@click.argument("text", required=False)
@click.option("--image", type=click.Path(path_type=Path), help="Search by this photo instead of a text.")
@click.option("--target", type=click.Choice(["images", "sentences"]), help="Default: images by text, else sentences.")
@click.option("-k", "count", type=click.IntRange(min=1), default=10, show_default=True, help="How many hits.")
@click.option(
    "--effort",
    type=click.Choice(["fast", "normal", "thorough", "exact"]),
    default="normal",
    show_default=True,
    help="How much a search of a large collection may cost; exact misses no hit.",
)
@click.option("--collection", default="default", show_default=True, help="Where to search.")
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the hits into this PNG file.")
def search(
    text: str | None,
    image: Path | None,
    target: str | None,
    count: int,
    effort: "Effort",
    collection: str,
    json_output: bool,
    plot: Path | None,
) -> None:
    r"""Find photos by TEXT, or sentences by --image; each hit says which word went to which region.

    \b
        dvsa search "two dogs play in the snow"
        dvsa search --image photo.jpg --plot hits.png
    """
    if (text is None) == (image is None):
        raise click.UsageError("Give a text, or a photo with --image; one of the two.")
    from api.output import answer_json, answer_lines, as_json
    from api.session import open_search, read_photo, read_settings

    settings = read_settings()
    photo = read_photo(image, settings) if image is not None else None
    service = open_search(settings, by_photo=photo is not None)
    if photo is not None:
        kind: Kind = "images" if target == "images" else "sentences"
        answer = service.search_photo(collection, photo, count, kind, str(image), effort)
    else:
        kind = "sentences" if target == "sentences" else "images"
        answer = service.search_text(collection, text or "", count, kind, effort)
    if plot is not None:
        from api.plots import answer_row, save

        save(answer_row(answer, photo), plot)
    click.echo(as_json(answer_json(answer)) if json_output else "\n".join(answer_lines(answer)))
