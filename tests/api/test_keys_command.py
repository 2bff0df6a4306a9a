"""`dvsa keys`, in a process of its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.api.test_cli import complaint, document

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_keys_are_made_listed_and_revoked(dvsa: Run, tmp_path: Path) -> None:
    home = str(tmp_path)
    made = dvsa("keys", "create", "web page", "--scope", "read", DVSA_HOME=home)
    key = made.stdout.strip()
    assert key.startswith("dvsa_")
    assert made.stderr == ""
    assert dvsa("keys", "create", "robot", "--scope", "write", DVSA_HOME=home).stdout.strip() != key
    assert dvsa("keys", "revoke", "robot", DVSA_HOME=home).returncode == 0
    found = document(dvsa("keys", "list", "--json", DVSA_HOME=home))
    assert [(one["name"], one["scope"], one["revoked_at"] is None) for one in found] == [
        ("web page", "read", True),
        ("robot", "write", False),
    ]
    lines = dvsa("keys", "list", DVSA_HOME=home).stdout
    assert "never used" in lines.splitlines()[0]
    assert "revoked 20" in lines.splitlines()[1]
    assert key not in lines
    assert "another name" in complaint(dvsa("keys", "create", "robot", "--scope", "read", DVSA_HOME=home))
    assert "no key 'nobody'" in complaint(dvsa("keys", "revoke", "nobody", DVSA_HOME=home))
    complaint(dvsa("keys", "create", "x", "--scope", "all", DVSA_HOME=home), code=2)
