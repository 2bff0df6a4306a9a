"""Turns the paths that a user asks for into photos and documents."""

import os
from collections.abc import Sequence
from pathlib import Path

from engine.exceptions import SourceError
from indexer.dataset_files import read_dataset_json, read_layout
from indexer.report import IndexReport
from indexer.sources import OUTSIDE, Scan, os_reason
from indexer.table_files import is_table, read_table
from indexer.text_files import read_text_file, sidecars
from model.datasets import has_layout
from model.photo import PHOTO_SUFFIXES
from model.table_rows import TABLE_SUFFIXES


def scan_paths(
    paths: Sequence[Path],
    report: IndexReport,
    images: Path | None = None,
    language: str = "english",
    allowed: Sequence[str] | None = None,
) -> Scan:
    """Find what there is to index.

    Args:
        paths: folders of photos and texts, photos, text files, tables, datasets.
        report: where what cannot be indexed is counted.
        images: folder of the photos that a dataset's JSON names; None is where the JSON says.
        language: of the text files, which are split into sentences.
        allowed: folders, without links, outside which nothing is read; None is anywhere.

    Raises:
        SourceError: a path does not exist, a dataset is malformed, or there is nothing to index.
    """
    if not paths:
        raise SourceError("name at least one folder or file to index")
    scan = Scan(report, language, allowed=allowed)
    for path in paths:
        _scan_path(os.path.abspath(path), images, scan)
    if report.seen == 0:
        names = ", ".join(str(path) for path in paths)
        raise SourceError(f"{names} holds nothing to index: no photo, text, table or dataset; nothing was changed")
    return scan


def _scan_path(path: str, images: Path | None, scan: Scan) -> None:
    suffix = os.path.splitext(path)[1].lower()
    scan.roots.add(path)
    if os.path.isdir(path):
        if has_layout(Path(path)):
            _check_links(path, scan)
            read_layout(path, None, scan)
        else:
            _scan_folder(path, scan)
    elif not os.path.lexists(path):
        raise SourceError(f"{path} does not exist")
    elif suffix in PHOTO_SUFFIXES:
        scan.add_photo(path, path)
        for text_file in sidecars(path):
            read_text_file(text_file, path, scan)
    elif not os.path.isfile(path):
        scan.refuse(path, "is not a file")
    else:
        _read_file(path, suffix, images, scan)


def _check_links(folder: str, scan: Scan) -> None:
    """Refuse a dataset whose files, which are read by name, are links to outside of what is allowed."""
    for parent, folders, names in os.walk(folder):
        for path in (os.path.join(parent, name) for name in (*folders, *names)):
            if os.path.islink(path) and not scan.may_read(path):
                raise SourceError(f"{path} {OUTSIDE}; nothing was changed")


def _read_file(path: str, suffix: str, images: Path | None, scan: Scan) -> None:
    if suffix == ".txt":
        read_text_file(path, path, scan)
    elif suffix in TABLE_SUFFIXES:
        read_table(path, path, scan)
    elif suffix == ".json":
        read_dataset_json(path, images, scan)
    else:
        scan.refuse(path, "is not a photo, text, table or dataset")


def _scan_folder(root: str, scan: Scan) -> None:
    """Walk a folder in a fixed order; hidden files and folders are left alone, links to folders not followed."""

    def refuse_folder(error: OSError) -> None:
        scan.unreadable.add(error.filename)
        scan.report.skip(error.filename, f"folder {os_reason(error)}")

    for folder, subfolders, names in os.walk(root, onerror=refuse_folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            suffix = os.path.splitext(name)[1].lower()
            if name.startswith("."):
                continue
            if suffix in PHOTO_SUFFIXES:
                scan.add_photo(path, root)
            elif not os.path.isfile(path):
                continue
            elif suffix == ".txt":
                read_text_file(path, root, scan)
            elif suffix in TABLE_SUFFIXES and is_table(path):
                read_table(path, root, scan)
