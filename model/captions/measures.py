"""Measures of captions: BLEU, METEOR, ROUGE-L and CIDEr of the COCO caption evaluation, and how varied they are.

Words are those of model.words on both sides, lower-cased and without punctuation, so that figures are the same with and
without Java, which the tokeniser of the COCO evaluation needs.
"""

import contextlib
import io
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from model.exceptions import CaptionError

Words = Sequence[str]


@dataclass(frozen=True)
class Closeness:
    """How near captions are to the references.

    Attributes:
        bleu1, bleu2, bleu3, bleu4: over the corpus, percent (Papineni et al. 2002).
        meteor: percent (Denkowski and Lavie 2014); None where no Java runs.
        rouge_l: percent (Lin 2004).
        cider: as the field prints it, about 0.5 (Vedantam et al. 2015); the references are its corpus.
    """

    bleu1: float
    bleu2: float
    bleu3: float
    bleu4: float
    meteor: float | None
    rouge_l: float
    cider: float


@dataclass(frozen=True)
class CaptionScores(Closeness):
    """How near captions are to the references, and how varied.

    Attributes:
        distinct: captions of which no other is the same, or the first of those that are, percent.
        copied: captions that stand in the training sentences word for word, percent; None where there are none.
        mean_length: words of a caption.
    """

    distinct: float
    copied: float | None
    mean_length: float


def check_measures() -> None:
    """Refuse where the measures are not installed.

    Raises:
        CaptionError: with the command that installs them.
    """
    try:
        import pycocoevalcap  # noqa: F401
    except ImportError as error:
        raise CaptionError(
            "captions are measured by the package pycocoevalcap: install it with: pip install 'dvsa[captions]'"
        ) from error


def has_java() -> bool:
    """Tell whether there is a Java to run METEOR with."""
    return shutil.which("java") is not None


def measure_captions(
    captions: Sequence[Words], references: Sequence[Sequence[Words]], training: Iterable[Words]
) -> CaptionScores:
    """Measure captions of N photos.

    Args:
        captions: words of the caption of each.
        references: words of the sentences that people wrote of each, one at least.
        training: words of the sentences of the training split.

    Raises:
        CaptionError: N is 0.
    """
    closeness = measure_closeness(captions, references)
    known = {tuple(sentence) for sentence in training}
    different = {tuple(caption) for caption in captions}
    return CaptionScores(
        **asdict(closeness),
        distinct=round(100 * len(different) / len(captions), 2),
        copied=round(100 * sum(tuple(one) in known for one in captions) / len(captions), 2) if known else None,
        mean_length=round(sum(map(len, captions)) / len(captions), 2),
    )


def measure_closeness(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> Closeness:
    """Measure how near captions of N photos or regions are; arguments and error as of `measure_captions`."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.rouge.rouge import Rouge

    if not captions:
        raise CaptionError("there is nothing to measure: no photo or region has a sentence with a word")
    said, wanted = _as_dictionaries(captions, references)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints lengths
        bleu, _ = Bleu(4).compute_score(wanted, said)
    rouge, _ = Rouge().compute_score(wanted, said)
    bleu1, bleu2, bleu3, bleu4 = (round(100 * score, 2) for score in bleu)
    return Closeness(
        bleu1, bleu2, bleu3, bleu4,
        meteor=_meteor(said, wanted) if has_java() else None,
        rouge_l=round(100 * float(rouge), 2),
        cider=round(cider(captions, references), 4),
    )  # fmt: skip


def cider(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """Return CIDEr of captions of N photos, the mean; arguments as of `measure_captions`."""
    from pycocoevalcap.cider.cider import Cider

    said, wanted = _as_dictionaries(captions, references)
    return float(Cider().compute_score(wanted, said)[0])


def _as_dictionaries(
    captions: Sequence[Words], references: Sequence[Sequence[Words]]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Return both as the COCO evaluation takes them: sentences with spaces between words, by photo."""
    said = {row: [" ".join(caption)] for row, caption in enumerate(captions)}
    return said, {row: [" ".join(words) for words in of_photo] for row, of_photo in enumerate(references)}


def _meteor(said: dict[int, list[str]], wanted: dict[int, list[str]]) -> float | None:
    from pycocoevalcap.meteor.meteor import Meteor

    scorer = Meteor()
    try:
        return round(100 * float(scorer.compute_score(wanted, said)[0]), 2)
    except (OSError, ValueError):  # it ended or said something else: a Java that does not run
        return None
    finally:
        for pipe in (scorer.meteor_p.stdin, scorer.meteor_p.stdout, scorer.meteor_p.stderr):
            with contextlib.suppress(OSError):  # what is written to a program that ended
                pipe.close()
        if scorer.lock.locked():
            scorer.lock.release()  # its destructor waits for it
