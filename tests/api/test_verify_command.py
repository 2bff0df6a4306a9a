import json
from pathlib import Path

from click.testing import CliRunner, Result

from api.verify_command import verify
from tests.workspace import Workspace


def run(workspace: Workspace, *arguments: str) -> Result:
    environment = {"DVSA_HOME": str(workspace.settings.home)}
    return CliRunner().invoke(verify, ["--collection", "test", *arguments], env=environment)


def test_a_whole_collection_exits_with_nought_and_a_damaged_one_with_one(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.photo("a.png", 1)
    workspace.text("a.txt", "A dog runs.")
    workspace.index()
    whole = run(workspace)
    assert (whole.exit_code, whole.stdout.splitlines()[1]) == (0, "everything is whole")
    assert "1 photos, 1 sentences, 8 files" in whole.stdout
    vectors = next(workspace.settings.home.rglob("words/*/vectors.npy"))
    vectors.write_bytes(vectors.read_bytes()[:-2] + b"zz")
    damaged = run(workspace, "--json")
    assert damaged.exit_code == 1
    assert json.loads(damaged.stdout)["problems"] == ["words/000001/vectors.npy does not match its checksum"]
