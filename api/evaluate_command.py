"""`dvsa evaluate`: measure a checkpoint as the field does."""

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.group()
def evaluate() -> None:
    """Measure a model on a dataset."""


@evaluate.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path), help="Flickr8k layout, or dataset JSON.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the JSON's photos.")
@click.option("--split", default="dev", show_default=True, help="Usually dev or test.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Folder; the bundled one if left out.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep region features in this folder for the next run.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def retrieval(
    dataset: Path, images: Path | None, split: str, checkpoint: Path | None, cache: Path | None, as_json: bool
) -> None:
    """Recall@1, 5, 10 and median rank in both directions, over all photos and sentences of the split."""
    from contextlib import nullcontext
    from tempfile import TemporaryDirectory

    from model.checkpoint import BUNDLED, load_checkpoint
    from model.dataset import read_dataset
    from model.retrieval import measure_retrieval
    from model.split_features import split_features

    data = read_dataset(dataset, images)
    loaded = load_checkpoint(checkpoint or BUNDLED)
    with nullcontext(str(cache)) if cache else TemporaryDirectory() as folder:
        chosen = split_features(data, split, loaded.model.config, Path(folder))
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
