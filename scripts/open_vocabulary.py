"""Measure how well words are understood that training never saw, by their pretrained vectors alone.

    .venv/bin/python scripts/open_vocabulary.py --dataset FLICKR8K --cache runs/features --output runs/open-vocabulary

200 words of the dev sentences, drawn at random among those that are not the 300 commonest, are taken out of every
training sentence and of the learned vocabulary, and the default configuration is trained on what is left. Then the dev
sentences that have such a word look for their photo twice: with the word, and without it. Prints JSON.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import click
import numpy as np
import torch

from model.alignment import build_alignment_model
from model.checkpoint import load_checkpoint, word_vectors_of
from model.configurations import CONFIGURATIONS, changed
from model.dataset import DatasetImage
from model.datasets import read_dataset
from model.metrics import ranks, recall
from model.region_extractor import extractor_for_training
from model.retrieval import score_split
from model.split_features import split_features
from model.train import AlignmentTask
from model.training.processes import Processes
from model.training.trainer import Trainer
from model.vocabulary import Vocabulary
from model.word_vectors import WordVectors
from model.words import words_of

COMMONEST = 300


def choose_words(vocabulary: Vocabulary, vectors: WordVectors, dev: list[DatasetImage], count: int) -> set[str]:
    """Draw words that dev sentences have, training sentences have, and the pretrained table has."""
    said = {word for image in dev for sentence in image.sentences for word in words_of(sentence)}
    candidates = sorted(said & set(vocabulary.words[COMMONEST:]) & set(vectors.words))
    return set(np.random.default_rng(0).choice(candidates, count, replace=False).tolist())


def without(images: list[DatasetImage], words: set[str]) -> list[DatasetImage]:
    """Take words out of all sentences."""

    def shorten(sentence: str) -> str:
        return " ".join(word for word in words_of(sentence) if word not in words)

    return [replace(image, sentences=tuple(map(shorten, image.sentences))) for image in images]


@click.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path))
@click.option("--cache", required=True, type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path))
@click.option("--words", default=200, show_default=True)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE")
def main(dataset: Path, cache: Path, output: Path, words: int, settings: tuple[str, ...]) -> None:
    """Train without some words, then look for photos by them."""
    config, training = changed(*CONFIGURATIONS["default"], settings)
    config, extractor = extractor_for_training(config)
    data = read_dataset(dataset)
    train, dev = (split_features(data, split, extractor, cache) for split in ("train", "dev"))
    vectors = word_vectors_of()
    whole = Vocabulary.from_sentences(sentence for image in train.images for sentence in image.sentences)
    held_out = choose_words(whole, vectors, list(dev.images), words)
    seen = replace(train, images=without(list(train.images), held_out))
    vocabulary = Vocabulary.from_sentences(sentence for image in seen.images for sentence in image.sentences)
    vocabulary = vocabulary.with_more(vectors.words)
    torch.manual_seed(training.seed)
    model = build_alignment_model(config, vocabulary, vectors)
    Trainer(AlignmentTask(model, vocabulary, seen, dev, training, Processes()), training, output).run()

    model = load_checkpoint(output).model
    asked = [
        (row, words_of(sentence))
        for row, image in enumerate(dev.images)
        for sentence in image.sentences
        if held_out & set(words_of(sentence))
    ]
    result = {"held_out_words": len(held_out), "sentences": len(asked), "images": len(dev.images)}
    shortened = [(row, [word for word in sentence if word not in held_out]) for row, sentence in asked]
    for name, queries in (("with", asked), ("without", shortened)):
        scores = score_split(model, dev.features, [vocabulary.numbers(sentence) for _, sentence in queries])
        true = np.array([row for row, _ in queries])[:, None] == np.arange(len(dev.images))[None]
        result[name] = asdict(recall(ranks(scores.T.numpy(), true)))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
