"""API keys: made and revoked by the command line, looked up with every request; only their digests are kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Row, insert, select, update

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.tables import ApiKey
from engine.exceptions import BadRequest

Scope = Literal["read", "write"]
"""What a key may do: read, or read and change."""

PREFIX = "dvsa_"  # tells people, and programs that look for leaked secrets, what a key is
SECRET_BYTES = 32
LONGEST = 100  # characters of a key, or of its name; longer ones are none


@dataclass(frozen=True)
class KeyInfo:
    """A key without its secret; times are UTC."""

    id: int
    name: str
    scope: Scope
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class ApiKeys:
    """The keys of a catalogue. Thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def create(self, name: str, scope: Scope) -> str:
        """Make a key and return it; it cannot be had a second time.

        Raises:
            BadRequest: the name is empty, too long, or was given before.
        """
        if not name.strip() or len(name) > LONGEST or not name.isprintable():
            raise BadRequest(f"the name of a key has 1 to {LONGEST} printable characters")
        key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        row = {"name": name, "digest": _digest(key), "scope": scope, "created_at": datetime.now(UTC)}
        with self._catalogue.write() as connection:
            if connection.scalar(select(ApiKey.id).where(ApiKey.name == name)) is not None:
                raise BadRequest(f"there is, or was, a key {name!r}; give the new one another name")
            connection.execute(insert(ApiKey).values(row))
        return key

    def all(self) -> list[KeyInfo]:
        """Return all keys, revoked ones too, in the order of their making."""
        with self._catalogue.read() as connection:
            return [_info(row) for row in connection.execute(select(*_COLUMNS).order_by(ApiKey.id))]

    def revoke(self, name: str) -> None:
        """Make a key useless from now on; one that is revoked stays so.

        Raises:
            BadRequest: there is no key of that name.
        """
        with self._catalogue.write() as connection:
            if connection.scalar(select(ApiKey.id).where(ApiKey.name == name)) is None:
                raise BadRequest(f"there is no key {name!r}; dvsa keys list shows those that there are")
            unrevoked = (ApiKey.name == name, ApiKey.revoked_at.is_(None))
            connection.execute(update(ApiKey).where(*unrevoked).values(revoked_at=datetime.now(UTC)))

    def find(self, key: str) -> KeyInfo | None:
        """Return the key that this is; None: it is none, or was revoked.

        The time that this takes says nothing of how much of a key is right.
        """
        given, found = _digest(key[: LONGEST + 1]), None
        with self._catalogue.read() as connection:
            for row in connection.execute(select(ApiKey.id, ApiKey.digest).where(ApiKey.revoked_at.is_(None))):
                if hmac.compare_digest(row.digest, given):
                    found = row.id
            one = connection.execute(select(*_COLUMNS).where(ApiKey.id == found)).one_or_none()
        return None if one is None else _info(one)

    def note_use(self, key: KeyInfo) -> None:
        """Write down that a key is used now."""
        with self._catalogue.write() as connection:
            connection.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=datetime.now(UTC)))


_COLUMNS = (ApiKey.id, ApiKey.name, ApiKey.scope, ApiKey.created_at, ApiKey.revoked_at, ApiKey.last_used_at)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _info(row: Row[tuple[int, str, str, datetime, datetime | None, datetime | None]]) -> KeyInfo:
    number, name, scope, *times = row
    return KeyInfo(number, name, "write" if scope == "write" else "read", *times)
