"""Text files: documents, and the sidecars that describe a photo."""

import os
from pathlib import Path

from indexer.sources import OUTSIDE, Scan, SourceSentence
from model.photo import PHOTO_SUFFIXES
from model.words import split_sentences


def read_text_file(path: str, root: str, scan: Scan) -> None:
    """Add a text file: its sentences, by punkt, linked to the photo of the same name beside it, if there is one."""
    if not scan.may_read(path):
        scan.refuse(path, OUTSIDE)
        return
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        scan.refuse_unreadable(path, error)
        return
    except UnicodeDecodeError:
        scan.refuse(path, "is not UTF-8")
        return
    photo = described_photo(path)
    texts = (clean(sentence) for sentence in split_sentences(text, scan.language))
    scan.add_document(path, root, [SourceSentence(sentence, photo) for sentence in texts if sentence])


def described_photo(path: str) -> str | None:
    """Return the photo that a text file describes: name.jpg for name.txt or name.jpg.txt."""
    stem = os.path.splitext(path)[0]
    if os.path.splitext(stem)[1].lower() in PHOTO_SUFFIXES and os.path.lexists(stem):
        return stem
    for suffix in sorted(PHOTO_SUFFIXES):
        for name in (stem + suffix, stem + suffix.upper()):
            if os.path.lexists(name):
                return name
    return None


def sidecars(photo: str) -> list[str]:
    """Return the text files that describe a photo."""
    return [name for name in (os.path.splitext(photo)[0] + ".txt", photo + ".txt") if os.path.isfile(name)]


def clean(text: str) -> str:
    """Make text storable: one space between words, no NUL, no half of a surrogate pair."""
    return " ".join(text.replace("\0", " ").encode("utf-8", "replace").decode().split())
