"""How the segments of an index become those of its next state.

Segments that stay are linked. Neighbours are merged until each is twice as large as the next, so that there are
never many; one that has lost a fifth of its fragments is written anew. Where the collection has outgrown its codebook
(its size calls for half as many centroids again, or a third fewer), everything is, with a new codebook.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import torch

from engine.codebook import Codebook
from engine.compressed_fragments import compress
from engine.device import CPU
from engine.fragments import Fragments
from engine.segments import Segment, link_files, write_segment

CODEBOOK = "codebook"  # folder within the index's
MOST_REMOVED = 0.2  # of a segment's fragments, before it is written anew


def write_whole(
    path: Path, dimension: int, pieces: Iterable[Fragments], exact_up_to: int, device: torch.device = CPU
) -> None:
    """Write an index of one segment into an existing folder, with a codebook above so many fragments."""
    segment = write_segment(path / _name(1), dimension, pieces, None)
    if len(segment.stored.vectors) > exact_up_to:
        codebook = Codebook.train(segment.stored, device)
        codebook.write(path / CODEBOOK)
        compress(segment.path, segment.stored, codebook, device)


def assemble(
    path: Path, segments: Sequence[Segment], codebook: Codebook | None, former: Path, exact_up_to: int
) -> None:
    """Write an index of the items of these segments into an existing folder.

    Args:
        path: the folder.
        segments: one at least, in order.
        codebook: that they are compressed with, if any.
        former: folder of the index that has it.
        exact_up_to: fragments up to which there is none.
    """
    dimension = segments[0].stored.dimension
    fragments = sum(segment.kept_fragments for segment in segments)
    if (codebook is None) != (fragments <= exact_up_to) or (codebook and not codebook.fits(fragments)):
        write_whole(path, dimension, _pieces(segments), exact_up_to)
        return
    if codebook is not None:
        link_files(former / CODEBOOK, path / CODEBOOK)
    for number, group in enumerate(merges([segment.kept_fragments for segment in segments]), start=1):
        joined = segments[group]
        if len(joined) == 1 and joined[0].kept_fragments > (1 - MOST_REMOVED) * len(joined[0].stored.vectors):
            joined[0].link(path / _name(number))
        else:
            write_segment(path / _name(number), dimension, _pieces(joined), codebook)


def merges(sizes: Sequence[int]) -> list[slice]:
    """Say which neighbours become one, so that each is twice as large as the next or more.

    >>> merges([1000, 100, 60, 10]), merges([5, 5, 5])
    ([slice(0, 1, None), slice(1, 3, None), slice(3, 4, None)], [slice(0, 2, None), slice(2, 3, None)])
    """
    groups: list[slice] = []
    for place in range(len(sizes)):
        groups.append(slice(place, place + 1))
        while len(groups) > 1 and sum(sizes[groups[-2]]) < 2 * sum(sizes[groups[-1]]):
            last = groups.pop()
            groups[-1] = slice(groups[-1].start, last.stop)
    return groups


def _pieces(segments: Sequence[Segment]) -> Iterable[Fragments]:
    return chain.from_iterable(segment.pieces() for segment in segments)


def _name(number: int) -> str:
    return f"{number:06d}"
