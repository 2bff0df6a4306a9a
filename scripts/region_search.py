"""Measure what a box on a photo should be as a query: the box encoded, or the stored regions that it covers.

    .venv/bin/python scripts/region_search.py --dataset FLICKR8K --entities FLICKR8K/entities.json --cache runs/features

A query is a box of Flickr30k Entities that is the only one of its thing and covers 2 to 60 % of its dev photo. A photo
that was found is right if it has a box whose phrases have the same head (their last word), a sentence if it has that
word. Prints the share of right ones among the ten best, other photos than the query's and their sentences, as JSON; by
the part of the box that is most like an item ("best part") and by the whole score ("both ways").
"""

import json
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import torch

from engine.encoder import ModelEncoder
from engine.fragments import Fragments, ScoreTerms
from engine.scoring import exact_scores, top_k
from model.captions.named_boxes import NamedBox, named_boxes
from model.checkpoint import BUNDLED, load_checkpoint
from model.datasets import read_dataset
from model.entities import read_entities
from model.photo import load_photo
from model.region_extractor import extractor_of_model
from model.split_features import split_features
from model.words import words_of

LEAST, MOST = 0.02, 0.6  # shares of the photo
COVERED = 0.7  # of a region's area
SCORES = {
    "best part": ScoreTerms(query=True, stored=False, reduction="mean"),
    "both ways": ScoreTerms(query=True, stored=True, reduction="mean"),
}
Vectors = npt.NDArray[np.float32]


def overlaps(box: Vectors, boxes: Vectors) -> tuple[Vectors, Vectors]:
    """Return the IoU of a box with others, and the share of each of them that it covers."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = sides.clip(0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return shared / ((box[2:] - box[:2]).prod() + areas - shared), shared / areas


def queries_of(encoded: Vectors, stored: Vectors, box: Vectors, boxes: Vectors) -> Mapping[str, Vectors]:
    """Return what could be asked for a box: region vectors, float32 (Q, D)."""
    iou, share = overlaps(box, boxes)
    nearest, covered = stored[[int(iou.argmax())]], stored[:-1][share[:-1] >= COVERED]
    return {
        "the box encoded": encoded,
        "the stored region of the highest IoU": nearest,
        "the stored regions that the box covers": covered if len(covered) else nearest,
        "all stored regions": stored,
    }


def heads(named: NamedBox) -> set[str]:
    """Return the heads of the phrases of a box."""
    return {words[-1] for words in named.phrases}


@click.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path))
@click.option("--entities", required=True, type=click.Path(path_type=Path))
@click.option("--cache", required=True, type=click.Path(path_type=Path))
@click.option("--boxes", default=120, show_default=True, help="Queries, drawn at random.")
@torch.inference_mode()
def main(dataset: Path, entities: Path, cache: Path, boxes: int) -> None:
    """Ask by boxes of dev, and count what is right."""
    checkpoint = load_checkpoint(BUNDLED)
    encoder, extractor = ModelEncoder(checkpoint), extractor_of_model(checkpoint.model.config)
    dev = split_features(read_dataset(dataset), "dev", extractor, cache)
    tensors = (torch.from_numpy(features.astype(np.float32)) for features in dev.features)
    vectors = [checkpoint.model.image_encoder(features).numpy() for features in tensors]
    texts = [(photo, text) for photo, image in enumerate(dev.images) for text in image.sentences]
    words = [encoder.encode_sentences([text])[0].vectors for _, text in texts]
    known = [number for number, rows in enumerate(words) if len(rows)]
    items = {
        "photos": Fragments.of(range(len(vectors)), vectors, encoder.dimension),
        "sentences": Fragments.of(known, [words[number] for number in known], encoder.dimension),
    }
    named = named_boxes(read_entities(entities, dev.images))
    shown: list[set[str]] = [set() for _ in dev.images]
    for one in named:
        shown[one.photo] |= heads(one)
    says = {"photos": shown, "sentences": [set(words_of(text)) for _, text in texts]}
    photo_of = {"photos": np.arange(len(vectors)), "sentences": np.array([photo for photo, _ in texts])}
    areas = [float((one.box[2:] - one.box[:2]).prod()) for one in named]
    alone = {id(one.phrases): sum(other.phrases is one.phrases for other in named) == 1 for one in named}
    whole = [float(of[-1, 2:].prod()) for of in dev.boxes]
    fit = [
        one
        for one, area in zip(named, areas, strict=True)
        if alone[id(one.phrases)] and LEAST <= area / whole[one.photo] <= MOST
    ]
    right: dict[str, list[float]] = {}
    for place in np.random.default_rng(0).permutation(len(fit))[:boxes]:
        one = fit[place]
        encoded = encoder.encode_box(load_photo(dev.images[one.photo].path), one.box).vectors
        for asked, query in queries_of(encoded, vectors[one.photo], one.box, dev.boxes[one.photo]).items():
            for score, terms in SCORES.items():
                for kind, stored in items.items():
                    scores = exact_scores(query, stored, terms)
                    scores[photo_of[kind][stored.ids] == one.photo] = -np.inf
                    best, _ = top_k(scores, stored.ids, 10)
                    share = float(np.mean([bool(says[kind][item] & heads(one)) for item in best]))
                    right.setdefault(f"{asked}, {score} -> {kind}", []).append(share)
    print(json.dumps({name: round(100 * float(np.mean(shares)), 1) for name, shares in right.items()}, indent=2))


if __name__ == "__main__":
    main()
