"""Text and JSON of a dataset, read whole; what cannot be read is told in one sentence."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from model.exceptions import DatasetError

T = TypeVar("T")
_BOM = b"\xef\xbb\xbf"


def read_bytes(path: Path) -> bytes:
    """Read a file without its byte order mark.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        return path.read_bytes().removeprefix(_BOM)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Read UTF-8 text.

    Returns:
        (number of the line from 1, the line) of each that is not blank. A line ends at a line feed alone: other
        characters that Python breaks lines at may stand in a sentence.

    Raises:
        DatasetError: it cannot be read, or is not UTF-8.
    """
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text (byte {error.start})") from error
    return [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def read_json(path: Path, kind: TypeAdapter[T]) -> T:
    """Read JSON of a kind.

    Raises:
        DatasetError: it cannot be read, is cut short or not of the kind: the first place that is wrong is named.
    """
    data = read_bytes(path)
    if not data.strip():
        raise DatasetError(f"{path} is empty")
    try:
        return kind.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        if not place:
            raise DatasetError(f"{path} is not what it should be: {first['msg']}") from error
        raise DatasetError(f"{path} is malformed at {place}: {first['msg']}") from error
