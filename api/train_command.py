"""`dvsa train`: train the models on a dataset."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from model.captions.captioner import Subject
    from model.dataset import Dataset

FOLDER = click.Path(path_type=Path)


@click.group()
def train() -> None:
    """Train a model on your own photos and sentences."""


def data_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what is trained on, how and where to."""
    options = (
        click.option("--dataset", required=True, type=FOLDER, help="A dataset: folder, JSON, CSV or TSV."),
        click.option("--images", type=FOLDER, help="Folder of the photos that a file names."),
        click.option("--output", required=True, type=FOLDER, help="Folder of the checkpoint."),
        click.option("--cache", type=FOLDER, help="Folder of region features; default OUTPUT/features."),
        click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change a setting: epochs=4."),
        click.option("--skip-missing", is_flag=True, help="Train without photos missing, damaged or undescribed."),
        click.option("--terms", default="", help="Terms of the training data, kept in the checkpoint."),
        click.option("--resume", is_flag=True, help="Continue an interrupted training exactly."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@train.command()
@data_options
@click.option(
    "--config",
    "name",
    type=click.Choice(["default", "dvsa"]),
    default="default",
    show_default=True,
    help="dvsa is the configuration of the paper.",
)
@click.option(
    "--word-vectors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Pretrained, as text (GloVe, word2vec, fastText); English ones come with the program.",
)
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
    from model.configurations import CONFIGURATIONS, changed
    from model.region_extractor import extractor_for_training
    from model.split_features import split_features
    from model.train import AlignmentTask
    from model.training.processes import joined_processes
    from model.training.trainer import Trainer
    from model.vocabulary import Vocabulary
    from model.word_vectors import read_word_vectors

    config, training = changed(*CONFIGURATIONS[name], settings)
    files = read_settings().weight_files
    processes = click.get_current_context().with_resource(joined_processes())
    data = _read(dataset, images, skip_missing)
    folder = cache or output / "features"
    with processes.first_before_others():
        config, extractor = extractor_for_training(config, files)
        train_split = split_features(data, "train", extractor, folder)
        dev_split = split_features(data, "dev", extractor, folder)
    vocabulary = Vocabulary.from_sentences(sentence for image in train_split.images for sentence in image.sentences)
    vectors = None
    if config.sentence.words != "learned":
        vectors = read_word_vectors(word_vectors, vocabulary.words) if word_vectors else word_vectors_of()
        vocabulary = vocabulary.with_more(vectors.words)
    torch.manual_seed(training.seed)
    model = build_alignment_model(config, vocabulary, vectors)
    trainer = Trainer(AlignmentTask(model, vocabulary, train_split, dev_split, training, processes), training, output)
    if resume:
        trainer.resume()
    trainer.run()
    if processes.first:
        more = [f"--word-vectors {word_vectors.name}"] if word_vectors else []
        command = _command("alignment", data.name, name, settings, skip_missing, more)
        annotate_checkpoint(output, {"dataset": data.name, "terms": terms, "command": command})
        click.echo(f"the best checkpoint is in {output}")


@train.command()
@data_options
@click.option(
    "--config",
    "name",
    type=click.Choice(["default", "lstm", "mrnn"]),
    default="default",
    show_default=True,
    help="mrnn is the network of the paper, lstm the one that followed it.",
)
@click.option("--regions", is_flag=True, help="Train on regions and the runs of words that alignment gives them.")
@click.option("--alignment", "alignment_folder", type=FOLDER, help="Alignment model; the bundled one if left out.")
@click.option("--start", type=FOLDER, help="Captioner whose training goes on, as with --set objective=cider.")
def captioner(
    dataset: Path, images: Path | None, output: Path, cache: Path | None, name: str, settings: tuple[str, ...],
    regions: bool, alignment_folder: Path | None, start: Path | None, skip_missing: bool, terms: str, resume: bool,
) -> None:  # fmt: skip
    """Train a captioner: a photo, or a region with --regions, into words.

    Takes the region features of an alignment model, and with --regions what it reads in the sentences; no boxes of
    phrases are used. Trains on the split "train", keeps the epoch with the best CIDEr on "dev".
    """
    import dataclasses

    import torch

    from api.session import read_settings
    from model.captions.captioner import build_captioner
    from model.captions.checkpoint import annotate_captioner, started_captioner
    from model.captions.configurations import CONFIGURATIONS
    from model.captions.described import described_photos
    from model.captions.measures import check_measures
    from model.captions.reward import RewardTask
    from model.captions.snippets import described_regions
    from model.captions.train import CaptionTask
    from model.checkpoint import BUNDLED, load_checkpoint
    from model.configurations import changed
    from model.exceptions import TrainingError
    from model.region_extractor import extractor_of_model
    from model.split_features import split_features
    from model.training.processes import joined_processes
    from model.training.trainer import Trainer
    from model.vocabulary import Vocabulary

    check_measures()
    config, training = changed(*CONFIGURATIONS[name], settings)
    if training.objective == "cider" and start is None:
        raise TrainingError("objective=cider is for a captioner that has learned to speak: name it by --start")
    environment = read_settings()
    processes = click.get_current_context().with_resource(joined_processes())
    data = _read(dataset, images, skip_missing)
    folder = cache or output / "features"
    checkpoint = load_checkpoint(alignment_folder or environment.checkpoint or BUNDLED)
    with processes.first_before_others():
        extractor = extractor_of_model(checkpoint.model.config, environment.weight_files)
        splits = [split_features(data, split, extractor, folder) for split in ("train", "dev")]
    if regions:
        described = [
            described_regions(checkpoint.model, checkpoint.vocabulary, split, training.beta) for split in splits
        ]
    else:
        described = [described_photos(split) for split in splits]
    vocabulary = Vocabulary.from_sentences(sentence for image in splits[0].images for sentence in image.sentences)
    subject: Subject = "regions" if regions else "photos"
    config = dataclasses.replace(config, subject=subject, features=extractor.name, row_size=extractor.feature_size)
    torch.manual_seed(training.seed)
    model = started_captioner(start, config, vocabulary) if start else build_captioner(config, len(vocabulary))
    task_of = RewardTask if training.objective == "cider" else CaptionTask
    trainer = Trainer(task_of(model, vocabulary, described[0], described[1], training, processes), training, output)
    if resume:
        trainer.resume()
    trainer.run()
    if processes.first:
        more = ["--regions"] if regions else []
        more += [f"--alignment {alignment_folder.name}"] if alignment_folder else []
        more += [f"--start {start.name}"] if start else []
        command = _command("captioner", data.name, name, settings, skip_missing, more)
        annotate_captioner(output, {"dataset": data.name, "terms": terms, "command": command})
        click.echo(f"the best checkpoint is in {output}")


def _read(dataset: Path, images: Path | None, skip_missing: bool) -> "Dataset":
    """Read a dataset whose splits can be trained on; what cannot is refused before hours of extraction."""
    from model.datasets import read_dataset

    data = read_dataset(dataset, images)
    if skip_missing:
        data = _without_unusable(data)
    for split in ("train", "dev"):
        data.split(split)
    return data


def _command(
    model: str, dataset: str, name: str, settings: Sequence[str], skip_missing: bool, more: Sequence[str]
) -> str:
    """Return the command that makes a checkpoint, without paths of this machine."""
    parts = [f"dvsa train {model} --dataset {dataset} --config {name}", *(f"--set {setting}" for setting in settings)]
    return " ".join([*parts, *more, *(["--skip-missing"] if skip_missing else [])])


def _without_unusable(data: "Dataset") -> "Dataset":
    """Leave out the photos that cannot be trained on, and say how many."""
    from api.output import printable
    from model.usable_photos import leave_out_unusable

    data, left_out = leave_out_unusable(data, ("train", "dev"))
    first = f", the first: {printable(left_out[0])}" if left_out else ""
    click.echo(f"left out {len(left_out):,} photos{first}", err=True)
    return data
