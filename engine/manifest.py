"""What a snapshot says of itself: the model, counts, and size and SHA-256 of each of its files."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.exceptions import IndexDamaged, IndexOutdated
from model.score import ScoreConfig

FORMAT = 5
UPGRADABLE = (2, 3, 4)
"""Earlier formats of the same vectors, without checksums of items (2), counts in lists (3) or directions (4);
see indexer.repair."""

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class FileMark:
    """Size in bytes and SHA-256 of a file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a snapshot holds.

    Attributes:
        model_hash: the model that made the vectors.
        dimension: D.
        score: how that model's score is made.
        counts: photos, regions, sentences and words; filled in by `write_snapshot`.
        files: marks of the other files by relative path; filled in by `write_snapshot`.
        format: version of the layout.
    """

    model_hash: str
    dimension: int
    score: ScoreConfig
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, FileMark] = field(default_factory=dict)
    format: int = FORMAT

    def damaged_files(self, directory: Path) -> list[str]:
        """Compare every byte with its checksum; return the names of the files that do not match."""
        return [name for name in self.files if not self.matches(directory, name)]

    def matches(self, directory: Path, name: str) -> bool:
        """Compare one file with its checksum; one that the manifest does not name has none."""
        try:
            return name in self.files and mark_of(directory / name) == self.files[name]
        except OSError:
            return False


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write it into the snapshot's folder, with a checksum of its own."""
    content = asdict(manifest)
    document = {"manifest": content, "sha256": _digest(content)}
    (directory / MANIFEST).write_text(json.dumps(document, indent=1), encoding="utf-8")


def read_manifest(directory: Path, formats: Sequence[int] = (FORMAT,)) -> Manifest:
    """Read what `write_manifest` wrote, in one of these formats.

    Raises:
        IndexDamaged: it is missing or does not match its checksum.
        IndexOutdated: another version of the program wrote it.
    """
    try:
        document = json.loads((directory / MANIFEST).read_bytes())
        content = document["manifest"]
        if _digest(content) != document["sha256"]:
            raise ValueError("it does not match its checksum")
        if content["format"] not in formats:
            raise _outdated(content["format"])
        files = {name: FileMark(**mark) for name, mark in content["files"].items()}
        return Manifest(**{**content, "score": ScoreConfig(**content["score"]), "files": files})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(directory, f"{MANIFEST} cannot be read: {error}") from error


def mark_of(path: Path) -> FileMark:
    """Read a file for its mark."""
    with path.open("rb") as file:
        return FileMark(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


def damaged(directory: Path, reason: str) -> IndexDamaged:
    """Say that a snapshot is damaged, and what to do."""
    return IndexDamaged(f"the index in {directory} is damaged ({reason}); mend it with: dvsa verify --repair")


def _outdated(found: object) -> IndexOutdated:
    what = "bring it up to date with: dvsa verify --repair"
    if found not in UPGRADABLE:
        what = "index it again with: dvsa index PATH... --collection NAME --rebuild"
    return IndexOutdated(
        f"the collection was indexed by another version of dvsa (format {found}, this version has {FORMAT}); {what}"
    )


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
