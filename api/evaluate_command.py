"""`dvsa evaluate`: measure a checkpoint as the field does."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.evaluate_captions import captions
from api.evaluation_options import FILE, source_options

if TYPE_CHECKING:
    from api.evaluation_report.evaluation import Evaluation
    from api.evaluation_source import Loaded
    from model.metrics import Recall
    from model.retrieval import SplitRanking


@click.group()
def evaluate() -> None:
    """Measure a model on a dataset."""


evaluate.add_command(captions)


@evaluate.command()
@source_options
@click.option("--folds", type=click.IntRange(1), default=1, show_default=True, help="Equal parts, their mean measured.")
@click.option("--ranks", type=FILE, help="Write the rank of every query into this JSON file.")
@click.option("--report", type=FILE, help="Write a page with charts and examples into this folder.")
@click.option("--entities", type=FILE, help="Flickr30k Entities of these photos: grounding in the report.")
def retrieval(
    as_json: bool, folds: int, ranks: Path | None, report: Path | None, entities: Path | None, **source: Any
) -> None:
    r"""Recall@1, 5, 10 and median rank in both directions, over all photos and sentences of the split.

    COCO's "1K" and "5K" of the literature, from the 5,000 test photos of Karpathy's JSON:

    \b
        dvsa evaluate retrieval ... --subset 1000     1K, one subset
        dvsa evaluate retrieval ... --folds 5         1K, the mean of five
        dvsa evaluate retrieval ...                   5K
    """
    if entities and not report:
        raise click.UsageError("--entities belongs to --report; alone, it is for `dvsa evaluate grounding`")
    if ranks:
        from api.result_file import check_file

        check_file(ranks, "ranks")
    if report:
        from api.evaluation_report.folder import check_report_folder

        check_report_folder(report)
    from api.evaluation_source import Source, load  # the model's libraries, after the cheap checks
    from api.session import read_settings
    from model.retrieval import rank_split

    loaded = load(Source(**source, folds=folds, entities=entities, weight_files=read_settings().weight_files))
    checkpoint, images = loaded.checkpoint, loaded.chosen.images
    ranking = rank_split(checkpoint.model, checkpoint.vocabulary, images, loaded.chosen.features, folds)
    measured = {
        "dataset": loaded.dataset,
        "split": source["split"],
        "images": len(images),
        "sentences": len(ranking.image_of),
    }
    if ranks:
        from api.ranks_file import write_ranks

        write_ranks(ranks, measured, images, ranking)
    if report:
        from api.evaluation_report.page import write_report

        page = write_report(_evaluation(loaded, source["split"], ranking), report)
        click.echo(f"the report is {page}", err=True)
    _show(measured, ranking, as_json)


@evaluate.command()
@source_options
@click.option("--entities", required=True, type=FILE, help="Flickr30k Entities of these photos.")
def grounding(as_json: bool, entities: Path, **source: Any) -> None:
    """Whether the region that a phrase's words choose is what the phrase names, over all phrases that have a box."""
    from api.evaluation_source import Source, load
    from api.session import read_settings
    from model.grounding import measure_grounding

    split = source["split"]
    loaded = load(Source(**source, entities=entities, weight_files=read_settings().weight_files))
    checkpoint, chosen = loaded.checkpoint, loaded.chosen
    found = measure_grounding(checkpoint.model, checkpoint.vocabulary, loaded.phrases, chosen.features, chosen.boxes)
    result = {"split": split, "images": len(chosen.images), **asdict(found)}
    if as_json:
        click.echo(json.dumps(result))
        return
    click.echo(f"{loaded.dataset} {split}: {result['images']:,} photos, {found.phrases:,} phrases with a box")
    click.echo(f"IoU 0.5  {found.iou50:5.1f} %   pointing game  {found.pointing:5.1f} %")
    click.echo(f"best region's IoU 0.5 or more (what a perfect choice reaches)  {found.proposal_recall:5.1f} %")


def _evaluation(loaded: "Loaded", split: str, ranking: "SplitRanking") -> "Evaluation":
    """Gather what the report is made of; grounding too, where boxes of phrases are known."""
    from api.evaluation_report.evaluation import Evaluation
    from model.grounding import ground_phrases

    checkpoint, chosen = loaded.checkpoint, loaded.chosen
    return Evaluation(
        dataset=loaded.dataset,
        split=split,
        images=chosen.images,
        ranking=ranking,
        checkpoint=checkpoint,
        features=chosen.features,
        boxes=chosen.boxes,
        grounded=ground_phrases(checkpoint.model, checkpoint.vocabulary, loaded.phrases, chosen.features, chosen.boxes),
        command=shlex.join(["dvsa", *sys.argv[1:]]),
        day=datetime.now().astimezone().date().isoformat(),
    )


def _show(measured: dict[str, Any], ranking: "SplitRanking", as_json: bool) -> None:
    """Print both directions, and how far the folds lie apart."""
    photo, sentence = ranking.recall()
    folds = ranking.recalls()
    if as_json:
        result = {**measured, "image_to_sentence": asdict(photo), "sentence_to_image": asdict(sentence)}
        if len(folds) > 1:
            result["folds"] = [
                {"image_to_sentence": asdict(one), "sentence_to_image": asdict(other)} for one, other in folds
            ]
        click.echo(json.dumps(result))
        return
    click.echo(
        f"{measured['dataset']} {measured['split']}: {measured['images']:,} photos, {measured['sentences']:,} sentences"
        + (f"; mean of {len(folds)} folds of {measured['images'] // len(folds):,} photos" if len(folds) > 1 else "")
    )
    click.echo(_line("photo -> sentence", photo, [one for one, _ in folds]))
    click.echo(_line("sentence -> photo", sentence, [other for _, other in folds]))


def _line(name: str, found: "Recall", folds: "Sequence[Recall]") -> str:
    line = f"{name}  R@1 {found.r1:5.1f}  R@5 {found.r5:5.1f}  R@10 {found.r10:5.1f}  median {found.median_rank:g}"
    if len(folds) == 1:
        return line
    return f"{line}  (R@1 of the folds {min(one.r1 for one in folds):.1f} to {max(one.r1 for one in folds):.1f})"
