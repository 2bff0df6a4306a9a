"""The ranks of every query as a file, for whoever wants to look further than Recall@K."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.result_file import write_file

if TYPE_CHECKING:
    from model.dataset import DatasetImage
    from model.retrieval import SplitRanking


def write_ranks(
    path: Path, measured: dict[str, Any], images: "Sequence[DatasetImage]", ranking: "SplitRanking"
) -> None:
    """Write one JSON document: what was measured, and one entry a query, in the order of the split.

    `image_to_sentence` has for each photo its name, the rank of the best of its sentences, and that sentence;
    `sentence_to_image` has for each sentence itself, the name of its photo, and the photo's rank. Ranks begin at 1 and
    count in the query's fold.

    Args:
        path: the file.
        measured: fields that say what was measured: dataset, split, counts.
        images: of the split.
        ranking: of them.

    Raises:
        StorageError: the file cannot be written.
    """
    sentences = [sentence for image in images for sentence in image.sentences]
    names = [image.path.name for image in images]
    photos, texts = ranking.images, ranking.sentences
    document = {
        **measured,
        "image_to_sentence": [
            {"image": name, "rank": int(rank), "sentence": sentences[best], "fold": int(fold) + 1}
            for name, rank, best, fold in zip(names, photos.ranks, photos.best_true, ranking.fold_of, strict=True)
        ],
        "sentence_to_image": [
            {"sentence": text, "image": names[image], "rank": int(rank), "fold": int(ranking.fold_of[image]) + 1}
            for text, image, rank in zip(sentences, ranking.image_of, texts.ranks, strict=True)
        ],
    }
    write_file(path, "ranks", document)
