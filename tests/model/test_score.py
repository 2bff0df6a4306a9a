import pytest
import torch

from model.score import ScoreConfig, image_sentence_scores

REGIONS = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])  # one image: e1 and 2 e2
WORDS = torch.tensor([[[3.0, 1.0], [1.0, 1.0]]])  # products: word 1: 3, 2; word 2: 1, 2
ALL = torch.ones(1, 2, dtype=torch.bool)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (ScoreConfig("words", "sum"), 3.0 + 2.0),
        (ScoreConfig("words", "mean"), 2.5),
        (ScoreConfig("both", "sum"), 5.0 + (3.0 + 2.0)),
        (ScoreConfig("both", "mean"), 2.5 + 2.5),
    ],
)
def test_score_of_a_pair_worked_out_by_hand(config: ScoreConfig, expected: float) -> None:
    assert image_sentence_scores(REGIONS, ALL, WORDS, ALL, config).item() == expected


def slow_score(regions: torch.Tensor, words: torch.Tensor, config: ScoreConfig) -> float:
    best_regions = [max(float(region @ word) for region in regions) for word in words]
    best_words = [max(float(region @ word) for word in words) for region in regions]
    mean = config.reduction == "mean"
    total = sum(best_regions) / (len(best_regions) if mean else 1)
    if config.directions == "both":
        total += sum(best_words) / (len(best_words) if mean else 1)
    return total


@pytest.mark.parametrize("directions", ["words", "both"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_blocked_score_equals_slow_loop_with_padding_and_negative_products(directions: str, reduction: str) -> None:
    config = ScoreConfig(directions, reduction)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    regions = torch.randn(3, 4, 5, generator=generator)
    words = -regions.mean(dim=(0, 1)) + 0.1 * torch.randn(4, 6, 5, generator=generator)  # mostly negative products
    region_counts, word_counts = [4, 1, 2], [6, 1, 3, 2]
    region_mask = torch.arange(4) < torch.tensor(region_counts)[:, None]
    word_mask = torch.arange(6) < torch.tensor(word_counts)[:, None]
    scores = image_sentence_scores(regions, region_mask, words, word_mask, config)
    for image, region_count in enumerate(region_counts):
        for sentence, word_count in enumerate(word_counts):
            expected = slow_score(regions[image, :region_count], words[sentence, :word_count], config)
            assert scores[image, sentence].item() == pytest.approx(expected, abs=1e-5)


def test_padding_never_beats_negative_products() -> None:
    words = torch.tensor([[[-1.0, -1.0], [5.0, 5.0]]])
    mask = torch.tensor([[True, False]])
    config = ScoreConfig("both", "sum")
    assert image_sentence_scores(REGIONS, ALL, words, mask, config).item() == -1.0 + (-1.0 - 2.0)


def test_score_of_a_pair_does_not_depend_on_its_batch() -> None:
    generator = torch.Generator().manual_seed(1)
    regions, words = torch.randn(5, 3, 4, generator=generator), torch.randn(6, 2, 4, generator=generator)
    region_mask, word_mask = torch.ones(5, 3, dtype=torch.bool), torch.ones(6, 2, dtype=torch.bool)
    config = ScoreConfig("both", "mean")
    together = image_sentence_scores(regions, region_mask, words, word_mask, config)
    alone = image_sentence_scores(regions[2:3], region_mask[2:3], words[4:5], word_mask[4:5], config)
    assert alone.shape == (1, 1)
    assert together[2, 4].item() == pytest.approx(alone.item(), abs=1e-6)


@pytest.mark.parametrize("directions", ["words", "both"])
def test_gradient_is_that_of_finite_differences_with_padding(directions: str) -> None:
    generator = torch.Generator().manual_seed(2)
    regions = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    words = torch.randn(3, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    region_mask = torch.tensor([[True, True, False], [True, True, True]])
    word_mask = torch.tensor([[True, False, False], [True, True, True], [True, True, False]])
    config = ScoreConfig(directions, "mean")  # type: ignore[arg-type]
    assert torch.autograd.gradcheck(
        lambda r, w: image_sentence_scores(r, region_mask, w, word_mask, config), (regions, words)
    )
