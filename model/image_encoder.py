"""Region features to region vectors."""

import math

import torch
from torch import Tensor, nn

from model.boxes import GEOMETRY
from model.streams import stream_sizes

SMALLEST_SPREAD = 1e-3  # of a number that is the same in all photos


class ImageEncoder(nn.Module):
    """`v_i = W_m CNN(I_b) + b_m` (Karpathy and Fei-Fei 2015, eq. 1), once for each stream, on its kind of features.

    With `context`, each region also sees the whole photo: `v_i = W_m CNN(I_b) + W_c CNN(I) + b_m`.
    With a `rank_prior`, the last number of a vector is `-rank_prior log(1 + i) / 3` for the region of rank i: its
    product with the one that ends each word vector makes a region that the proposer ranks low a little less likely.
    The whole photo, the last region, has 0.3 in place of the logarithm's third.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self, feature_size: int, kinds: int, streams: int, dimension: int, dropout: float, unit: bool, context: bool,
        rank_prior: float, feature_spread: float,
    ) -> None:  # fmt: skip
        """Make the layers.

        Args:
            feature_size: F, numbers of one kind of feature of one region.
            kinds: of features; stream s takes kind s modulo their number.
            streams: how many.
            dimension: D, of a region vector.
            dropout: rate on features, in training.
            unit: each stream's part has length one, before it is scaled by the root of the number of streams.
            context: whether regions see the whole photo.
            rank_prior: 0 leaves the last number out.
            feature_spread: standard deviation of the features after `fit_spread`; 0 takes them as they are.
        """
        super().__init__()
        self.feature_size, self.kinds, self.unit, self.rank_prior = feature_size, kinds, unit, rank_prior
        self.feature_spread = feature_spread
        if feature_spread:
            self.register_buffer("shift", torch.zeros(kinds * feature_size + GEOMETRY))
            self.register_buffer("scale", torch.ones(kinds * feature_size + GEOMETRY))
        self.dropout = nn.Dropout(dropout)
        sizes = stream_sizes(dimension, streams, rank_prior > 0)
        self.project = nn.ModuleList(nn.Linear(feature_size + GEOMETRY, size) for size in sizes)
        self.context = nn.ModuleList(
            nn.Linear(feature_size + GEOMETRY, size, bias=False) for size in (sizes if context else [])
        )

    @torch.no_grad()
    def fit_spread(self, features: Tensor) -> None:
        """Take shift and scale from features of training photos, float32 (..., kinds * F + 5)."""
        rows = features.flatten(0, -2)
        self.shift.copy_(rows.mean(dim=0))
        self.scale.copy_(self.feature_spread / (rows.std(dim=0) + SMALLEST_SPREAD))

    def forward(self, features: Tensor) -> Tensor:
        """Encode the regions of photos.

        Args:
            features: float32 (..., R, kinds * F + 5): each kind of feature, then the box's geometry; best region
                first, the whole photo last.

        Returns:
            Region vectors, float32 (..., R, D).
        """
        if self.feature_spread:
            features = (features - self.shift) * self.scale
        geometry = features[..., -GEOMETRY:]
        parts = []
        for number, project in enumerate(self.project):
            start = number % self.kinds * self.feature_size
            kind = features[..., start : start + self.feature_size]
            seen = self.dropout(torch.cat([kind, geometry], dim=-1))  # (..., R, F + 5)
            vectors = project(seen)  # (..., R, size of the stream)
            if self.context:
                vectors = vectors + self.context[number](seen[..., -1:, :])
            parts.append(nn.functional.normalize(vectors, dim=-1) if self.unit else vectors)
        joined = torch.cat(parts, dim=-1) / math.sqrt(len(parts))
        return torch.cat([joined, self._prior(joined)], dim=-1) if self.rank_prior > 0 else joined

    def _prior(self, vectors: Tensor) -> Tensor:
        R = vectors.shape[-2]
        rank = torch.log1p(torch.arange(R, device=vectors.device)) / 3
        rank[-1] = 0.3
        return (-self.rank_prior * rank)[:, None].expand(*vectors.shape[:-1], 1)
