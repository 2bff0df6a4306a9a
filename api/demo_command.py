"""`dvsa demo`: the main job on the example photos, from files to a picture."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from PIL.Image import Image

    from engine.search import SearchService
    from engine.settings import Settings

HITS = 5


@click.command()
@click.option(
    "--examples",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("examples"),
    show_default=True,
    help="Folder with photos/, queries.txt and photo_queries.txt.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".demo"),
    show_default=True,
    help="Folder for the collection and the contact sheet.",
)
def demo(examples: Path, output: Path) -> None:
    """Index the example photos, search them by text and by photo, and draw what was found."""
    from api.index_command import report_lines
    from api.plots import contact_sheet, save
    from api.progress import Bars
    from api.session import open_captioner, open_search, read_settings
    from engine.encoder import load_encoder
    from engine.exceptions import IndexOutdated
    from indexer.index import index_paths

    began = time.monotonic()
    settings = read_settings().model_copy(update={"home": output.absolute() / "home", "database_url": None})
    encoder = load_encoder(settings.checkpoint, settings.weight_files)
    with Bars() as bars:
        photos = [examples / "photos"]
        captioner = open_captioner(settings, encoder)
        index = partial(index_paths, photos, "examples", encoder, settings, progress=bars.show, captioner=captioner)
        try:
            report = index()
        except IndexOutdated:
            report = index(rebuild=True)
    click.echo("\n".join(report_lines(report)))
    service = open_search(settings, by_photo=True)
    rows = text_rows(service, _lines(examples / "queries.txt"))
    asked = [examples / "photos" / name for name in _lines(examples / "photo_queries.txt")]
    rows += photo_rows(service, asked, settings)
    sheet = output / "contact_sheet.png"
    subtitle = f"{report.photos} photos and {report.sentences} sentences; a word has the colour of the box it went to"
    save(contact_sheet("Photos found by text, sentences found by photo", subtitle, rows), sheet)
    click.echo(f"\n{sheet} shows the hits with the boxes of the words ({time.monotonic() - began:.0f} s)")


def text_rows(service: "SearchService", queries: list[str]) -> list["Image"]:
    """Search by texts, print the hits, draw a row of each."""
    from api.output import not_understood_line, printable
    from api.plots import answer_row
    from engine.search import SearchRequest

    rows = []
    for query in queries:
        answer = service.search_text(query, SearchRequest(("examples",), k=HITS))
        click.echo(f"\n{query}")
        if answer.not_understood:
            click.echo("  " + not_understood_line(answer.not_understood))
        for hit in answer.hits:
            click.echo(f"  {hit.rank}  {hit.score:7.3f}  {printable(Path(hit.path or '').name)}")
        rows.append(answer_row(answer))
    return rows


def photo_rows(service: "SearchService", paths: list[Path], settings: "Settings") -> list["Image"]:
    """Search by photos, print the sentences found, draw a row of each."""
    from api.output import printable
    from api.plots import answer_row
    from api.session import read_photo
    from engine.search import SearchRequest

    rows = []
    for path in paths:
        photo = read_photo(path, settings)
        answer = service.search_photo(photo, SearchRequest(("examples",), "sentences", HITS), path.name)
        click.echo(f"\n{printable(path.name)}")
        for hit in answer.hits:
            click.echo(f"  {hit.rank}  {hit.score:7.3f}  {printable(hit.text or '')}")
        rows.append(answer_row(answer, photo))
    return rows


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
