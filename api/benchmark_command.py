"""`dvsa benchmark`: speed, memory and recall of the engine."""

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import click

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def benchmark() -> None:
    """Measure the engine."""


@benchmark.command()
@click.option("--images", type=click.IntRange(min=2), default=10_000, show_default=True, help="Photos, and sentences.")
@click.option(
    "--queries", type=click.IntRange(min=1, max=300), default=100, show_default=True, help="Each way, at most."
)
@click.option("--examples", type=FOLDER, default=Path("examples"), show_default=True, help="Folder with photos/.")
@click.option("--dataset", type=click.Path(path_type=Path), help="Take its train and dev splits, not the examples.")
@click.option("--cache", type=click.Path(path_type=Path), help="The dataset's region features, kept for the next run.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder for the indexes while they are measured.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw recall against time into this PNG.")
def search(
    images: int,
    queries: int,
    examples: Path,
    dataset: Path | None,
    cache: Path | None,
    work: Path | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    r"""Time searches of a made collection at every effort, and compare their hits with exact search.

    Photos and sentences are made of real ones, whose fragments are mixed and moved by as much as the nearest fragments
    of two items lie apart; the same call makes the same collection. Text is asked of photos, photos of sentences.
    floor is the time that reading what a search touches takes at the speed of the memory.

    \b
        dvsa benchmark search --images 20000 --plot speed.png
        dvsa benchmark search --images 100000 --dataset ../flickr8k --cache runs/features --json
    """
    if cache and not dataset:
        raise click.UsageError("--cache belongs to --dataset")
    from api.benchmark import report
    from api.benchmark.real_fragments import read_examples, read_training_data
    from api.benchmark.run import run
    from api.output import as_json as document
    from api.progress import Bars
    from api.session import read_settings

    settings = read_settings()
    with TemporaryDirectory(dir=work) as folder, nullcontext(cache) if cache else TemporaryDirectory() as features:
        real = read_training_data(dataset, Path(features), settings) if dataset else read_examples(examples, settings)
        with Bars() as bars:
            figures = run(real, images, queries, Path(folder), bars.show)
        if plot is not None:
            report.plot(figures, plot)
        click.echo(document(figures) if as_json else "\n".join(report.lines(figures)))
