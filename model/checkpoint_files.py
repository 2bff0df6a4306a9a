"""The files of a checkpoint: a folder with weights in half precision and, beside them, a description in JSON."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.exceptions import CheckpointError

Config = TypeVar("Config")

_WEIGHTS = "weights.safetensors"


class CheckpointFiles:
    """Reads and writes one kind of checkpoint.

    Args:
        folder: of the checkpoint.
        name: of the file that describes it, and so tells the kinds apart.
        version: of its format.
        keys: what a description holds and of which type, beside its version and the hash of the weights.
    """

    def __init__(self, folder: Path, name: str, version: int, keys: Mapping[str, Any]) -> None:
        self.folder, self._name, self._version, self._keys = folder, name, version, keys
        self.weights_path = folder / _WEIGHTS

    @property
    def description_path(self) -> Path:
        """Return where the description is."""
        return self.folder / self._name

    def write(self, weights: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
        """Write weights and description; each file is written aside and moved into place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        halved = {
            name: (value.detach().half() if value.is_floating_point() else value).contiguous()
            for name, value in weights.items()
        }
        aside = self.folder / (_WEIGHTS + ".tmp")
        save_file(halved, aside)
        whole = {"format_version": self._version, "weights_sha256": _sha256(aside), **description}
        self._write_description(whole, replace=False)
        aside.replace(self.weights_path)
        self._aside.replace(self.description_path)

    def annotate(self, about: Mapping[str, Any]) -> None:
        """Add to what a checkpoint says of itself: dataset, terms, the command that made it. Its hash stays."""
        description = self.description()
        description["about"] = {**about, **description["about"]}
        self._write_description(description, replace=True)

    def description(self) -> dict[str, Any]:
        """Read the description.

        Raises:
            CheckpointError: it is not there, cut short or of another version.
        """
        path = self.description_path
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise CheckpointError(f"{self.folder} holds no checkpoint: {self._name} is not there") from error
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be read or is cut short") from error
        version = description.get("format_version") if isinstance(description, dict) else None
        if version != self._version:
            raise CheckpointError(f"{path} is of format {version}, this program reads format {self._version}")
        missing = {"weights_sha256", *self._keys} - description.keys()
        if missing:
            raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}")
        for key, kind in self._keys.items():
            try:
                TypeAdapter(kind).validate_python(description[key])
            except ValidationError as error:
                raise CheckpointError(f"{path} was changed: {key}{_reason(error)}") from error
        return dict(description)

    def config(self, kind: type[Config], description: Mapping[str, Any]) -> Config:
        """Return the configuration that a description holds, a dataclass that forbids what it does not have.

        Raises:
            CheckpointError: it has other settings, or a setting has another type.
        """
        try:
            return TypeAdapter(kind).validate_python(description["config"])
        except ValidationError as error:
            path = self.description_path
            raise CheckpointError(
                f"the configuration in {path} is of another version; train again: config{_reason(error)}"
            ) from error

    def weights(self, description: Mapping[str, Any]) -> dict[str, Tensor]:
        """Read the weights, in single precision.

        Raises:
            CheckpointError: they are not there, cut short, or not those that the description is of.
        """
        path = self.weights_path
        try:
            weights = load_file(path)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"the weights {path} are missing or cut short; train or copy them again") from error
        if _sha256(path) != description["weights_sha256"]:
            raise CheckpointError(f"the weights {path} are not those that {self._name} describes")
        return {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}

    @property
    def _aside(self) -> Path:
        return self.folder / (self._name + ".tmp")

    def _write_description(self, description: Mapping[str, Any], replace: bool) -> None:
        self._aside.write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")
        if replace:
            self._aside.replace(self.description_path)


def identity(description: Mapping[str, Any], vocabulary: list[str]) -> str:
    """Return the hash of configuration, weights and vocabulary, hex: what names all that a model makes."""
    parts = json.dumps([description["config"], description["weights_sha256"], vocabulary], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def _reason(error: ValidationError) -> str:
    """Say which part of a value is wrong, and why."""
    first = error.errors()[0]
    return "".join(f".{part}" for part in first["loc"]) + f": {first['msg']}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
