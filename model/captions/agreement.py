"""What the alignment model thinks of captions: how well each sentence of a beam goes with what it describes."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import torch
from torch import Tensor

from model.alignment import AlignmentModel
from model.score import image_sentence_scores
from model.sentence_encoder import pad_numbers
from model.vocabulary import PADDING, Vocabulary


class Agreement:
    """Scores the sentences of beams by the alignment model.

    Args:
        model: in evaluation mode; takes the features that the captioner takes.
        vocabulary: of the model.
    """

    def __init__(self, model: AlignmentModel, vocabulary: Vocabulary) -> None:
        self._model, self._vocabulary = model, vocabulary

    @torch.inference_mode()
    def of(self, features: Tensor, beams: Sequence[Sequence[Sequence[str]]]) -> list[Tensor]:
        """Score the sentences of the beam of each photo or region.

        Args:
            features: of B photos, float32 (B, R, X), or of B regions, (B, 1, X).
            beams: words of the sentences of each.

        Returns:
            For each the image-sentence scores of its S sentences, float32 (S,), less their mean and divided by
            their standard deviation, which makes them comparable whatever the score is made of. A sentence without a
            word that the model knows has 0, and so has each where all score the same.
        """
        numbers = [[self._vocabulary.numbers(words) for words in beam] for beam in beams]
        found = [torch.zeros(len(beam)) for beam in beams]
        known = [(photo, place) for photo, beam in enumerate(numbers) for place, words in enumerate(beam) if words]
        if not known:
            return found
        padded = pad_numbers([numbers[photo][place] for photo, place in known])
        words = self._model.sentence_encoder(padded)  # (sentences of all, W, D)
        regions = self._model.image_encoder(features)  # (B, R, D)
        region_mask = torch.ones(1, regions.shape[1], dtype=torch.bool)
        first = 0
        for photo, group in groupby(known, key=itemgetter(0)):
            places = [place for _, place in group]
            rows = slice(first, first + len(places))
            first += len(places)
            mask = padded[rows] != PADDING
            (scores,) = image_sentence_scores(
                regions[photo, None], region_mask, words[rows], mask, self._model.config.score
            )
            spread = scores.std(correction=0)
            if spread > 0:
                found[photo][places] = (scores - scores.mean()) / spread
        return found
