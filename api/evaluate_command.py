"""`dvsa evaluate`: measure a checkpoint as the field does."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from model.checkpoint import Checkpoint
    from model.dataset import Dataset
    from model.train import SplitFeatures


@click.group()
def evaluate() -> None:
    """Measure a model on a dataset."""


@evaluate.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path), help="A dataset: folder, JSON, CSV or TSV.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the photos that a file names.")
@click.option("--split", default="dev", show_default=True, help="Usually dev or test.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder; the bundled one if left out.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep region features in this folder for the next run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def retrieval(
    dataset: Path, images: Path | None, split: str, checkpoint: Path | None, cache: Path | None, as_json: bool
) -> None:
    """Recall@1, 5, 10 and median rank in both directions, over all photos and sentences of the split."""
    from model.checkpoint import BUNDLED, load_checkpoint
    from model.datasets import read_dataset
    from model.retrieval import measure_retrieval

    data = read_dataset(dataset, images)
    loaded = load_checkpoint(checkpoint or BUNDLED)
    chosen = _features(data, split, loaded, cache)
    photo, sentence = measure_retrieval(loaded.model, loaded.vocabulary, chosen.images, chosen.features)
    result = {
        "dataset": data.name,
        "split": split,
        "images": len(chosen.images),
        "sentences": sum(len(image.sentences) for image in chosen.images),
        "image_to_sentence": asdict(photo),
        "sentence_to_image": asdict(sentence),
    }
    if as_json:
        click.echo(json.dumps(result))
        return
    click.echo(f"{data.name} {split}: {result['images']:,} photos, {result['sentences']:,} sentences")
    for name, found in (("photo -> sentence", photo), ("sentence -> photo", sentence)):
        click.echo(
            f"{name}  R@1 {found.r1:5.1f}  R@5 {found.r5:5.1f}  R@10 {found.r10:5.1f}  median {found.median_rank:g}"
        )


@evaluate.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path), help="A dataset: folder, JSON, CSV or TSV.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the photos that a file names.")
@click.option("--split", default="dev", show_default=True, help="Usually dev or test.")
@click.option("--entities", required=True, type=click.Path(path_type=Path), help="Flickr30k Entities of these photos.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder; the bundled one if left out.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep region features in this folder for the next run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def grounding(
    dataset: Path, images: Path | None, split: str, entities: Path, checkpoint: Path | None, cache: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Whether the region that a phrase's words choose is what the phrase names, over all phrases that have a box."""
    from model.checkpoint import BUNDLED, load_checkpoint
    from model.datasets import read_dataset
    from model.entities import read_entities
    from model.grounding import measure_grounding

    data = read_dataset(dataset, images)
    phrases = read_entities(entities, data.split(split))
    loaded = load_checkpoint(checkpoint or BUNDLED)
    chosen = _features(data, split, loaded, cache)
    found = measure_grounding(loaded.model, loaded.vocabulary, phrases, chosen.features, chosen.boxes)
    result = {"split": split, "images": len(chosen.images), **asdict(found)}
    if as_json:
        click.echo(json.dumps(result))
        return
    click.echo(f"{data.name} {split}: {result['images']:,} photos, {found.phrases:,} phrases with a box")
    click.echo(f"IoU 0.5  {found.iou50:5.1f} %   pointing game  {found.pointing:5.1f} %")
    click.echo(f"best region's IoU 0.5 or more (what a perfect choice reaches)  {found.proposal_recall:5.1f} %")


def _features(data: "Dataset", split: str, loaded: "Checkpoint", cache: Path | None) -> "SplitFeatures":
    """Region features of a split, in a folder that is kept where one is named."""
    from contextlib import nullcontext
    from tempfile import TemporaryDirectory

    from model.split_features import split_features

    with nullcontext(str(cache)) if cache else TemporaryDirectory() as folder:
        return split_features(data, split, loaded.model.config, Path(folder))
