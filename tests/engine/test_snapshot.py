import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import engine.snapshot
from engine.exceptions import BadFragments, IndexDamaged, IndexOutdated, ModelMismatch, StorageError
from engine.faiss_index import FaissFragmentIndex
from engine.fragments import FragmentIndex, Fragments
from engine.manifest import FORMAT, UPGRADABLE, Manifest
from engine.snapshot import Snapshot, Write, open_snapshot, write_snapshot
from model.score import ScoreConfig

D = 8
MANIFEST = Manifest("a" * 64, D, ScoreConfig("both", "mean"))


def some_items(ids: list[int]) -> Fragments:
    random = np.random.default_rng(len(ids))
    halves = [random.standard_normal((2, D)).astype(np.float16) for _ in ids]
    return Fragments.of(ids, [half.astype(np.float32) for half in halves], D)


def an_index(ids: list[int]) -> Write:
    return lambda path: FaissFragmentIndex.create(path, D, [some_items(ids)])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_snapshot(tmp_path / "one", an_index([1, 2]), an_index([5, 6, 7]), MANIFEST)
    return tmp_path / "one"


def read_all(snapshot: Snapshot) -> tuple[int, int]:
    return len(snapshot.regions), len(snapshot.words)


def test_what_is_written_is_opened(directory: Path) -> None:
    snapshot = open_snapshot(directory, "a" * 64)
    assert read_all(snapshot) == (2, 3)
    assert snapshot.manifest.score == ScoreConfig("both", "mean")
    assert snapshot.manifest.counts == {"photos": 2, "regions": 4, "sentences": 3, "words": 6}
    np.testing.assert_array_equal(snapshot.regions.fragments(np.array([1, 2])).vectors, some_items([1, 2]).vectors)


def test_an_empty_snapshot_is_opened(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "s", an_index([]), an_index([]), MANIFEST)
    assert read_all(open_snapshot(tmp_path / "s", "a" * 64)) == (0, 0)


def test_another_model_is_refused_with_what_to_do(directory: Path) -> None:
    with pytest.raises(ModelMismatch, match="--rebuild"):
        open_snapshot(directory, "b" * 64)


ARRAYS = [
    f"{kind}/000001/{name}.npy" for kind in ("regions", "words") for name in ("ids", "offsets", "vectors", "sums")
]
FILES = ["manifest.json", *ARRAYS]


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_damage(directory: Path, name: str) -> None:
    path = directory / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IndexDamaged, match="--repair"):
        read_all(open_snapshot(directory, "a" * 64))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
def test_a_flipped_bit_is_damage(directory: Path, name: str, place: float) -> None:
    path = directory / name
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 4
    path.write_bytes(content)
    with pytest.raises(IndexDamaged):
        read_all(open_snapshot(directory, "a" * 64))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_damage(directory: Path, name: str) -> None:
    (directory / name).unlink()
    with pytest.raises(IndexDamaged):
        open_snapshot(directory, "a" * 64)


def test_a_manifest_of_another_format_is_damage(directory: Path) -> None:
    for content in (b"[]", b"{}", b'{"manifest": 1, "sha256": 2}', b"\xff\xfe"):
        (directory / "manifest.json").write_bytes(content)
        with pytest.raises(IndexDamaged):
            open_snapshot(directory, "a" * 64)


def test_a_folder_that_is_not_there_is_damage(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged):
        open_snapshot(tmp_path / "gone", "a" * 64)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def full_disk(path: Path) -> FragmentIndex:
        path.mkdir()
        (path / "half").write_bytes(b"x")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_snapshot(tmp_path / "s", an_index([1]), full_disk, MANIFEST)
    assert list(tmp_path.iterdir()) == []


def test_vectors_that_are_refused_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadFragments, match="id 3 "):
        write_snapshot(tmp_path / "s", an_index([1]), an_index([3, 3]), MANIFEST)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [1, *UPGRADABLE, FORMAT + 1])
def test_a_snapshot_of_another_format_is_refused_with_what_to_do(directory: Path, number: int) -> None:
    advice = "--repair" if number in UPGRADABLE else "--rebuild"
    document = json.loads((directory / "manifest.json").read_bytes())
    document["manifest"]["format"] = number
    document["sha256"] = hashlib.sha256(json.dumps(document["manifest"], sort_keys=True).encode()).hexdigest()
    (directory / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(IndexOutdated, match=rf"format {number}, .*{advice}"):
        open_snapshot(directory, "a" * 64)


def test_large_files_are_compared_with_their_checksums_by_verify_alone(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.snapshot, "CHECKED_UP_TO", 200)
    path = directory / "words" / "000001" / "vectors.npy"
    content = bytearray(path.read_bytes())
    assert len(content) > 200
    assert open_snapshot(directory, "a" * 64).manifest.damaged_files(directory) == []
    content[-1] ^= 4
    path.write_bytes(content)
    snapshot = open_snapshot(directory, "a" * 64)
    assert read_all(snapshot) == (2, 3)
    assert snapshot.manifest.damaged_files(directory) == ["words/000001/vectors.npy"]


def test_a_published_snapshot_is_not_overwritten(directory: Path) -> None:
    with pytest.raises(StorageError):
        write_snapshot(directory, an_index([9]), an_index([9]), MANIFEST)
    assert read_all(open_snapshot(directory, "a" * 64)) == (2, 3)


def test_what_a_crash_left_aside_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".s.tmp" / "regions").mkdir(parents=True)
    write_snapshot(tmp_path / "s", an_index([1]), an_index([2]), MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_an_opened_snapshot_is_served_from_memory_after_it_is_deleted(directory: Path) -> None:
    snapshot = open_snapshot(directory, "a" * 64)
    read_all(snapshot)
    for name in FILES:
        (directory / name).unlink()
    assert read_all(snapshot) == (2, 3)
    assert json.dumps(snapshot.manifest.counts)
