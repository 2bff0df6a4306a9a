"""`dvsa caption`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.beam_options import beam_config, beam_options
from api.server_options import client_of, server_options

if TYPE_CHECKING:
    from engine.captioner import RegionCaption
    from model.captions.caption import Caption


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--regions", is_flag=True, help="Caption its regions too.")
@beam_options
@server_options
@click.option("--json", "json_output", is_flag=True, help="Print one JSON document.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw photo and captions into this PNG.")
def caption(
    photo: Path, regions: bool, server: str | None, key: str | None, json_output: bool, plot: Path | None, **beam: Any
) -> None:
    r"""Say what PHOTO shows, and with --regions what each of its regions shows.

    \b
        dvsa caption photo.jpg --regions --plot captions.png
    """
    from api.output import as_json, printable

    if server:
        with client_of(server, key, plot=plot, **beam) as client:
            found = {"photo": str(photo), **client.caption(photo, regions)}
    else:
        found = _caption(photo, regions, plot, beam)
    if json_output:
        click.echo(as_json(found))
        return
    click.echo(f"{printable(found['caption'])}  ({found['log_probability']:.2f})")
    for part in found.get("regions", []):
        box = " ".join(f"{edge:5.0f}" for edge in part["box"])
        click.echo(f"{box}  {printable(part['caption'])}  ({part['log_probability']:.2f})")


def _caption(photo: Path, regions: bool, plot: Path | None, beam: dict[str, Any]) -> dict[str, Any]:
    """Caption here."""
    from api.session import read_photo, read_settings

    settings = read_settings()
    pixels = read_photo(photo, settings)
    from engine.captioner import load_photo_captioner, load_region_captioner  # heavy: after the cheap checks
    from engine.encoder import load_encoder

    search = beam_config(**beam)
    encoder = load_encoder(settings.checkpoint, settings.weight_files)
    captioner = load_photo_captioner(encoder, settings.captioner, search)
    region_captioner = load_region_captioner(encoder, settings.region_captioner, search) if regions else None
    fragments = encoder.encode_photo(pixels)
    whole = captioner.caption(fragments)
    parts = region_captioner.captions(fragments) if region_captioner else []
    if plot is not None:
        from api.plots import caption_picture, save

        save(caption_picture(pixels, whole, parts), plot)
    size = {"width": pixels.shape[1], "height": pixels.shape[0]}
    document = {"photo": str(photo), **size, **caption_json(whole)}
    return document | ({"regions": regions_json(parts)} if regions else {})


def caption_json(caption: "Caption") -> dict[str, Any]:
    """Return a caption as JSON values; its log probability in nats."""
    return {"caption": caption.text, "log_probability": round(caption.log_probability, 4)}


def regions_json(parts: "list[RegionCaption]") -> list[dict[str, Any]]:
    """Return captions of regions as JSON values; boxes to a tenth of a pixel."""
    return [{"box": [round(edge, 1) for edge in part.box], **caption_json(part.caption)} for part in parts]
