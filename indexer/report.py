"""What an indexing run did, item by item."""

from collections.abc import Callable
from dataclasses import dataclass, field

# stage ("photos", "sentences", "publish", "renew"), how many are done, of how many
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Skipped:
    """Something that was not indexed, or not captioned: a file, or a row or sentence of one, and why."""

    name: str
    reason: str


@dataclass
class IndexReport:
    """Counts of a run. Files are photos, text files, tables and datasets.

    Attributes:
        collection: its name.
        seen: files found; each is added, unchanged, moved, or skipped.
        added: files that are new or changed.
        unchanged: files that were indexed before.
        moved: files that were renamed, at no inference.
        removed: files that the collection held and that are gone.
        skipped: what was not indexed, number by reason; files, and rows and sentences of files.
        skipped_items: the same, one by one, in the order found.
        captioned: photos that this run gave a caption, a new one or that of the same bytes.
        uncaptioned_items: photos that were to have a caption and could not be given one; they are indexed.
        photos: photos in the collection after the run.
        sentences: sentences in the collection after the run.
        renewed: why the index was written anew, a sentence for photos and for sentences; none where it was not.
    """

    collection: str
    seen: int = 0
    added: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    skipped_items: list[Skipped] = field(default_factory=list)
    captioned: int = 0
    uncaptioned_items: list[Skipped] = field(default_factory=list)
    photos: int = 0
    sentences: int = 0
    renewed: list[str] = field(default_factory=list)

    def skip(self, name: str, reason: str) -> None:
        """Count something that is not indexed."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1
        self.skipped_items.append(Skipped(name, reason))

    def leave_uncaptioned(self, name: str, reason: str) -> None:
        """Count a photo that is indexed without a caption."""
        self.uncaptioned_items.append(Skipped(name, reason))
