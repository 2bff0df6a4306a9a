"""Captions of features."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from model.captions.agreement import Agreement
from model.captions.beam import BeamConfig, Sentence, beam_search
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
    captioner: Captioner, vocabulary: Vocabulary, features: Iterable[Tensor], beam: BeamConfig,
    agreement: Agreement | None = None,
) -> Iterator[Caption]:  # fmt: skip
    """Caption photos or regions, in their order; a caption does not depend on its neighbours.

    Args:
        captioner: in evaluation mode.
        vocabulary: of the captioner.
        features: parts of B photos or regions, float32 (B, N, X), see `Captioner.remember`; read as they are needed.
        beam: how to search.
        agreement: what the alignment model thinks of sentences; None leaves it out. Of the two rows of features that a
            captioner of regions takes, the model is shown the region alone.

    Raises:
        CaptionError: features are not numbers.
    """
    for part in features:
        if not part.isfinite().all():
            raise CaptionError("the features of a photo are not numbers; extract them again")
        beams = beam_search(captioner, part, beam)
        found = [[_caption(sentence, vocabulary) for sentence in of_photo] for of_photo in beams]
        if agreement is None or not beam.agreement:
            yield from (best for best, *_ in found)
            continue
        described = part[:, -1:] if captioner.config.subject == "regions" else part
        scores = agreement.of(described, [[caption.words for caption in captions] for captions in found])
        for sentences, captions, agreed in zip(beams, found, scores, strict=True):
            normed = [sentence.normed(beam.length_norm) for sentence in sentences]
            total = [norm + beam.agreement * score for norm, score in zip(normed, agreed.tolist(), strict=True)]
            yield captions[total.index(max(total))]


def _caption(sentence: Sentence, vocabulary: Vocabulary) -> Caption:
    return Caption(tuple(vocabulary.words[number - 1] for number in sentence.numbers), sentence.log_probability)
