"""compose.yaml: valid for each profile, and every container without root, write access or a known secret."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from api.cli import COMMANDS
from engine.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PROFILES = {
    "index": {"index"},
    "search": {"search"},
    "service": {"api", "worker", "database"},
    "gpu": {"api-gpu", "worker-gpu", "database"},
}
ALL = sorted(set().union(*PROFILES.values()))
OURS = [name for name in ALL if name != "database"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, with the defaults of its variables."""
    read = yaml.safe_load((ROOT / "compose.yaml").read_text())
    document = json.loads(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", json.dumps(read)))
    assert isinstance(document, dict)
    return document


def has_plugin() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


def test_the_file_keeps_to_the_specification(compose: dict[str, Any]) -> None:
    PyCompose.from_json(json.dumps(compose)).validate()
    compose["services"]["api"]["helthcheck"] = compose["services"]["api"].pop("healthcheck")
    with pytest.raises(ValueError, match="helthcheck"):
        PyCompose.from_json(json.dumps(compose))
    compose["services"]["api"]["healthcheck"] = compose["services"]["api"].pop("helthcheck")


@pytest.mark.skipif(not has_plugin(), reason="needs docker compose")
@pytest.mark.parametrize("profile", PROFILES)
def test_docker_compose_takes_each_profile(profile: str) -> None:
    command = ["docker", "compose", "--profile", profile, "config", "--services"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert set(said.stdout.split()) == PROFILES[profile]


def test_profiles_hold_these_services_and_what_they_depend_on(compose: dict[str, Any]) -> None:
    found: dict[str, set[str]] = {}
    for name, service in compose["services"].items():
        for profile in service["profiles"]:
            found.setdefault(profile, set()).add(name)
    assert found == PROFILES
    for services in PROFILES.values():
        for name in services:
            assert set(compose["services"][name].get("depends_on", {})) <= services


@pytest.mark.parametrize("name", ALL)
def test_a_container_has_no_root_writes_only_to_its_volumes_and_has_limits(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "memory" in service["deploy"]["resources"]["limits"]
    assert "privileged" not in service
    if name in OURS:
        assert "USER dvsa" in (ROOT / "Dockerfile").read_text()
        assert "/photos:ro" in service["volumes"][0]
    else:
        assert service["user"] != "root"


@pytest.mark.parametrize("name", sorted({*PROFILES["service"], *PROFILES["gpu"]}))
def test_services_are_watched_and_started_again(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_are_those_of_the_program(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    command = service["entrypoint"][1] if "entrypoint" in service else service["command"][0]
    assert command in COMMANDS
    for variable in service.get("environment", {}):
        assert variable.removeprefix("DVSA_").lower() in Settings.model_fields


def test_only_this_machine_reaches_the_service_and_only_the_service_the_database(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert set(ports) == {"api", "api-gpu"}
    assert all(port.startswith("127.0.0.1:") for port in ports["api"])
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["database"]["networks"] == ["inside"]


def test_secrets_come_from_files_that_the_tree_does_not_hold(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert not re.search(r"PASSWORD\w*: (?!/run/secrets/)", text)
    assert not re.search(r"postgresql://\w+:", text)
    assert compose["secrets"]["database-password"]["file"] == "./secrets/database-password"
    assert "secrets/" in (ROOT / ".gitignore").read_text().split()


def test_gpus_are_asked_for_by_the_services_of_their_profile_only(compose: dict[str, Any]) -> None:
    for name in ALL:
        resources = compose["services"][name]["deploy"]["resources"]
        assert ("reservations" in resources) == name.endswith("-gpu")
        if name.endswith("-gpu"):
            assert compose["services"][name]["build"]["args"] == {"TORCH_BACKEND": "locked"}
