"""Streams: two-tower models side by side in one vector space, an ensemble in one index.

A vector is the streams' vectors joined and scaled by the root of their number, so that a product of two is the mean of
the streams' products. With a rank prior both vectors have one number more, behind the streams.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor


def stream_sizes(dimension: int, streams: int, prior: bool) -> list[int]:
    """Split D among streams as evenly as it goes.

    >>> stream_sizes(256, 2, prior=True)
    [128, 127]
    """
    size, more = divmod(dimension - prior, streams)
    return [size + (number < more) for number in range(streams)]


def each_stream(regions: Tensor, words: Tensor, streams: int, prior: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the region and word vectors (..., size) of each stream alone, as if it were the whole model."""
    start = 0
    scale = math.sqrt(streams)
    for size in stream_sizes(regions.shape[-1], streams, prior):
        part = slice(start, start + size)
        start += size
        yield _alone(regions, part, scale, prior), _alone(words, part, scale, prior)


def _alone(vectors: Tensor, part: slice, scale: float, prior: bool) -> Tensor:
    own = vectors[..., part] * scale
    return torch.cat([own, vectors[..., -1:]], dim=-1) if prior else own
