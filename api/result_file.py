"""A file of results that a command writes beside what it prints: one JSON document."""

import json
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from engine.exceptions import StorageError


def check_file(path: Path, what: str) -> None:
    """Make sure that a file of `what` can be written, before the work that fills it.

    Raises:
        StorageError: its folder is not there or cannot be written to, or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise StorageError(f"the {what} {path} cannot be written: the folder {path.parent} is not there")
    if path.is_dir():
        raise StorageError(f"the {what} {path} cannot be written: it is a folder, name a file")
    try:
        TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _unwritable(path, what, error) from error


def write_file(path: Path, what: str, document: Any) -> None:
    """Write a document.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, what, error) from error


def _unwritable(path: Path, what: str, error: OSError) -> StorageError:
    return StorageError(f"the {what} {path} cannot be written: {error.strerror or error}")
