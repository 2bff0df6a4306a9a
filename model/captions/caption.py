"""Captions of features."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from model.captions.beam import BeamConfig, beam_search
from model.captions.captioner import Captioner
from model.exceptions import CaptionError
from model.vocabulary import Vocabulary
from model.words import join_words


@dataclass(frozen=True)
class Caption:
    """A caption.

    Attributes:
        words: one at least, each of the captioner's vocabulary.
        log_probability: of the words and the end, nats.
    """

    words: tuple[str, ...]
    log_probability: float

    @property
    def text(self) -> str:
        """Return the words as a text."""
        return join_words(self.words)


def caption_features(
    captioner: Captioner, vocabulary: Vocabulary, features: Iterable[Tensor], beam: BeamConfig
) -> Iterator[Caption]:
    """Caption photos or regions, in their order; a caption does not depend on its neighbours.

    Args:
        captioner: in evaluation mode.
        vocabulary: of the captioner.
        features: parts of B photos or regions, float32 (B, N, X), see `Captioner.remember`; read as they are needed.
        beam: how to search.

    Raises:
        CaptionError: features are not numbers.
    """
    for part in features:
        if not part.isfinite().all():
            raise CaptionError("the features of a photo are not numbers; extract them again")
        for best, *_ in beam_search(captioner, part, beam):
            words = tuple(vocabulary.words[number - 1] for number in best.numbers)
            yield Caption(words, best.log_probability)
