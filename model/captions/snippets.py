"""Snippets: what each region of a photo was called, found by aligning sentences. No box of a phrase is used."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from tqdm import tqdm

from model.alignment import AlignmentModel
from model.captions.described import Described
from model.sentence_encoder import pad_numbers
from model.train import SplitFeatures
from model.vocabulary import Vocabulary
from model.word_regions import align_words
from model.words import words_of


def runs(words: Sequence[str], regions: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    """Cut a sentence where the region changes.

    >>> list(runs(["a", "dog", "runs"], [3, 3, 1]))
    [(3, ['a', 'dog']), (1, ['runs'])]
    """
    start = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or regions[end] != regions[start]:
            yield regions[start], list(words[start:end])
            start = end


@torch.inference_mode()
def described_regions(model: AlignmentModel, vocabulary: Vocabulary, split: SplitFeatures, beta: float) -> Described:
    """Give each region of a split's photos the runs of words that decoding with `beta` gives it, with progress.

    Args:
        model: in evaluation mode.
        vocabulary: of the model; other words are in no snippet.
        split: photos with sentences, and their regions.
        beta: how much neighbouring words want the same region, see model.word_regions.
    """
    found: dict[tuple[int, int], list[list[str]]] = defaultdict(list)
    for row, image in enumerate(tqdm(split.images, desc="snippets", unit=" photos")):
        sentences = [[word for word in words_of(sentence) if word in vocabulary] for sentence in image.sentences]
        sentences = [sentence for sentence in sentences if sentence]
        if not sentences:
            continue
        regions = model.image_encoder(torch.from_numpy(np.asarray(split.features[row], dtype=np.float32)))  # (R, D)
        encoded = model.sentence_encoder(pad_numbers([vocabulary.numbers(sentence) for sentence in sentences]))
        for sentence, vectors in zip(sentences, encoded, strict=True):
            products = (regions @ vectors[: len(sentence)].T).numpy()  # (R, W)
            for region, snippet in runs(sentence, align_words(products, beta)):
                found[row, region].append(snippet)
    items = sorted(found)
    photos, chosen = np.array(items, dtype=np.int64).reshape(-1, 2).T
    return Described(split, "regions", photos, chosen, [found[item] for item in items])
