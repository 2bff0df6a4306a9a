"""Published rows to stand beside one's own, all on test splits."""

from dataclasses import dataclass

from model.metrics import Recall


@dataclass(frozen=True)
class Published:
    """A row of a results table; None where a median was not published.

    Attributes:
        model: and where it stands.
        image_to_sentence, sentence_to_image: R@1, R@5, R@10 and the median rank.
    """

    model: str
    image_to_sentence: tuple[float, float, float, float | None]
    sentence_to_image: tuple[float, float, float, float | None]


DVSA = "DVSA (Karpathy and Fei-Fei 2015)"
ROWS: dict[str, tuple[Published, ...]] = {
    "Flickr8K": (
        Published("DeFrag (Karpathy et al. 2014)", (12.6, 32.9, 44.0, 14), (9.7, 29.6, 42.5, 15)),
        Published(DVSA, (16.5, 40.6, 54.2, 7.6), (11.8, 32.1, 44.7, 12.4)),
        Published("VGG and GRU, one vector each (Kiros et al. 2014)", (22.3, 48.7, 59.8, 6), (14.9, 38.3, 51.6, 10)),
        Published("VSE_Pytorch (public code)", (23.9, 49.1, 61.3, 6), (16.9, 41.8, 54.4, 9)),
        Published(
            "SCAN, ensemble, Visual Genome detector (Lee et al. 2018)",
            (52.2, 81.0, 89.2, None),
            (38.3, 67.8, 78.9, None),
        ),
    ),
    "Flickr30K": (
        Published(DVSA, (22.2, 48.2, 61.4, 4.8), (15.2, 37.7, 50.5, 9.2)),
        Published("VSE++, ResNet-152 (Faghri et al. 2018)", (52.9, 80.5, 87.2, None), (39.6, 70.1, 79.5, None)),
        Published("SCAN, ensemble (Lee et al. 2018)", (67.4, 90.3, 95.8, None), (48.6, 77.7, 85.2, None)),
    ),
    "COCO 1K": (Published(DVSA, (38.4, 69.9, 80.5, 1), (27.4, 60.2, 74.8, 3)),),
    "COCO 5K": (Published(DVSA, (16.5, 39.2, 52.0, 9), (10.7, 29.6, 42.2, 14)),),
}
"""By benchmark; DVSA's median ranks are from memory of the paper."""


GROUNDING: tuple[tuple[str, float | None, float | None], ...] = (
    ("GroundeR (Rohrbach et al. 2016)", 28.9, None),
    ("KAC Net (Chen et al. 2018)", 38.7, None),
    ("Wang and Specia 2019", 50.5, None),
    ("MAF (Wang et al. 2020)", 61.4, None),
    ("Akbari et al. 2019", None, 69.2),
    ("Align2Ground (Datta et al. 2019)", None, 71.0),
    ("Gupta et al. 2020", None, 76.7),
)
"""Weakly supervised grounding on the whole Flickr30k Entities: model, IoU 0.5 and pointing game in percent."""


def benchmark_of(dataset: str, pool: int) -> str | None:
    """Name the benchmark that a dataset of a name is, ranked in pools of so many photos; None if it is none.

    >>> benchmark_of("dataset_coco", 1000), benchmark_of("flickr8k", 1000), benchmark_of("mine", 1000)
    ('COCO 1K', 'Flickr8K', None)
    """
    of_pool = {1000: {"flickr8k": "Flickr8K", "flickr30k": "Flickr30K", "coco": "COCO 1K"}, 5000: {"coco": "COCO 5K"}}
    known = of_pool.get(pool, {})
    return next((known[word] for word in known if word in dataset.lower()), None)


def own_row(model: str, recall: tuple[Recall, Recall]) -> Published:
    """Put one's own measures into the form of the table."""
    photo, sentence = ((found.r1, found.r5, found.r10, found.median_rank) for found in recall)
    return Published(model, photo, sentence)
