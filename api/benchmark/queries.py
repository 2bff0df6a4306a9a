"""What a server under load is asked: real sentences, and the files of real photos."""

from pathlib import Path

from engine.exceptions import SourceError
from model.datasets import read_dataset

MOST_TEXTS = 1_000


def read_queries(dataset: Path | None, examples: Path, most_photos: int) -> tuple[list[str], list[bytes]]:
    """Return texts, and the bytes of photos: of a dataset's dev split, or of the examples.

    Raises:
        SourceError: there are none.
        DatasetError: the dataset cannot be read.
    """
    if dataset is not None:
        images = read_dataset(dataset).split("dev")
        texts = [image.sentences[0] for image in images if image.sentences]
        paths = [image.path for image in images]
    else:
        texts = [line for line in (examples / "queries.txt").read_text("utf-8").splitlines() if line.strip()]
        paths = sorted((examples / "photos").glob("*.jpg"))
    if not texts or (most_photos and not paths):
        raise SourceError(f"{dataset or examples} holds no queries")
    return texts[:MOST_TEXTS], [path.read_bytes() for path in paths[:most_photos]]
