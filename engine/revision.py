"""How the segments of an index become those of its next state.

`assemble` makes the next state quickly, so that what comes is found at once: segments that stay are linked, what comes
is one more, and only small neighbours are merged. What takes longer is left to `renew`, which writes the same items
anew beside the index while searches and changes go on: neighbours are merged until each segment is twice as large as
the next, so that there are never many; one that has lost a fifth of its fragments is rid of them; and where the
codebook does not fit any more, a new one is trained. `renewal` says when.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch

from engine.codebook import Codebook
from engine.compressed_fragments import compress
from engine.device import CPU
from engine.drift import drift, mean_error, write_error
from engine.fragments import Fragments
from engine.segmented_items import SegmentedItems
from engine.segments import Segment, link_files, write_segment

CODEBOOK = "codebook"  # folder within the index's
MOST_REMOVED = 0.2  # of a segment's fragments, before it is written anew
MERGED_AT_ONCE = 10_000  # fragments that a change writes anew itself: about a second's work at a million photos
MOST_DRIFT = 1.1
"""Growth of the mean error at which a codebook is trained anew; 2 % of the best among what came later is missed by then
(docs/measurements.md)."""


@dataclass(frozen=True)
class Renewal:
    """Why an index should be written anew, as a phrase, and whether with a new codebook, or with none any more."""

    reason: str
    retrain: bool


def write_whole(
    path: Path, dimension: int, pieces: Iterable[Fragments], exact_up_to: int, device: torch.device = CPU
) -> None:
    """Write an index of one segment into an existing folder, with a codebook above so many fragments."""
    segment = write_segment(path / _name(1), dimension, pieces, None)
    if segment.stored.fragment_count > exact_up_to:
        codebook = _train(path, SegmentedItems([segment]), device)
        compress(segment.path, segment.stored, codebook, device)


def assemble(path: Path, segments: Sequence[Segment], codebook: Codebook | None, former: Path) -> None:
    """Write an index of the items of these segments into an existing folder.

    Args:
        path: the folder.
        segments: one at least, in order.
        codebook: that they are compressed with, if any.
        former: folder of the index that has it.
    """
    if codebook is not None:
        link_files(former / CODEBOOK, path / CODEBOOK)
    _write_groups(path, segments, MERGED_AT_ONCE, codebook, anew=False)


def renewal(items: SegmentedItems, codebook: Codebook | None, trained_error: float, exact_up_to: int) -> Renewal | None:
    """Say whether an index should be written anew.

    Args:
        items: what it holds.
        codebook: of the index, if any.
        trained_error: of the codebook when it was trained.
        exact_up_to: fragments up to which there is none; it is given up below half as many.
    """
    fragments = items.fragment_count
    if codebook is None and fragments > exact_up_to:
        return Renewal("it has outgrown exact search", retrain=True)
    if codebook is not None:
        if fragments <= exact_up_to / 2:
            return Renewal("it is small enough for exact search", retrain=True)
        if not codebook.fits(fragments):
            return Renewal("its size calls for another codebook", retrain=True)
        grown = drift(items, codebook, trained_error)
        if grown > MOST_DRIFT:
            return Renewal(f"its content has drifted: {grown:.2f} times as far from the codebook", retrain=True)
    if len(_groups(items.segments, math.inf)) < len(items.segments) or any(map(_is_worn, items.segments)):
        return Renewal("its parts are to be joined", retrain=False)
    return None


def renew(
    path: Path,
    items: SegmentedItems,
    codebook: Codebook | None,
    former: Path,
    exact_up_to: int,
    due: Renewal,
    device: torch.device = CPU,
) -> None:
    """Write the same items into an existing folder, as `renewal` calls for."""
    if due.retrain:
        codebook = _train(path, items, device) if items.fragment_count > exact_up_to else None
    elif codebook is not None:
        link_files(former / CODEBOOK, path / CODEBOOK)
    _write_groups(path, items.segments, math.inf, codebook, anew=due.retrain)


def merges(sizes: Sequence[int], most: float = math.inf) -> list[slice]:
    """Say which neighbours become one, so that each is twice as large as the next or more.

    Args:
        sizes: of the segments.
        most: what would be larger is not made.

    >>> merges([1000, 100, 60, 10]), merges([5, 5, 5])
    ([slice(0, 1, None), slice(1, 3, None), slice(3, 4, None)], [slice(0, 2, None), slice(2, 3, None)])
    >>> merges([9, 9, 3, 2], most=6)
    [slice(0, 1, None), slice(1, 2, None), slice(2, 4, None)]
    """
    groups: list[slice] = []
    for place in range(len(sizes)):
        groups.append(slice(place, place + 1))
        while len(groups) > 1:
            before, last = sum(sizes[groups[-2]]), sum(sizes[groups[-1]])
            if before >= 2 * last or before + last > most:
                break
            groups[-2:] = [slice(groups[-2].start, groups[-1].stop)]
    return groups


def _groups(segments: Sequence[Segment], most: float) -> list[slice]:
    return merges([segment.kept_fragments for segment in segments], most)


def _write_groups(path: Path, segments: Sequence[Segment], most: float, codebook: Codebook | None, anew: bool) -> None:
    """Write segments, merged up to so many fragments.

    Args:
        path: the folder.
        segments: one at least.
        most: fragments of what is written anew, other than in the compressed form.
        codebook: None leaves them uncompressed.
        anew: the segments are not compressed with this codebook.
    """
    for number, group in enumerate(_groups(segments, most), start=1):
        joined, folder = segments[group], path / _name(number)
        if len(joined) > 1 or (_is_worn(joined[0]) and joined[0].kept_fragments <= most):
            pieces = chain.from_iterable(segment.pieces() for segment in joined)
            write_segment(folder, joined[0].stored.dimension, pieces, codebook)
            continue
        joined[0].link(folder, compressed=not anew)
        if anew and codebook:
            compress(folder, joined[0].stored, codebook)


def _is_worn(segment: Segment) -> bool:
    return len(segment.removed) > 0 and segment.kept_fragments <= (1 - MOST_REMOVED) * segment.stored.fragment_count


def _train(path: Path, items: SegmentedItems, device: torch.device) -> Codebook:
    codebook = Codebook.train(items, device)
    codebook.write(path / CODEBOOK)
    write_error(path / CODEBOOK, mean_error(items, codebook))
    return codebook


def _name(number: int) -> str:
    return f"{number:06d}"
