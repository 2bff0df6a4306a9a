"""Options that say how captions are searched; the defaults are BeamConfig's."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from model.captions.beam import BeamConfig

WIDEST = 1000
STRONGEST_NORM = 10
MOST_AGREEMENT = 1000


def beam_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; they reach it as `beam`, `length_norm`, `no_repeat`, `agreement`; None: left out."""
    options = (
        click.option("--beam", type=click.IntRange(max=WIDEST), help="Sentences kept at each word; 1: the likeliest."),
        click.option(
            "--length-norm",
            type=click.FloatRange(0, STRONGEST_NORM),
            help="Compare log probability divided by words to this power; 0: log probability.",
        ),
        click.option("--no-repeat", type=int, help="Say no run of so many words twice; 0: allow all."),
        click.option(
            "--agreement",
            type=click.FloatRange(0, MOST_AGREEMENT),
            help="How much the alignment model has to say in which caption of a photo's beam is taken; 0: nothing.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def beam_config(
    beam: int | None, length_norm: float | None, no_repeat: int | None, agreement: float | None
) -> "BeamConfig":
    """Return how to search.

    Raises:
        CaptionError: it cannot be searched so.
    """
    from model.captions.beam import BeamConfig

    asked: dict[str, Any] = {
        "width": beam,
        "length_norm": length_norm,
        "no_repeat": no_repeat,
        "agreement": agreement,
    }
    return BeamConfig(**{name: value for name, value in asked.items() if value is not None})
