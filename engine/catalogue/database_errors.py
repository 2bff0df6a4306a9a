"""What is wrong with the catalogue's database, in one sentence that says what to do and holds no password."""

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError

from engine.exceptions import BadRequest, CatalogueError

SENTENCES = {
    # PostgreSQL's codes, and what its driver says where there is no code
    "28P01": "refuses the user or the password; see DVSA_DATABASE_URL and DVSA_DATABASE_PASSWORD_FILE",
    "28000": "refuses the user; see DVSA_DATABASE_URL",
    "3D000": "does not exist; make the database, as with createdb, or name another in DVSA_DATABASE_URL",
    "42501": "does not let this user do that; give it the right to make and write tables",
    "25006": "is read-only; make it writable",
    "53100": "has no disk space left; free some and run the command again",
    "53300": "has no connection left; run the command again, or let the server take more",
    "55P03": "is locked by another program; run the command again when that has ended",
    "40P01": "is locked by another program; run the command again when that has ended",
    "54000": "takes no name as long as one of these; shorten the longest path",
    "57P0": "has ended the connection; run the command again when the server is back",
    "password authentication failed": "refuses the user or the password; see DVSA_DATABASE_URL",
    "no password supplied": "wants a password; see DVSA_DATABASE_PASSWORD_FILE",
    'fatal: database "': "does not exist; make the database, as with createdb, or name another in DVSA_DATABASE_URL",
    'fatal: role "': "refuses the user; see DVSA_DATABASE_URL",
    "the database system is": "is starting or ending; run the command again in a moment",
    "too many clients": "has no connection left; run the command again, or let the server take more",
    "connection is lost": "has ended the connection; run the command again when the server is back",
    "closed the connection": "has ended the connection; run the command again when the server is back",
    "connection failed": "cannot be reached; is the server running, and is DVSA_DATABASE_URL right?",
    "connection timeout": "cannot be reached in time; is the server running, and is DVSA_DATABASE_URL right?",
    "failed to resolve": "cannot be reached: nobody knows that host; see DVSA_DATABASE_URL",
    # SQLite's
    "locked": "is locked by another program; run the command again when that has ended",
    "readonly": "is read-only; make it writable or set DVSA_HOME to another folder",
    "is full": "is on a disk that is full; free some space and run the command again",
    "disk i/o": "cannot be read or written (disk I/O error); is the disk full?",
    "not a database": "is not a database of this program; move it away and index again",
    "malformed": "is damaged; move it away and index again",
    "unable to open": "cannot be opened; does its folder exist and may you write there?",
}
"""How a sentence about the catalogue goes on, by a part of the database's code and message; the first one counts."""


@contextlib.contextmanager
def plain_errors(url: URL) -> Iterator[None]:
    """Turn the database's errors into one sentence."""
    try:
        yield
    except DataError as error:
        raise BadRequest(f"the catalogue cannot hold that: {_line(error.orig)}") from error
    except (DBAPIError, sqlite3.Error) as error:
        raise CatalogueError(explain(error, url)) from error


def explain(error: Exception, url: URL) -> str:
    """Say what is wrong with the database and what to do."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    signs = " ".join(f"{getattr(cause, 'sqlstate', None)} {cause}".lower().split())
    for sign, sentence in SENTENCES.items():
        if sign.lower() in signs:
            return f"the catalogue {place(url)} {sentence}"
    return f"the catalogue {place(url)} failed: {_line(cause)}"


def place(url: URL) -> str:
    """Name the database without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    shown = URL.create("postgresql", url.username, host=url.host, port=url.port, database=url.database)
    return shown.render_as_string()


def _line(cause: object) -> str:
    return " ".join(str(cause).split())
