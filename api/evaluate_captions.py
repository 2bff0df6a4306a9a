"""`dvsa evaluate captions`: measure captioners as the field does."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.beam_options import beam_config, beam_options
from api.evaluation_options import FILE, source_options

if TYPE_CHECKING:
    from api.evaluation_source import Opened
    from model.captions.beam import BeamConfig
    from model.captions.caption import Caption
    from model.captions.checkpoint import CaptionerCheckpoint
    from model.captions.described import Described
    from model.captions.measures import CaptionScores
    from model.captions.region_measures import RegionScores


@click.command()
@source_options
@click.option("--alignment", type=FILE, help="Alignment model of the features; DVSA_CHECKPOINT if left out.")
@beam_options
@click.option("--captions", "file", type=FILE, help="Write each photo's caption into this JSON file.")
@click.option("--regions", is_flag=True, help="Captions of the boxes that phrases name, too; takes --entities.")
@click.option("--entities", type=FILE, help="Flickr30k Entities of these photos.")
@click.option("--region-checkpoint", type=FILE, help="Captioner of regions; the bundled one if left out.")
def captions(
    as_json: bool, alignment: Path | None, beam: int | None, length_norm: float | None, no_repeat: int | None,
    agreement: float | None, file: Path | None, regions: bool, region_checkpoint: Path | None,
    checkpoint: Path | None, **source: Any,
) -> None:  # fmt: skip
    """BLEU, METEOR, ROUGE-L and CIDEr of the captions of a split's photos, and how varied they are.

    METEOR needs Java and is left out where there is none. With --regions, the boxes of phrases are captioned by a
    captioner of regions, by the captioner of photos with the box as its photo, and by the name of the most similar
    training region, and measured against the phrases.
    """
    if regions != bool(source["entities"]):
        raise click.UsageError("--regions and --entities belong together")
    from model.captions.measures import check_measures

    check_measures()
    searched = beam_config(beam, length_norm, no_repeat, agreement)
    if file:
        from api.result_file import check_file

        check_file(file, "captions")
    from model.captions.checkpoint import BUNDLED, BUNDLED_REGIONS, load_captioner
    from model.captions.described import described_photos

    photo_model = load_captioner(checkpoint or BUNDLED)
    region_model = load_captioner(region_checkpoint or BUNDLED_REGIONS) if regions else None
    opened = _open(source, alignment, photo_model, region_model)
    described = described_photos(opened.chosen())
    found = _caption(described, photo_model, searched, opened)
    if file:
        _write(file, opened, described, found)
    result = {"split": source["split"], "images": len(found), "beam": searched.width}
    scores = _measure(opened, described, found)
    of_regions = _measure_regions(opened, photo_model, region_model, searched) if region_model else None
    if as_json:
        more = {"regions": asdict(of_regions)} if of_regions else {}
        click.echo(json.dumps({**result, **asdict(scores), **more}))
        return
    click.echo(f"{opened.data.name} {source['split']}: {len(found):,} photos, beam {searched.width}")
    for line in _lines(scores, of_regions):
        click.echo(line)


def _open(
    source: dict[str, Any], alignment: Path | None, photo_model: "CaptionerCheckpoint",
    region_model: "CaptionerCheckpoint | None",
) -> "Opened":  # fmt: skip
    """Open what is measured; captioners that do not fit its features are refused before these are made."""
    from api.evaluation_source import Source, open_source
    from api.session import read_settings
    from model.captions.checkpoint import refuse_unfit

    settings = read_settings()
    folder = alignment or settings.checkpoint
    opened = open_source(Source(**source, checkpoint=folder, weight_files=settings.weight_files))
    refuse_unfit(photo_model, "photos", opened.extractor.name)
    if region_model:
        refuse_unfit(region_model, "regions", opened.extractor.name)
    return opened


def _caption(
    described: "Described", checkpoint: "CaptionerCheckpoint", beam: "BeamConfig", opened: "Opened"
) -> "list[Caption]":
    from tqdm import tqdm

    from model.captions.agreement import Agreement
    from model.captions.caption import caption_features

    agreement = Agreement(opened.checkpoint.model, opened.checkpoint.vocabulary)
    found = caption_features(checkpoint.model, checkpoint.vocabulary, described.parts(), beam, agreement)
    return list(tqdm(found, total=len(described), desc="captions", unit=" photos"))


def _measure(opened: "Opened", described: "Described", found: "Sequence[Caption]") -> "CaptionScores":
    """Measure captions of photos, also against the training sentences where the dataset has a training split."""
    from model.captions.measures import measure_captions
    from model.words import words_of

    training = [words_of(text) for image in opened.data.images if image.split == "train" for text in image.sentences]
    if not training:
        click.echo(f"{opened.data.name} has no training sentences: how many captions are copied is left out", err=True)
    scores = measure_captions([caption.words for caption in found], described.sentences, training)
    if scores.meteor is None:
        click.echo("METEOR is left out: it needs Java, and no java that runs is on the PATH", err=True)
    return scores


def _measure_regions(
    opened: "Opened", photo_model: "CaptionerCheckpoint", region_model: "CaptionerCheckpoint", beam: "BeamConfig"
) -> "RegionScores":
    from model.captions.agreement import Agreement
    from model.captions.named_boxes import box_features, named_boxes
    from model.captions.region_measures import Rivals, measure_regions
    from model.captions.snippets import described_regions
    from model.captions.train import CaptionTrainingConfig

    boxes = named_boxes(opened.phrases)
    features = box_features(opened.extractor, opened.images, boxes)
    beta = region_model.about.get("training", {}).get("beta", CaptionTrainingConfig.beta)
    model, vocabulary = opened.checkpoint.model, opened.checkpoint.vocabulary
    training = described_regions(model, vocabulary, opened.features("train"), beta)
    rivals = Rivals(region_model, photo_model, Agreement(model, vocabulary), training, opened.extractor.narrowest)
    return measure_regions(boxes, features, rivals, beam)


def _write(path: Path, opened: "Opened", described: "Described", found: "Sequence[Caption]") -> None:
    from api.result_file import write_file

    document = [
        {
            "photo": opened.images[photo].path.name,
            "caption": caption.text,
            "log_probability": round(caption.log_probability, 5),
        }
        for photo, caption in zip(described.photos, found, strict=True)
    ]
    write_file(path, "captions", document)


def _lines(scores: "CaptionScores", of_regions: "RegionScores | None") -> list[str]:
    """Return the figures for a person."""
    found = asdict(scores)
    lines = [_HEAD, _row("photos", found)]
    if of_regions:
        lines.append(f"{of_regions.boxes:,} boxes of phrases")
        for name in ("region_model", "photo_model", "nearest_neighbour"):
            lines.append(_row(name.replace("_", " "), asdict(getattr(of_regions, name))))
    copied = "" if scores.copied is None else f", {scores.copied:.1f} % copied from training"
    return [*lines, f"of photos: {scores.distinct:.1f} % distinct{copied}, {scores.mean_length:.1f} words"]


_COLUMNS = {"bleu1": "BLEU-1", "bleu2": "BLEU-2", "bleu3": "BLEU-3", "bleu4": "BLEU-4", "meteor": "METEOR",
            "rouge_l": "ROUGE-L", "cider": "CIDEr"}  # fmt: skip
_HEAD = " " * 18 + "".join(f"{title:>9}" for title in _COLUMNS.values())


def _row(name: str, found: dict[str, Any]) -> str:
    cells = ["-" if found[key] is None else f"{found[key]:.{3 if key == 'cider' else 1}f}" for key in _COLUMNS]
    return f"{name:18}" + "".join(f"{cell:>9}" for cell in cells)
