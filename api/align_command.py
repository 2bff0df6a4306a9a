"""`dvsa align`."""

from pathlib import Path
from typing import Any

import click

from api.server_options import client_of, server_options


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.argument("sentence")
@click.option(
    "--beta",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="0: each word takes its own best region; larger: neighbouring words share one.",
)
@server_options
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the boxes into this PNG file.")
def align(
    photo: Path, sentence: str, beta: float, server: str | None, key: str | None, json_output: bool, plot: Path | None
) -> None:
    r"""Show which word of SENTENCE went to which region of PHOTO.

    \b
        dvsa align photo.jpg "a man rides a horse" --plot boxes.png
    """
    from api.output import as_json, not_understood_line, printable

    if server:
        with client_of(server, key, plot=plot) as client:
            found = {"photo": str(photo), "sentence": sentence, **client.align(photo, sentence, beta)}
    else:
        found = _align(photo, sentence, beta, plot)
    if json_output:
        click.echo(as_json(found))
        return
    click.echo(f"score {found['score']:.3f}")
    for word in found["words"]:
        box = " ".join(f"{edge:5.0f}" for edge in word["box"])
        click.echo(f"{printable(word['word']):16}  {word['product']:8.3f}  {box}")
    if found["not_understood"]:
        click.echo(not_understood_line(found["not_understood"]))


def _align(photo: Path, sentence: str, beta: float, plot: Path | None) -> dict[str, Any]:
    """Align here."""
    from api.output import words_json
    from api.session import read_photo, read_settings

    settings = read_settings()
    pixels = read_photo(photo, settings)
    from engine.alignment import align as align_photo  # the model's libraries, after the cheap checks
    from engine.encoder import load_encoder

    alignment = align_photo(load_encoder(settings.checkpoint, settings.weight_files), pixels, sentence, beta)
    if plot is not None:
        from api.plots import alignment_picture, save

        save(alignment_picture(pixels, sentence, alignment.words), plot)
    return {
        "photo": str(photo),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "sentence": sentence,
        "not_understood": alignment.not_understood,
        "score": round(alignment.score, 5),
        "words": words_json(alignment.words),
    }
