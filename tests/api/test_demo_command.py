"""`dvsa demo`: the first run, and one over what an earlier version of the program left."""

import hashlib
import json
import shutil
from pathlib import Path

from tests.api.conftest import EXAMPLES, Run


def test_the_demo_draws_what_it_found_and_indexes_anew_after_an_earlier_version(dvsa: Run, tmp_path: Path) -> None:
    (tmp_path / "examples/photos").mkdir(parents=True)
    for name in ("two-dogs-at-window", "orchestra"):
        for suffix in (".jpg", ".txt"):
            shutil.copy(EXAMPLES / "photos" / (name + suffix), tmp_path / "examples/photos")
    (tmp_path / "examples/queries.txt").write_text("two dogs\n\nan orchestra\n")
    (tmp_path / "examples/photo_queries.txt").write_text("orchestra.jpg\n")
    command = ("demo", "--examples", tmp_path / "examples", "--output", tmp_path / "out")
    first = dvsa(*command)
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "out/contact_sheet.png").read_bytes().startswith(b"\x89PNG")
    assert "two-dogs-at-window.jpg" in first.stdout
    for path in (tmp_path / "out/home").rglob("manifest.json"):
        manifest = json.loads(path.read_text())["manifest"] | {"format": 3}
        digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
        path.write_text(json.dumps({"manifest": manifest, "sha256": digest}))
    again = dvsa(*command)
    assert again.returncode == 0, again.stderr
    hits = first.stdout.split("\ntwo dogs\n")[1].rpartition("\n\n")[0]
    assert hits
    assert again.stdout.split("\ntwo dogs\n")[1].rpartition("\n\n")[0] == hits
