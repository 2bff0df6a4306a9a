"""`dvsa align`."""

from pathlib import Path

import click


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
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the boxes into this PNG file.")
def align(photo: Path, sentence: str, beta: float, json_output: bool, plot: Path | None) -> None:
    r"""Show which word of SENTENCE went to which region of PHOTO.

    \b
        dvsa align photo.jpg "a man rides a horse" --plot boxes.png
    """
    from api.output import as_json, not_understood_line, printable, words_json
    from api.session import read_photo, read_settings

    settings = read_settings()
    pixels = read_photo(photo, settings)
    from engine.alignment import align as align_photo  # the model's libraries, after the cheap checks
    from engine.encoder import load_encoder

    alignment = align_photo(load_encoder(settings.checkpoint, settings.weight_files), pixels, sentence, beta)
    if plot is not None:
        from api.plots import alignment_picture, save

        save(alignment_picture(pixels, sentence, alignment.words), plot)
    if json_output:
        document = {
            "photo": str(photo),
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "sentence": sentence,
            "not_understood": alignment.not_understood,
            "score": round(alignment.score, 5),
            "words": words_json(alignment.words),
        }
        click.echo(as_json(document))
        return
    click.echo(f"score {alignment.score:.3f}")
    for word in alignment.words:
        box = " ".join(f"{edge:5.0f}" for edge in word.box)
        click.echo(f"{printable(word.word):16}  {word.product:8.3f}  {box}")
    if alignment.not_understood:
        click.echo(not_understood_line(alignment.not_understood))
