"""Ranking losses over the scores of a batch, true pairs on the diagonal."""

import torch
from torch import Tensor

TEMPERATURE = 0.05  # of scores of unit vectors


def contrastive_loss(scores: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Rank sentences for each image and images for each sentence by softmax cross entropy.

    Args:
        scores: float32 (I, I); the true pair of row k is column k; no other pair of the batch is true.
        temperature: divides the scores.

    Returns:
        The mean of both directions, a scalar.

    Source: van den Oord et al. 2018, eq. 4, both ways.
    """
    targets = torch.arange(len(scores), device=scores.device)
    scaled = scores / temperature
    rows = torch.nn.functional.cross_entropy(scaled, targets)
    columns = torch.nn.functional.cross_entropy(scaled.T, targets)
    return (rows + columns) / 2


def hinge_loss(scores: Tensor, margin: float = 1.0) -> Tensor:
    """Sum the violations of the margin in both directions.

    `sum_k [ sum_l max(0, S_kl - S_kk + 1) + sum_l max(0, S_lk - S_kk + 1) ]`, l other than k.

    Source: Karpathy and Fei-Fei 2015, eq. 9.
    """
    true = scores.diagonal()
    other = ~torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    sentences = (scores - true[:, None] + margin).clamp(min=0)[other]
    images = (scores - true[None, :] + margin).clamp(min=0)[other]
    return sentences.sum() + images.sum()
