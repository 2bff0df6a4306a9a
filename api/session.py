"""What a command needs before it starts: settings, model, catalogue, photos."""

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from engine.exceptions import BadRequest
from engine.settings import Settings, default_home
from engine.settings_file import settings_file
from model.exceptions import CheckpointError, PhotoError
from model.photo import load_photo

if TYPE_CHECKING:
    from engine.captioner import ModelCaptioner, ModelRegionCaptioner
    from engine.encoder import ModelEncoder
    from engine.search import SearchService

Loaded = TypeVar("Loaded")


def read_settings() -> Settings:
    """Read the settings from the environment and their file.

    Raises:
        BadRequest: one of them is unknown, or holds something else than it should.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise BadRequest(_wrong_setting(error)) from error


def _wrong_setting(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0])
    variable = f"DVSA_{name.upper()}"
    if variable in map(str.upper, os.environ):
        return f"the environment variable {variable} cannot be used: {first['msg']}"
    file = settings_file(Path(os.environ.get("DVSA_HOME") or default_home()))
    if first["type"] != "extra_forbidden":
        return f"the setting {name} in {file} cannot be used: {first['msg']}"
    close = difflib.get_close_matches(name, Settings.model_fields, 1)
    return f"there is no setting {name!r}, which stands in {file}" + "".join(f"; is {other} meant?" for other in close)


def open_captioner(settings: Settings, encoder: "ModelEncoder") -> "ModelCaptioner | None":
    """Load the captioner of photos; None where the bundled one does not fit an alignment model of the user's own.

    Raises:
        CheckpointError: the captioner that the settings name cannot be used.
    """
    from engine.captioner import load_photo_captioner

    needed = settings.captioner is not None or settings.checkpoint is None
    return _if_usable(lambda: load_photo_captioner(encoder, settings.captioner), needed)


def open_region_captioner(settings: Settings, encoder: "ModelEncoder") -> "ModelRegionCaptioner | None":
    """Load the captioner of regions; None where the settings name none and the bundled one is not for this model.

    Raises:
        CheckpointError: the captioner that the settings name cannot be used.
    """
    from engine.captioner import load_region_captioner

    return _if_usable(
        lambda: load_region_captioner(encoder, settings.region_captioner), settings.region_captioner is not None
    )


def _if_usable(load: Callable[[], Loaded], needed: bool) -> Loaded | None:
    """Load a checkpoint; one that cannot be used is None where it is not needed."""
    try:
        return load()
    except CheckpointError:
        if needed:
            raise
        return None


def open_search(settings: Settings, by_photo: bool) -> "SearchService":
    """Open the catalogue and load the model, and the captioner for searches by photo."""
    from engine.catalogue import Catalogue
    from engine.encoder import load_encoder
    from engine.resources import resources_of
    from engine.search import SearchService

    encoder = load_encoder(settings.checkpoint, settings.weight_files)
    captioner = open_captioner(settings, encoder) if by_photo else None
    catalogue, home = Catalogue(settings.catalogue_url), settings.home.absolute()
    return SearchService(catalogue, home, encoder, captioner, resources_of(settings))


def read_photo(path: Path, settings: Settings) -> npt.NDArray[np.uint8]:
    """Read a photo that the command line names.

    Raises:
        PhotoError: it cannot be read; the message names it.
    """
    try:
        return load_photo(path, settings.max_pixels)
    except PhotoError as error:
        raise PhotoError(f"{path} {error}") from error
