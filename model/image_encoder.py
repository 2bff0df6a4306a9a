"""Region features to region vectors."""

import torch
from torch import Tensor, nn


class ImageEncoder(nn.Module):
    """`v_i = W_m CNN(I_b) + b_m` (Karpathy and Fei-Fei 2015, eq. 1), with dropout on the features in training."""

    def __init__(self, feature_size: int, dimension: int, dropout: float, unit: bool) -> None:
        """Make the map from `feature_size` (F + 5) to `dimension` (D); `unit` scales vectors to length one."""
        super().__init__()
        self.unit = unit
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(feature_size, dimension)

    def forward(self, features: Tensor) -> Tensor:
        """Encode features, float32 (..., F + 5), to region vectors, float32 (..., D)."""
        vectors: Tensor = self.project(self.dropout(features))
        return torch.nn.functional.normalize(vectors, dim=-1) if self.unit else vectors
