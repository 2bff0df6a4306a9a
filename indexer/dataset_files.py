"""Datasets in the layouts of model.datasets; Karpathy's JSON is read leniently, image by image."""

import json
import os
from pathlib import Path
from typing import Any

from engine.exceptions import SourceError
from indexer.sources import Scan, SourceSentence, os_reason
from indexer.text_files import clean
from model.datasets import read_dataset
from model.datasets.coco import is_captions
from model.exceptions import DatasetError


def read_dataset_json(path: str, images: Path | None, scan: Scan) -> None:
    """Add a dataset's JSON, COCO's or Karpathy's.

    Args:
        path: the JSON file.
        images: folder of the photos; None is where the JSON says.
        scan: where photos and sentences go.

    Raises:
        SourceError: the file is not JSON of either kind.
    """
    try:
        captions = is_captions(Path(path))
    except DatasetError as error:
        raise SourceError(str(error)) from error
    if captions:
        read_layout(path, images, scan)
    else:
        read_karpathy_json(path, images, scan)


def read_karpathy_json(path: str, images: Path | None, scan: Scan) -> None:
    """Add a dataset in Karpathy's JSON; a malformed image is named by its number and the rest is indexed.

    Args:
        path: the JSON file.
        images: folder of the photos; None is the folder of the JSON file.
        scan: where photos and sentences go.

    Raises:
        SourceError: the file is not JSON of that kind.
    """
    folder = os.path.abspath(images) if images is not None else os.path.dirname(path)
    sentences = []
    for number, entry in enumerate(_entries(path), start=1):
        name, texts = _photo_and_texts(entry)
        if name is None:
            scan.report.skip(f"{path}, image {number}", "image is malformed: no filename or no list of sentences")
            continue
        photo = os.path.normpath(os.path.join(folder, name))
        scan.add_photo(photo, path)
        for text in texts:
            if text:
                sentences.append(SourceSentence(text, photo))
            else:
                scan.report.skip(f"{path}, image {number}", "image has a sentence that is empty or not text")
    scan.add_document(path, path, sentences)


def read_layout(path: str, images: Path | None, scan: Scan) -> None:
    """Add a dataset that model.datasets reads, all its splits; a photo that is not there is counted.

    Raises:
        SourceError: the dataset is malformed.
    """
    try:
        dataset = read_dataset(Path(path), images)
    except DatasetError as error:
        raise SourceError(str(error)) from error
    sentences = []
    for image in dataset.images:
        photo = os.path.abspath(image.path)
        scan.add_photo(photo, path)
        sentences += [SourceSentence(clean(text), photo) for text in image.sentences if clean(text)]
    scan.add_document(path, path, sentences)


def _entries(path: str) -> list[Any]:
    try:
        document = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise SourceError(f"{path} {os_reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} is not JSON: {error}") from error
    entries = document.get("images") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise SourceError(f"{path} is not a dataset: a list called 'images' is missing")
    return entries


def _photo_and_texts(entry: Any) -> tuple[str | None, list[str]]:
    """Return the photo's name and the sentences' texts, empty where one is malformed; None for a malformed image."""
    if not isinstance(entry, dict) or not isinstance(entry.get("sentences"), list):
        return None, []
    name, folder = entry.get("filename"), entry.get("filepath", "")
    if not isinstance(name, str) or not name.strip("\0 ") or not isinstance(folder, str):
        return None, []
    return os.path.join(folder, name).replace("\0", ""), [_text(sentence) for sentence in entry["sentences"]]


def _text(sentence: Any) -> str:
    if not isinstance(sentence, dict):
        return ""
    raw, tokens = sentence.get("raw"), sentence.get("tokens")
    if isinstance(raw, str) and raw.strip():
        return clean(raw)
    if isinstance(tokens, list) and all(isinstance(token, str) for token in tokens):
        return clean(" ".join(tokens))
    return ""
