"""`dvsa backup` and `dvsa restore`: a restored home is searched like the first."""

import json
import stat
from pathlib import Path

import pytest

from tests.api.conftest import Run
from tests.api.test_cli import complaint, document


@pytest.fixture(scope="module")
def filled(dvsa: Run, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A home with the collection `small` alone."""
    home = str(tmp_path_factory.mktemp("filled"))
    document(dvsa("index", photos, "--collection", "small", "--no-captions", "--json", DVSA_HOME=home))
    return home


def test_a_restored_backup_is_whole_and_finds_the_same(dvsa: Run, filled: str, tmp_path: Path) -> None:
    file, home = tmp_path / "backup.tar", str(tmp_path / "new home")
    said = document(dvsa("backup", file, "--json", DVSA_HOME=filled))
    assert (said["photos"], said["missing"], said["bytes"]) == (8, [], file.stat().st_size)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    back = document(dvsa("restore", file, "--json", DVSA_HOME=home))
    assert (back["collections"], back["photos"]) == (1, 8)
    query = ("search", "a bridge over a river at night", "--collection", "small", "--json")
    assert document(dvsa(*query, DVSA_HOME=home)) == document(dvsa(*query, DVSA_HOME=filled))
    whole = json.loads(dvsa("verify", "--collection", "small", "--json", DVSA_HOME=home).stdout)
    assert whole["problems"] == []
    assert "is in use" in complaint(dvsa("restore", file, DVSA_HOME=home))


def test_a_backup_overwrites_nothing_and_damage_is_told(dvsa: Run, filled: str, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    done = dvsa("backup", file, "--photos", DVSA_HOME=filled)
    assert done.returncode == 0
    assert "1 collections, 8 photos" in done.stdout
    assert "is there already" in complaint(dvsa("backup", file, DVSA_HOME=filled))
    file.write_bytes(file.read_bytes()[:-20_000])
    assert "is damaged" in complaint(dvsa("restore", file, DVSA_HOME=str(tmp_path / "new home")))
    missing = complaint(dvsa("restore", tmp_path / "none.tar", DVSA_HOME=str(tmp_path / "new home")))
    assert "none.tar" in missing
