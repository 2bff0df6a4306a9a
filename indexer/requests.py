"""What jobs are asked to do, as the queue keeps it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.catalogue.metadata import Attribute
from engine.exceptions import BadRequest, PathNotAllowed
from engine.settings import Settings
from indexer.sources import is_below, is_storable
from indexer.uploads import Refusal, UploadedPhoto

UNSET = "folders of the server cannot be indexed over HTTP unless DVSA_ALLOWED_ROOTS names them"


@dataclass(frozen=True)
class IndexRequest:
    """Index a folder or file of the server; captions: give photos that have none a caption."""

    path: str
    captions: bool = True


@dataclass(frozen=True)
class UploadRequest:
    """Index photos that were uploaded; `refused` are those of them that are none."""

    token: str
    photos: Sequence[UploadedPhoto]
    refused: Sequence[Refusal] = ()
    tags: Sequence[str] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Mapping[str, Sequence[Mapping[str, str]]]) -> "UploadRequest":
        """Read what the queue kept."""
        parts = {
            "photos": [UploadedPhoto(**photo) for photo in kept["photos"]],
            "refused": [Refusal(**refusal) for refusal in kept["refused"]],
        }
        return cls(**{**kept, **parts})  # type: ignore[arg-type]


@dataclass(frozen=True)
class DocumentRequest:
    """Index sentences that were sent; `name` is what the sender calls them."""

    token: str
    name: str


@dataclass(frozen=True)
class DeleteRequest:
    """Drop photos or documents, by path; the files of uploads go with them."""

    paths: Sequence[str]


def allowed_path(settings: Settings, path: str) -> str:
    """Return a path of the server if it may be indexed over HTTP.

    Raises:
        PathNotAllowed: it is not, links resolved, in one of the folders that the settings name; whether it is there is
            not told.
        BadRequest: it is in one and is not there.
    """
    folders = allowed_folders(settings)
    if not folders:
        raise PathNotAllowed(UNSET)
    if not is_storable(path) or "\0" in path or not is_below(plain := os.path.abspath(path), folders):
        raise PathNotAllowed(
            f"{path!r} is not in a folder that may be indexed over HTTP; DVSA_ALLOWED_ROOTS names them"
        )
    if not os.path.exists(plain):
        raise BadRequest(f"{path!r} does not exist")
    return plain


def allowed_folders(settings: Settings) -> list[str]:
    """Return the folders that may be indexed over HTTP, links resolved."""
    return [os.path.realpath(folder) for folder in settings.allowed_roots]
