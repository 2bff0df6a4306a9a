"""The file of settings: TOML, named by DVSA_CONFIG, else dvsa.toml in the home; the environment is stronger."""

import os
import tomllib
from pathlib import Path
from typing import Any

from engine.exceptions import BadRequest

VARIABLE = "DVSA_CONFIG"
NAME = "dvsa.toml"


def settings_file(home: Path) -> Path:
    """Return where the file is or would be."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else home / NAME


def read_settings_file(home: Path) -> dict[str, Any]:
    """Return what the file says; nothing where there is none.

    Raises:
        BadRequest: the file that DVSA_CONFIG names is not there, or the file is not TOML.
    """
    path = settings_file(home)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if os.environ.get(VARIABLE):
            raise BadRequest(f"the file of settings {path}, which {VARIABLE} names, is not there") from error
        return {}
    except OSError as error:
        raise BadRequest(f"the file of settings {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the file of settings {path} is not TOML: {error}") from error
