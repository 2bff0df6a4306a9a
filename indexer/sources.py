"""What a scan finds: photos, documents, and what of the collection it speaks for."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.catalogue.metadata import Attribute
from indexer.report import IndexReport

OUTSIDE = "lies outside the folders that may be indexed"


@dataclass(frozen=True)
class PhotoFile:
    """A photo as the scan saw it; `root` is the path that was asked for and led to it."""

    path: str
    root: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class SourceSentence:
    """A sentence, and the path of the photo that it describes, if any."""

    text: str
    photo: str | None = None


@dataclass(frozen=True)
class Description:
    """What an uploader says of a photo; it is added to what is known of the photo.

    Attributes:
        name: what the uploader calls the file.
        tags, attributes: see engine.catalogue.metadata.
    """

    name: str
    tags: Sequence[str] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """A file of sentences; `name` is what its sender calls it, None that of a file that somebody else keeps."""

    path: str
    root: str
    sentences: Sequence[SourceSentence]
    name: str | None = None

    @cached_property
    def digest(self) -> str:
        """Hash of the sentences, not of the photos that they describe: those are linked when the run is published."""
        return hashlib.sha256(json.dumps([sentence.text for sentence in self.sentences]).encode()).hexdigest()


@dataclass
class Scan:
    """Photos and documents under the roots, each once, in a fixed order.

    Attributes:
        report: where what cannot be indexed is counted.
        photos: by path.
        documents: by path.
        roots: the paths that were asked for.
        language: of the text files (see model.words.split_sentences).
        unreadable: folders and files that are there but cannot be read: what the collection holds of them stays.
        descriptions: what is said of uploaded photos, by path.
        allowed: folders, without links, outside which nothing is read; None is anywhere.
    """

    report: IndexReport
    language: str = "english"
    photos: dict[str, PhotoFile] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    descriptions: dict[str, Description] = field(default_factory=dict)
    allowed: Sequence[str] | None = None
    _refused: set[str] = field(default_factory=set)

    def add_photo(self, path: str, root: str) -> None:
        """Add a photo, or count why not."""
        if path in self.photos or path in self._refused:
            return
        if not is_storable(path):
            self.refuse(path, "has a name that is not UTF-8")
            return
        if not self.may_read(path):
            self.refuse(path, OUTSIDE)
            return
        try:
            status = os.stat(path)
        except OSError as error:
            self.refuse_unreadable(path, error)
            return
        if not stat.S_ISREG(status.st_mode):
            self.refuse(path, "is not a file")
            return
        self.photos[path] = PhotoFile(path, root, status.st_size, status.st_mtime_ns)
        self.report.seen += 1

    def add_document(self, path: str, root: str, sentences: Sequence[SourceSentence], name: str | None = None) -> None:
        """Add a document, or count that it is empty."""
        if path in self.documents or path in self._refused:
            return
        if not is_storable(path):
            self.refuse(path, "has a name that is not UTF-8")
        elif not sentences:
            self.refuse(path, "holds no sentence")
        else:
            self.documents[path] = Document(path, root, sentences, name)
            self.report.seen += 1

    def refuse(self, path: str, reason: str) -> None:
        """Count a file that is not indexed."""
        if path not in self._refused:
            self._refused.add(path)
            self.report.seen += 1
            self.report.skip(path, reason)

    def refuse_unreadable(self, path: str, error: OSError) -> None:
        """Count a file that cannot be read; unless it is gone, what the collection holds of it stays."""
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            self.unreadable.add(path)
        self.refuse(path, os_reason(error))

    def may_read(self, path: str) -> bool:
        """Whether a file, links resolved, is in the folders that are allowed."""
        return self.allowed is None or is_below(path, self.allowed)

    def speaks_for(self, path: str, root: str) -> bool:
        """Whether a row of the collection that the scan did not see is gone."""
        parents = set(_parents(path))
        return (root in self.roots or not parents.isdisjoint(self.roots)) and parents.isdisjoint(self.unreadable)


def is_below(path: str, folders: Sequence[str]) -> bool:
    """Whether a path, links resolved, is one of the folders or in one; the folders have no links."""
    return not set(_parents(os.path.realpath(path))).isdisjoint(folders)


def os_reason(error: OSError) -> str:
    """Say why a file cannot be read, as the end of a sentence."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "does not exist"
    return f"cannot be read: {(error.strerror or 'input/output error').lower()}"


def is_storable(path: str) -> bool:
    """Whether a path is text; a file name may be any bytes, which a database of text cannot hold."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parents(path: str) -> list[str]:
    """The path itself and the folders above it."""
    found = [path]
    while (parent := os.path.dirname(found[-1])) != found[-1]:
        found.append(parent)
    return found
