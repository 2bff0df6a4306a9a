import itertools

import numpy as np
import pytest

from model.word_regions import align_words


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0, 100.0])
@pytest.mark.parametrize("seed", range(5))
def test_decoding_is_as_good_as_brute_force(beta: float, seed: int) -> None:
    products = np.random.default_rng(seed).normal(size=(3, 5)).astype(np.float32)

    def total(regions: tuple[int, ...]) -> float:
        same = sum(a == b for a, b in itertools.pairwise(regions))
        return float(sum(products[region, word] for word, region in enumerate(regions)) + beta * same)

    best = max(total(regions) for regions in itertools.product(range(3), repeat=5))
    assert total(tuple(align_words(products, beta))) == pytest.approx(best, abs=1e-5)


def test_without_beta_each_word_takes_its_best_region() -> None:
    products = np.random.default_rng(9).normal(size=(4, 7)).astype(np.float32)
    assert align_words(products) == products.argmax(axis=0).tolist()


def test_large_beta_gives_all_words_the_best_region_of_the_sum() -> None:
    products = np.random.default_rng(9).normal(size=(4, 7)).astype(np.float32)
    assert align_words(products, beta=1e6) == [int(products.sum(axis=1).argmax())] * 7


def test_one_word_and_one_region() -> None:
    assert align_words(np.array([[-2.0]], dtype=np.float32), beta=1.0) == [0]
