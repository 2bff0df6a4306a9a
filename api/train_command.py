"""`dvsa train`: train the models on a dataset."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from model.dataset import Dataset


@click.group()
def train() -> None:
    """Train a model on your own photos and sentences."""


@train.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path), help="A dataset: folder, JSON, CSV or TSV.")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of the photos that a file names.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder of the checkpoint.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of region features; default OUTPUT/features.")
@click.option(
    "--config",
    "name",
    type=click.Choice(["default", "dvsa"]),
    default="default",
    show_default=True,
    help="dvsa is the configuration of the paper.",
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change a setting, such as epochs=4.")
@click.option(
    "--word-vectors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Pretrained, as text (GloVe, word2vec, fastText); English ones come with the program.",
)
@click.option("--skip-missing", is_flag=True, help="Train without photos that are missing, damaged or undescribed.")
@click.option("--terms", default="", help="Terms of the training data, kept in the checkpoint.")
@click.option("--resume", is_flag=True, help="Continue an interrupted training exactly.")
def alignment(
    dataset: Path, images: Path | None, output: Path, cache: Path | None, name: str, settings: tuple[str, ...],
    word_vectors: Path | None, skip_missing: bool, terms: str, resume: bool,
) -> None:  # fmt: skip
    """Train the alignment model: photos and sentences into one space.

    Trains on the split "train", keeps the epoch that is best on "dev". Region features are extracted once and kept.
    Several processes share each batch: torchrun --nproc-per-node N -m api train alignment ...
    """
    import torch

    from api.session import read_settings
    from model.alignment import build_alignment_model
    from model.checkpoint import annotate_checkpoint, word_vectors_of
    from model.configurations import changed
    from model.datasets import read_dataset
    from model.region_extractor import extractor_for_training
    from model.split_features import split_features
    from model.train import AlignmentTask
    from model.training.processes import joined_processes
    from model.training.trainer import Trainer
    from model.vocabulary import Vocabulary
    from model.word_vectors import read_word_vectors

    config, training = changed(name, settings)
    files = read_settings().weight_files
    processes = click.get_current_context().with_resource(joined_processes())
    data = read_dataset(dataset, images)
    if skip_missing:
        data = _without_unusable(data)
    for split in ("train", "dev"):
        data.split(split)  # refused before hours of extraction
    folder = cache or output / "features"
    with processes.first_before_others():
        config, extractor = extractor_for_training(config, files)
        train_split = split_features(data, "train", extractor, folder)
        dev_split = split_features(data, "dev", extractor, folder)
    sentences = [sentence for image in train_split.images for sentence in image.sentences]
    vocabulary = Vocabulary.from_sentences(sentences)
    vectors = None
    if config.sentence.words != "learned":
        vectors = read_word_vectors(word_vectors, vocabulary.words) if word_vectors else word_vectors_of()
        vocabulary = vocabulary.with_more(vectors.words)
    torch.manual_seed(training.seed)
    model = build_alignment_model(config, vocabulary, vectors)
    task = AlignmentTask(model, vocabulary, train_split, dev_split, training, processes)
    trainer = Trainer(task, training, output)
    if resume:
        trainer.resume()
    trainer.run()
    if not processes.first:
        return
    command = (
        f"dvsa train alignment --dataset {data.name} --config {name}"
        + "".join(f" --set {setting}" for setting in settings)
        + (f" --word-vectors {word_vectors.name}" if word_vectors else "")
        + (" --skip-missing" if skip_missing else "")
    )
    annotate_checkpoint(output, {"dataset": data.name, "terms": terms, "command": command})
    click.echo(f"the best checkpoint is in {output}")


def _without_unusable(data: "Dataset") -> "Dataset":
    """Leave out the photos that cannot be trained on, and say how many."""
    from api.output import printable
    from model.usable_photos import leave_out_unusable

    data, left_out = leave_out_unusable(data, ("train", "dev"))
    first = f", the first: {printable(left_out[0])}" if left_out else ""
    click.echo(f"left out {len(left_out):,} photos{first}", err=True)
    return data
