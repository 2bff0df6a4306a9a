"""The image-sentence score, as pure functions.

`S_kl = sum over words t of max over regions i of v_i . s_t` (Karpathy and Fei-Fei 2015, eq. 8), inner products
of vectors as the encoders give them. Named variations: the mean instead of the sum, and a second term the other way
round (over regions, of the best word), as in later work (Lee et al. 2018, SCAN).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import ConfigDict, with_config
from torch import Tensor


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class ScoreConfig:
    """How a checkpoint makes its score; index and search follow it.

    Attributes:
        directions: "words" sums over words of the best region; "both" adds the same over regions of the best word.
        reduction: "sum" as in the paper, or "mean", which does not favour long sentences.
    """

    directions: Literal["words", "both"] = "words"
    reduction: Literal["sum", "mean"] = "sum"


def image_sentence_scores(
    regions: Tensor, region_mask: Tensor, words: Tensor, word_mask: Tensor, config: ScoreConfig
) -> Tensor:
    """Score every image against every sentence.

    Args:
        regions: region vectors, float32 (I, R, D).
        region_mask: True where a region is real, bool (I, R); at least one per image.
        words: word vectors, float32 (S, W, D).
        word_mask: True where a word is real, bool (S, W); at least one per sentence.
        config: which terms the score has.

    Returns:
        Scores, float32 (I, S); higher is better.

    Source: Karpathy and Fei-Fei 2015, eq. 8.
    """
    products = torch.einsum("ird,swd->irsw", regions, words)  # (I, R, S, W)
    with torch.no_grad():  # in place, and not worth a node in the graph: what is masked never wins, nor has a gradient
        products.masked_fill_(~region_mask[:, :, None, None], -torch.inf).masked_fill_(~word_mask, -torch.inf)
    total = best_region_term(products, region_mask, word_mask, config)  # (I, S)
    if config.directions == "both":
        total = total + best_word_term(products, region_mask, word_mask, config)
    return total


def best_region_term(products: Tensor, region_mask: Tensor, word_mask: Tensor, config: ScoreConfig) -> Tensor:
    """Sum or average over words the product with their best region; products (I, R, S, W) to scores (I, S)."""
    best = products.max(dim=1).values.masked_fill(~word_mask, 0.0)  # (I, S, W)
    total = best.sum(dim=2)  # (I, S)
    return total / word_mask.sum(dim=1) if config.reduction == "mean" else total


def best_word_term(products: Tensor, region_mask: Tensor, word_mask: Tensor, config: ScoreConfig) -> Tensor:
    """Sum or average over regions the product with their best word; products (I, R, S, W) to scores (I, S)."""
    best = products.max(dim=3).values.masked_fill(~region_mask[:, :, None], 0.0)  # (I, R, S)
    total = best.sum(dim=1)  # (I, S)
    return total / region_mask.sum(dim=1)[:, None] if config.reduction == "mean" else total
