"""The options that every evaluation has."""

from collections.abc import Callable
from pathlib import Path

import click

FILE = click.Path(path_type=Path)


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what is measured; all but --json reach it as fields of `Source`."""
    options = (
        click.option("--dataset", required=True, type=FILE, help="A dataset: folder, JSON, CSV or TSV."),
        click.option("--images", type=FILE, help="Folder of the photos that a file names."),
        click.option("--split", default="dev", show_default=True, help="Usually dev or test."),
        click.option("--subset", type=click.IntRange(1), help="Only the first so many photos of the split."),
        click.option("--checkpoint", type=FILE, help="Folder; the bundled one if left out."),
        click.option("--cache", type=FILE, help="Keep region features in this folder for the next run."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
    )
    for option in reversed(options):
        command = option(command)
    return command
