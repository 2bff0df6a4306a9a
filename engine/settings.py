"""The settings of a process, read from the environment and a file once, in the entry point, and passed down."""

import os
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import ByteSize, Field, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from engine.device_names import DeviceName
from engine.settings_file import read_settings_file
from model.photo import MAX_PIXELS
from model.weight_files import WeightFiles
from model.words import knows_language

DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")


def default_home() -> Path:
    """Return the user's data folder for this program."""
    return user_data_path("dvsa")


class Settings(BaseSettings):
    """Where things are and how much a run may use; DVSA_HOME sets `home`, and so on, or a file does.

    Attributes:
        home: folder of the catalogue and the snapshots.
        database_url: the catalogue's database; None is an SQLite file in `home`.
        database_password_file: file that holds the password of the database's user, and nothing else.
        checkpoint: folder of a trained model; None is the one that comes with the program.
        captioner: folder of a trained captioner of photos; None is the one that comes with the program.
        region_captioner: likewise of regions.
        backbone_weights: file of the CNN's weights, for a CNN whose weights come with no package.
        proposer_weights: file of the region proposer's weights, likewise.
        max_pixels: a photo with more is refused before it is decoded.
        workers: threads that decode photos; None is one per core, four at most.
        max_upload_bytes: a photo with more, or another request, is refused before it is read whole.
        max_upload_total_bytes: an upload of many photos with more is refused before it is read whole.
        max_upload_files: an upload of more photos is refused.
        allowed_roots: folders of which jobs may index what they hold, separated as in PATH; none if not set.
        request_threads: how many requests may use the model at once.
        request_queue: how many more may wait for that; the next are told to come again.
        require_keys: ask even programs of this machine for an API key, as behind a proxy.
        allowed_hosts: names under which the service may be asked besides those of this machine; with keys and without
            this, under any.
        requests_per_minute: of one API key; more are told to come again.
        index_memory: how much of the index files searches may keep in memory, as "2GB"; None is all that the system
            gives.
        device: where searches multiply: cpu, cuda, or auto, the GPU where there is one.
        language: of the text files that are split into sentences, as "german".
    """

    model_config = SettingsConfigDict(env_prefix="DVSA_")

    home: Path = Field(default_factory=default_home)
    database_url: str | None = None
    database_password_file: Path | None = None
    checkpoint: Path | None = None
    captioner: Path | None = None
    region_captioner: Path | None = None
    backbone_weights: Path | None = None
    proposer_weights: Path | None = None
    max_pixels: int = Field(default=MAX_PIXELS, ge=1)
    workers: int | None = Field(default=None, ge=1)
    max_upload_bytes: int = Field(default=32 * 2**20, ge=1)
    max_upload_total_bytes: int = Field(default=256 * 2**20, ge=1)
    max_upload_files: int = Field(default=1000, ge=1)
    allowed_roots: Annotated[tuple[Path, ...], NoDecode] = ()
    request_threads: int = Field(default=2, ge=1)
    request_queue: int = Field(default=16, ge=0)
    index_memory: ByteSize | None = None
    device: DeviceName = "cpu"
    require_keys: bool = False
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    requests_per_minute: int = Field(default=1200, ge=1)
    language: str = "english"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Say what is stronger than what: arguments, the environment, the file.

        Raises:
            BadRequest: the file cannot be used.
        """
        home = init_settings().get("home") or env_settings().get("home") or default_home()
        file = InitSettingsSource(settings_cls, read_settings_file(Path(home)))
        return init_settings, env_settings, file

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, hosts: Any) -> Any:
        return tuple(filter(None, map(str.strip, hosts.split(",")))) if isinstance(hosts, str) else hosts

    @field_validator("language")
    @classmethod
    def _known(cls, language: str) -> str:
        if not knows_language(language):
            raise ValueError(f"no rules for sentences of {language!r} are there; name a language like german or hindi")
        return language

    @field_validator("allowed_roots", mode="before")
    @classmethod
    def _folders(cls, folders: Any) -> Any:
        return tuple(filter(None, folders.split(os.pathsep))) if isinstance(folders, str) else folders

    @field_validator("allowed_roots")
    @classmethod
    def _absolute(cls, folders: tuple[Path, ...]) -> tuple[Path, ...]:
        if not all(folder.is_absolute() for folder in folders):
            raise ValueError("each folder must be an absolute path")
        return folders

    @field_validator("database_url")
    @classmethod
    def _database(cls, database_url: str | None) -> str | None:
        try:
            known = database_url is None or make_url(database_url).drivername in DATABASES
        except (ArgumentError, ValueError) as error:
            raise ValueError("not the address of a database, as postgresql://user@host/name") from error
        if not known:
            raise ValueError("the catalogue is in SQLite or in PostgreSQL: sqlite:///... or postgresql://...")
        return database_url

    @property
    def weight_files(self) -> WeightFiles:
        """The files of weights that are named."""
        return WeightFiles(self.backbone_weights, self.proposer_weights)

    @property
    def catalogue_url(self) -> URL:
        """The catalogue's database; built from parts, so that a folder may hold any character.

        Raises:
            OSError: the password's file cannot be read.
        """
        if self.database_url is not None:
            url = make_url(self.database_url)
            if self.database_password_file is None:
                return url
            return url.set(password=self.database_password_file.read_text(encoding="utf-8").rstrip("\r\n"))
        return URL.create("sqlite", database=str(self.home.absolute() / "catalogue.db"))

    def uploads_directory(self, collection_id: int) -> Path:
        """Return the folder of the files that were uploaded into a collection."""
        return self.home.absolute() / "uploads" / str(collection_id)

    @property
    def workers_directory(self) -> Path:
        """The folder in which running workers hold a lock each."""
        return self.home.absolute() / "workers"

    def collection_directory(self, collection_id: int) -> Path:
        """Return the folder of a collection's snapshots."""
        return self.home.absolute() / "collections" / str(collection_id)

    def renewal_directory(self, collection_id: int) -> Path:
        """Return the folder in which a collection's index is written anew, beside that of its snapshots."""
        return self.collection_directory(collection_id).with_suffix(".renewal")

    def snapshot_directory(self, collection_id: int, snapshot: str) -> Path:
        """Return the folder of one snapshot."""
        return self.collection_directory(collection_id) / snapshot
