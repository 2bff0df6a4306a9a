"""A dataset without the photos that nothing can be learned from, for training on what is left (--skip-missing)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tqdm import tqdm

from model.dataset import Dataset, DatasetImage
from model.exceptions import PhotoError
from model.photo import load_photo

_AT_ONCE = 200  # photos: results that wait for an earlier one are few


def leave_out_unusable(dataset: Dataset, splits: Sequence[str], workers: int = 2) -> tuple[Dataset, list[str]]:
    """Leave out photos that are not there, cannot be decoded or have no sentence; each is decoded to find out.

    Args:
        dataset: all of it.
        splits: those that are looked at; photos of others stay.
        workers: threads that decode.

    Returns:
        The dataset that is left, and what was left out and why: photo and reason, in the dataset's order.
    """
    asked = [image for image in dataset.images if image.split in splits]
    problems: dict[DatasetImage, str] = {}
    with ThreadPoolExecutor(workers) as pool, tqdm(total=len(asked), desc="checking photos") as bar:
        for start in range(0, len(asked), _AT_ONCE):
            chunk = asked[start : start + _AT_ONCE]
            found = zip(chunk, pool.map(_problem, chunk), strict=True)
            problems |= {image: problem for image, problem in found if problem is not None}
            bar.update(len(chunk))
    kept = tuple(image for image in dataset.images if image not in problems)
    return replace(dataset, images=kept), [f"{image.path} {problem}" for image, problem in problems.items()]


def _problem(image: DatasetImage) -> str | None:
    if image.problem is not None:
        return image.problem
    try:
        load_photo(image.path)
    except PhotoError as error:
        return str(error)
    return None
