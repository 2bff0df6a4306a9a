"""Captioners with random weights for tests, whose next words are far from equally likely."""

import torch

from model.captions.captioner import Captioner, CaptionerConfig, build_captioner
from model.captions.decoders import DECODERS

DECODER_NAMES = sorted(DECODERS)
ROW_SIZE = 6


def make_captioner(decoder: str, words: int = 3, seed: int = 0) -> Captioner:
    torch.manual_seed(seed)
    config = CaptionerConfig(decoder=decoder, row_size=ROW_SIZE, embedding=8, hidden=8, dropout=0.5)
    captioner = build_captioner(config, words).eval()
    with torch.no_grad():
        for parameter in captioner.parameters():
            parameter.normal_(std=0.8)
    return captioner


def photos(count: int, regions: int = 4) -> torch.Tensor:
    return torch.randn(count, regions, ROW_SIZE, generator=torch.Generator().manual_seed(7))
