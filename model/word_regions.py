"""Words to regions: the chain MRF of the paper, decoded by dynamic programming."""

import numpy as np
import numpy.typing as npt


def align_words(products: npt.NDArray[np.float32], beta: float = 0.0) -> list[int]:
    """Choose a region for each word, neighbours preferring the same one.

    Maximises `sum_j v_{a_j} . s_j + beta * sum_j [a_j = a_{j+1}]` (the paper says "minimise", which read literally
    picks the worst regions).

    Args:
        products: inner products of R regions and W words, float32 (R, W), W at least 1.
        beta: 0 gives each word its own best region; large gives all words one region. Not negative.

    Returns:
        The region number of each word; of equal choices the lowest number.

    >>> align_words(np.array([[1.0, 0.0, 1.0], [0.0, 0.5, 0.0]], dtype=np.float32))
    [0, 1, 0]
    >>> align_words(np.array([[1.0, 0.0, 1.0], [0.0, 0.5, 0.0]], dtype=np.float32), beta=1.0)
    [0, 0, 0]

    Source: Karpathy and Fei-Fei 2015, eqs. 10 to 12; Viterbi 1967.
    """
    _, W = products.shape
    best = products[:, 0].astype(np.float64)  # (R,) best total of the words so far that ends in each region
    came_from = np.zeros(products.shape, dtype=np.int64)
    for word in range(1, W):
        stay = best + beta
        jump = int(best.argmax())  # from any region, without the bonus
        came_from[:, word] = np.where(stay >= best[jump], np.arange(len(best)), jump)
        best = np.maximum(stay, best[jump]) + products[:, word]
    regions = [int(best.argmax())]
    for word in range(W - 1, 0, -1):
        regions.append(int(came_from[regions[-1], word]))
    return regions[::-1]
