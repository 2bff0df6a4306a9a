"""What the figures say, in plain English; every sentence is made from what was measured."""

from collections.abc import Sequence

import numpy as np

from api.evaluation_report.breakdown import Share, chance_recall
from api.evaluation_report.confusions import MISSED, Confusion
from api.evaluation_report.evaluation import Evaluation
from api.evaluation_report.published import Published
from model.grounding import Grounding

TOLD = 5  # words named in a sentence
FEW = 100  # photos under which a tenth of them says nothing
LARGE = 30  # phrases under which a group is not compared


def recall_says(evaluation: Evaluation) -> list[str]:
    """Tell both directions, chance, and how far down the lost queries are."""
    photo, sentence = evaluation.recall
    pool = evaluation.pool
    k = min(10, pool)
    said = [
        f"A sentence has its photo among the first {k} of {pool:,} in {sentence.r10:.1f} % of the searches, and first "
        f"in {sentence.r1:.1f} %. An order at random would have it among the first {k} in "
        f"{chance_recall(pool, 1, k)[-1]:.1f} %.",
        f"A photo has one of its own sentences among the first 10 in {photo.r10:.1f} % of the searches, and first in "
        f"{photo.r1:.1f} %.",
    ]
    if pool >= FEW:
        ranks = evaluation.ranking.sentences.ranks
        lost = int((ranks > pool / 10).sum())
        said.append(f"{_of(lost, len(ranks))} sentences do not even have their photo in the first tenth of all photos.")
    return said


def published_says(own: Published, rows: Sequence[Published]) -> str:
    """Tell where one's own R@1 stands among published rows."""
    below = [row.model for row in rows if _first(row) < _first(own)]
    above = [row.model for row in rows if _first(row) > _first(own)]
    told = [f"above {', '.join(below)}"] if below else []
    told += [f"below {', '.join(above)}"] if above else []
    return f"By the mean R@1 of both directions this model stands {' and '.join(told)}."


def words_say(shares: Sequence[Share], whole: Share) -> list[str]:
    """Name the words whose sentences are found clearly less and clearly more often than all."""
    hard = [share for share in shares if share.clearly_below(whole)]
    easy = sorted((share for share in shares if whole.clearly_below(share)), key=lambda share: -share.interval[0])
    said = [
        f"Of {len(shares):,} words that are in enough sentences to tell, {len(hard):,} go with sentences found clearly "
        f"less often than all sentences ({whole.percent:.0f} %), and {len(easy):,} clearly more often."
    ]
    if hard:
        said.append(f"Hardest to find are sentences with {_named(hard)}.")
    if easy:
        said.append(f"Easiest are sentences with {_named(easy)}.")
    return said


def length_says(shares: Sequence[Share]) -> str:
    """Tell whether longer sentences are found more often."""
    if len(shares) < 2:
        return "All sentences are of about one length, so its effect cannot be told."
    worst, best = min(shares, key=lambda share: share.percent), max(shares, key=lambda share: share.percent)
    if not worst.clearly_below(best):
        return "The length of a sentence makes no difference that these figures can tell from chance."
    return (
        f"Sentences of {best.name} are found best ({best.percent:.0f} % among the first {MISSED}), "
        f"those of {worst.name} worst ({worst.percent:.0f} %)."
    )


def unknown_says(understood: Share, others: Share) -> str:
    """Tell what words outside the vocabulary cost."""
    if not others.total:
        return "The model knows every word of every sentence."
    share = 100.0 * others.total / (others.total + understood.total)
    said = f"{share:.0f} % of the sentences have a word that the model does not know and passes over"
    if others.clearly_below(understood) or understood.clearly_below(others):
        return f"{said}; {others.percent:.0f} % of them are found, and {understood.percent:.0f} % of the others."
    return (
        f"{said}; it makes no clear difference: {others.percent:.0f} % found, {understood.percent:.0f} % of the others."
    )


