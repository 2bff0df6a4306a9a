"""`dvsa search`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.server_options import client_of, server_options

if TYPE_CHECKING:
    from api.client import Client


@click.command()
@click.argument("text", required=False)
@click.option("--image", type=click.Path(path_type=Path), help="Search by this photo instead of a text.")
@click.option("--target", type=click.Choice(["images", "sentences"]), help="Default: images by text, else sentences.")
@click.option("-k", "k", type=click.IntRange(min=1), default=10, show_default=True, help="How many hits.")
@click.option(
    "--effort",
    type=click.Choice(["fast", "normal", "thorough", "exact"]),
    default="normal",
    show_default=True,
    help="How much a search of a large collection may cost; exact misses no hit.",
)
@click.option("--collection", default="default", show_default=True, help="Where to search.")
@server_options
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the hits into this PNG file.")
def search(
    text: str | None,
    image: Path | None,
    target: str | None,
    json_output: bool,
    plot: Path | None,
    server: str | None,
    key: str | None,
    **how: Any,
) -> None:
    r"""Find photos by TEXT, or sentences by --image; each hit says which word went to which region.

    \b
        dvsa search "two dogs play in the snow"
        dvsa search --image photo.jpg --plot hits.png
        dvsa search "a red car" --server http://127.0.0.1:8000
    """
    if (text is None) == (image is None):
        raise click.UsageError("Give a text, or a photo with --image; one of the two.")
    from api.output import answer_lines, as_json

    how["target"] = target or ("images" if image is None else "sentences")
    query: str | Path = text if text is not None else image or ""
    answer = _ask(query, client_of(server, key, plot=plot), how) if server else _search(query, plot, how)
    click.echo(as_json(answer) if json_output else "\n".join(answer_lines(answer)))


def _ask(query: str | Path, client: "Client", how: dict[str, Any]) -> dict[str, Any]:
    """Ask a server."""
    with client:
        answer = client.search_photo(query, **how) if isinstance(query, Path) else client.search_text(query, **how)
        return {"query": str(query), **answer}


def _search(query: str | Path, plot: Path | None, how: dict[str, Any]) -> dict[str, Any]:
    """Search here."""
    from api.output import answer_json
    from api.session import open_search, read_photo, read_settings

    settings = read_settings()
    photo = read_photo(query, settings) if isinstance(query, Path) else None
    service = open_search(settings, by_photo=photo is not None)
    from engine.search import SearchRequest  # the model's libraries, after the cheap checks

    request = SearchRequest((how.pop("collection"),), **how)
    if photo is not None:
        answer = service.search_photo(photo, request, str(query))
    else:
        answer = service.search_text(str(query), request)
    if plot is not None:
        from api.plots import answer_row, save

        save(answer_row(answer, photo), plot)
    return answer_json(answer)
