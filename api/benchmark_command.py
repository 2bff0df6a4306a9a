"""`dvsa benchmark`: speed, memory and recall of the engine."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import click

from engine.device_names import DeviceName

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def benchmark() -> None:
    """Measure the engine."""


@benchmark.command()
@click.option(
    "--images",
    type=click.IntRange(min=2),
    multiple=True,
    default=(10_000,),
    show_default="10000",
    help="Photos, and sentences; may be given several times, to see the growth.",
)
@click.option(
    "--queries", type=click.IntRange(min=1, max=300), default=100, show_default=True, help="Each way, at most."
)
@click.option("--examples", type=FOLDER, default=Path("examples"), show_default=True, help="Folder with photos/.")
@click.option("--dataset", type=click.Path(path_type=Path), help="Take its train and dev splits, not the examples.")
@click.option("--cache", type=click.Path(path_type=Path), help="The dataset's region features, kept for the next run.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for what is built; what it has is taken again.")
@click.option("--one-way", is_flag=True, help="Score by words alone, as the paper does, whatever the model's score.")
@click.option("--device", type=click.Choice(get_args(DeviceName)), default="auto", show_default=True)
@click.option("--peers", is_flag=True, help="Ask other engines as well, each in an environment of its own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw recall and growth into this PNG.")
def search(
    images: Sequence[int],
    queries: int,
    examples: Path,
    dataset: Path | None,
    cache: Path | None,
    keep: Path | None,
    one_way: bool,
    device: DeviceName,
    peers: bool,
    as_json: bool,
    plot: Path | None,
) -> None:
    r"""Time searches of made collections at every effort, and compare their hits with exact search.

    Photos and sentences are made of real ones, whose fragments are mixed and moved by as much as the nearest fragments
    of two items lie apart; the same call makes the same collection. Text is asked of photos, photos of sentences.
    floor is the time that reading what a search touches takes at the speed of the memory. The peers are asked for
    photos by text, on vectors of unit length and by words alone, which is what they can do.

    \b
        dvsa benchmark search --images 20000 --plot speed.png
        dvsa benchmark search --images 1000 --images 10000 --images 100000 --keep runs/benchmark --json
        dvsa benchmark search --images 20000 --peers --dataset ../flickr8k --cache runs/features
    """
    if cache and not dataset:
        raise click.UsageError("--cache belongs to --dataset")
    from api.benchmark import report
    from api.benchmark.real_fragments import read_examples, read_training_data
    from api.benchmark.run import Plan, run
    from api.output import as_json as document
    from api.progress import Bars
    from api.session import read_settings

    settings = read_settings()
    with _folder(keep) as folder, _folder(cache) as features:
        real = read_training_data(dataset, Path(features), settings) if dataset else read_examples(examples, settings)
        if one_way:
            real = replace(real, score=replace(real.score, directions="words"))
        with Bars() as bars:
            figures = run(real, Plan(sorted(images), queries, device, peers), Path(folder), bars.show)
        if plot is not None:
            report.plot(figures, plot)
        click.echo(document(figures) if as_json else "\n".join(report.lines(figures)))


@benchmark.command()
@click.argument("server", metavar="URL")
@click.option("--key", envvar="DVSA_KEY", help="The server's API key; better kept in DVSA_KEY.")
@click.option("--collection", default="default", show_default=True, help="Where to search.")
@click.option("--requests", type=click.IntRange(10, 5_000), default=500, show_default=True, help="Of each measure.")
@click.option("--clients", type=click.IntRange(2, 64), default=16, show_default=True, help="At once.")
@click.option("--uploads", type=click.IntRange(0, 1_000), default=50, show_default=True, help="Photos asked.")
@click.option("--memory", type=click.IntRange(min=2_000, max=100_000), help="Also memory after 1,000 and N searches.")
@click.option("--index", "folder", help="Also searches while the server indexes this folder of its own.")
@click.option("--examples", type=FOLDER, default=Path("examples"), show_default=True, help="Folder with photos/.")
@click.option("--dataset", type=click.Path(path_type=Path), help="Ask what its dev split holds, not the examples.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def serve(
    server: str,
    key: str | None,
    collection: str,
    requests: int,
    clients: int,
    uploads: int,
    memory: int | None,
    folder: str | None,
    examples: Path,
    dataset: Path | None,
    as_json: bool,
) -> None:
    r"""Put a running server of this machine under load, and time its answers; milliseconds.

    Text asks for photos, with the regions of words; an uploaded photo asks for sentences. Everything but --index reads
    only.

    \b
        dvsa benchmark serve http://127.0.0.1:8000 --collection mine
    """
    from api.benchmark import serve as measure
    from api.benchmark.queries import read_queries
    from api.output import as_json as document

    texts, photos = read_queries(dataset, examples, most_photos=uploads)
    target = measure.Target(server, key, collection, texts, photos)
    figures = {
        "text, one client": measure.texts(target, 1, requests),
        f"text, {clients} clients": measure.texts(target, clients, requests),
    }
    if uploads:
        figures["photo, one client"] = measure.photos(target, uploads)
    if folder:
        figures["text, while indexing"] = measure.while_indexing(target, folder)
    if memory:
        figures["memory"] = measure.memory(target, 1_000, memory)
    lines = [
        f"{name}: " + ", ".join(f"{what} {figure}" for what, figure in row.items()) for name, row in figures.items()
    ]
    click.echo(document(figures) if as_json else "\n".join(lines))


def _folder(chosen: Path | None) -> nullcontext[Path] | TemporaryDirectory[str]:
    return nullcontext(chosen) if chosen else TemporaryDirectory()
