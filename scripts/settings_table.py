"""Writes docs/settings.md from the settings themselves: `python scripts/settings_table.py >docs/settings.md`."""

import inspect
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import ByteSize
from pydantic.fields import FieldInfo

from engine.settings import Settings

HEAD = """# Settings

Made from `engine/settings.py` by `python scripts/settings_table.py >docs/settings.md`; a test compares the two.

A setting is looked for in the environment, under `DVSA_` and its name in capitals, then in a file, then the default
holds. The file is the one that `DVSA_CONFIG` names, else `dvsa.toml` in `DVSA_HOME`. It is TOML, without tables:

    database_url = "postgresql://dvsa@localhost/dvsa"
    max_upload_bytes = 10_000_000

A setting that is unknown or cannot be used ends the program with one sentence that names the file, or the variable,
and the setting. In the file, a list is a list of strings.

| in the file | in the environment | is | default | means |
|---|---|---|---|---|
"""
KINDS = {
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    bool: "true or false",
    ByteSize: "bytes",
}


def page() -> str:
    """Return the page."""
    meanings = _meanings()
    return HEAD + "".join(_row(name, field, meanings[name]) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo, meaning: str) -> str:
    return f"| `{name}` | `DVSA_{name.upper()}` | {_kind(field)} | {_default(field)} | {meaning} |\n"


def _meanings() -> dict[str, str]:
    """The attributes' descriptions in the docstring, each on one line."""
    attributes = inspect.cleandoc(Settings.__doc__ or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()).replace("None is", "without it") for name, text in entries}


def _kind(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    names = [name for kind, name in KINDS.items() if kind.__name__ in re.findall(r"\w+", str(field.annotation))]
    kind = f"list of {names[0]}s" if "tuple" in str(field.annotation) else names[0]
    bounds = [f", {item.ge} or more" for item in field.metadata if hasattr(item, "ge")]
    return kind + "".join(bounds)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the user's data folder"
    return "" if field.default in (None, (), "") else f"`{field.default}`".lower()


if __name__ == "__main__":
    print(page(), end="")
