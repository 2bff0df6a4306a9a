"""Settings from the environment and from a file, and what is said of those that are wrong."""

import runpy
from pathlib import Path

import pytest

from api.session import read_settings
from engine.exceptions import BadRequest
from engine.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no other setting."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DVSA_{name.upper()}", raising=False)
    monkeypatch.delenv("DVSA_CONFIG", raising=False)
    monkeypatch.setenv("DVSA_HOME", str(tmp_path))
    return tmp_path


def test_the_file_in_the_home_is_read_and_the_environment_is_stronger(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings().request_threads == 2
    (home / "dvsa.toml").write_text('request_threads = 3\nmax_pixels = 1_000\nlanguage = "german"\ncheckpoint = "/a"\n')
    monkeypatch.setenv("DVSA_MAX_PIXELS", "5")
    settings = read_settings()
    assert (settings.request_threads, settings.max_pixels, settings.language) == (3, 5, "german")
    assert settings.checkpoint == Path("/a")
    assert settings.home == home


def test_a_file_of_another_name_may_say_where_the_home_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "dvsa.toml").write_text("request_threads = 3")
    other = home / "größe.toml"
    other.write_text(f"home = '{home}/new'\nworkers = 7\n")
    monkeypatch.setenv("DVSA_CONFIG", str(other))
    monkeypatch.delenv("DVSA_HOME")
    settings = read_settings()
    assert (settings.home, settings.workers, settings.request_threads) == (home / "new", 7, 2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("max_pixel = 5", r"there is no setting 'max_pixel', which stands in {file}; is max_pixels meant\?"),
        ("qqq = 5", r"there is no setting 'qqq', which stands in {file}$"),
        ("max_pixels = 'many'", r"the setting max_pixels in {file} cannot be used: Input should be a valid integer"),
        ("request_threads = 0", r"the setting request_threads in {file} cannot be used: .* greater than or equal to 1"),
        ("language = 'klingon'", r"the setting language in {file} cannot be used: .*'klingon'"),
        ("[server]\nworkers = 1", r"there is no setting 'server', which stands in {file}"),
        ("workers = = 1", r"the file of settings {file} is not TOML: .*line 1"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_sentence_with_file_and_key(home: Path, content: str, said: str) -> None:
    file = home / "dvsa.toml"
    file.write_text(content)
    with pytest.raises(BadRequest, match=said.replace("{file}", str(file))) as caught:
        read_settings()
    assert "\n" not in str(caught.value)


def test_what_is_wrong_in_the_environment_names_the_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "dvsa.toml").write_text("request_threads = 3")
    monkeypatch.setenv("DVSA_REQUEST_THREADS", "many")
    with pytest.raises(BadRequest, match=r"the environment variable DVSA_REQUEST_THREADS cannot be used: .* integer"):
        read_settings()


def test_a_named_file_that_is_not_there_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVSA_CONFIG", str(home / "none.toml"))
    with pytest.raises(BadRequest, match=r"none\.toml, which DVSA_CONFIG names, is not there"):
        read_settings()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("url", ["mysql://me:geheim@host/db", "postgresql+psycopg2://me:geheim@host/db", "geheim"])
def test_a_database_of_another_kind_is_refused_and_its_password_not_said(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DVSA_DATABASE_URL", url)
    with pytest.raises(BadRequest, match="DVSA_DATABASE_URL") as caught:
        read_settings()
    assert "geheim" not in str(caught.value)


def test_the_page_of_settings_is_that_of_the_code() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "settings_table.py"))["page"]
    assert (ROOT / "docs" / "settings.md").read_text() == page()