def confusions_say(found: Sequence[Confusion], missed: int) -> list[str]:
    """Tell what the pairs mean, on the first of them."""
    if not found:
        return [
            f"Among {missed:,} missed sentences no pair of words is seen together clearly oftener than by chance: "
            "too few were missed, or they were missed for many reasons."
        ]
    one = found[0]
    return [
        f"Asked for “{one.asked}” and missing its photo, the model ranks photos first that show “{one.shown}” "
        f"{one.ratio:.1f} times as often as photos at random: {one.times:,} times in {one.queries:,} missed sentences, "
        f"{one.expected:.0f} to be expected.",
    ]


def grounding_says(found: Grounding, whole: Grounding) -> list[str]:
    """Tell the choice against what was possible and against always answering the whole photo."""
    said = [
        f"Words choose a right region (IoU 0.5) for {found.iou50:.1f} % of {found.phrases:,} phrases; for "
        f"{found.proposal_recall:.1f} % there is one among the regions of the photo. The rest, "
        f"{100 - found.proposal_recall:.1f} %, no choice could get right.",
    ]
    for name, own, trivial in (
        ("overlap", found.iou50, whole.iou50),
        ("the pointing game", found.pointing, whole.pointing),
    ):
        verdict = "better than" if own > trivial else "worse than" if own < trivial else "as good as"
        said.append(
            f"By {name} the choice is {verdict} always answering the whole photo: {own:.1f} % against {trivial:.1f} %."
        )
    return said


def groups_say(chosen: Sequence[Share], possible: Sequence[Share]) -> str:
    """Name the best and the worst of groups of phrases, and what was possible there.

    Args:
        chosen: phrases that got a right region, by group.
        possible: phrases that had one, by the same groups.
    """
    large = [pair for pair in zip(chosen, possible, strict=True) if pair[0].total >= LARGE]
    if len(large) < 2:
        return "There are too few phrases of more than one group to compare."
    (worst, worst_possible), *_, (best, best_possible) = sorted(large, key=lambda pair: pair[0].percent)
    if not worst.clearly_below(best):
        return "The groups differ by no more than these figures leave to chance."
    return (
        f"A right region is chosen most often for “{best.name}” ({best.percent:.0f} %, and one exists for "
        f"{best_possible.percent:.0f} %) and least often for “{worst.name}” ({worst.percent:.0f} %, and one exists for "
        f"{worst_possible.percent:.0f} %)."
    )


def in_short(evaluation: Evaluation, words: Sequence[Share], whole: Share, found: Sequence[Confusion]) -> list[str]:
    """Gather what the model cannot do: what is missed, by which words, and what is taken for what."""
    said = [f"It misses {100 - whole.percent:.0f} of 100 sentences: their photo is not among the first {MISSED}."]
    hard = [share for share in words if share.clearly_below(whole)]
    if hard:
        names = _list([f"“{share.name}”" for share in hard[:TOLD]])
        said.append(f"The hardest sentences to find are those with {names}.")
    if found:
        distinct = list({one.asked: one for one in reversed(found)}.values())[::-1][:TOLD]
        pairs = _list([f"“{one.asked}” finds “{one.shown}”" for one in distinct])
        said.append(f"It confuses: {pairs}.")
    if evaluation.grounded:
        right = 100 * np.mean([one.hit for one in evaluation.grounded])
        possible = 100 * np.mean([one.possible for one in evaluation.grounded])
        said.append(f"Of 100 phrases {right:.0f} get a right box, though {possible:.0f} have one among the regions.")
    return said


def _named(shares: Sequence[Share]) -> str:
    return _list([f"“{share.name}” ({share.percent:.0f} % of {share.total})" for share in shares[:TOLD]])


def _list(items: Sequence[str]) -> str:
    """Join items.

    >>> _list(["a", "b", "c"]), _list(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def _of(part: int, total: int) -> str:
    return f"{part:,} of {total:,} ({100.0 * part / total:.1f} %)"


def _first(row: Published) -> float:
    return (row.image_to_sentence[0] + row.sentence_to_image[0]) / 2
