"""What a scan speaks for: rows that it did not see are gone, or out of its sight."""

import pytest

from indexer.report import IndexReport
from indexer.sources import Document, Scan, SourceSentence


@pytest.mark.parametrize(
    ("path", "root", "gone"),
    [
        ("/photos/a.jpg", "/photos", True),
        ("/photos/deep/down/a.jpg", "/photos/deep", True),
        ("/photos", "/photos", True),
        ("/elsewhere/a.jpg", "/photos/table.csv", False),
        ("/elsewhere/a.jpg", "/tables/table.csv", True),
        ("/photos2/a.jpg", "/photos2", False),
        ("/a.jpg", "/", False),
        ("/photos/locked/a.jpg", "/photos", False),
        ("/photos/locked.jpg", "/photos", False),
        ("/photos/locked2/a.jpg", "/photos", True),
    ],
)
def test_scan_speaks_for_its_roots_but_not_for_what_it_could_not_read(path: str, root: str, gone: bool) -> None:
    scan = Scan(IndexReport("test"), roots={"/photos", "/tables/table.csv"})
    scan.unreadable |= {"/photos/locked", "/photos/locked.jpg"}
    assert scan.speaks_for(path, root) is gone


def test_digest_depends_on_texts_and_their_order_and_not_on_photos() -> None:
    first, second = SourceSentence("A dog", "/a.jpg"), SourceSentence("A cat")
    digest = Document("/d", "/", [first, second]).digest
    assert Document("/e", "/", [SourceSentence("A dog"), second]).digest == digest
    assert Document("/d", "/", [second, first]).digest != digest
    assert Document("/d", "/", [SourceSentence("A dog A cat")]).digest != digest
