"""The folder of a report."""

from pathlib import Path
from tempfile import TemporaryFile

from engine.exceptions import StorageError


def check_report_folder(folder: Path) -> None:
    """Make the folder of a report, before the work that fills it.

    Raises:
        StorageError: it is a file, or cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StorageError(f"the report's folder {folder} cannot be written to: {error.strerror or error}") from error
