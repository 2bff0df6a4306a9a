"""API keys in a real catalogue."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from engine.catalogue import Catalogue
from engine.catalogue.keys import LONGEST, ApiKeys
from engine.exceptions import BadRequest


@pytest.fixture
def keys(catalogue_url: URL) -> Iterator[ApiKeys]:
    with closing(Catalogue(catalogue_url)) as catalogue:
        yield ApiKeys(catalogue)


def test_a_key_is_found_with_its_scope(keys: ApiKeys) -> None:
    reading, writing = keys.create("page", "read"), keys.create("robot", "write")
    assert reading.startswith("dvsa_")
    assert len({reading, writing}) == 2
    for key, name, scope in ((reading, "page", "read"), (writing, "robot", "write")):
        found = keys.find(key)
        assert found is not None
        assert (found.name, found.scope, found.revoked_at, found.last_used_at) == (name, scope, None, None)
    assert [key.name for key in keys.all()] == ["page", "robot"]


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True)
def test_the_catalogue_holds_no_key_but_its_hash(keys: ApiKeys, tmp_path: Path) -> None:
    key = keys.create("page", "read")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key.encode() not in content
    assert key.removeprefix("dvsa_").encode() not in content
    assert hashlib.sha256(key.encode()).hexdigest().encode() in content


def test_what_is_no_key_is_not_found(keys: ApiKeys) -> None:
    key = keys.create("page", "read")
    for wrong in ("", "dvsa_", key[:-1], key + "x", key.upper(), "x" * 10**6, "\udc80", "' OR 1=1 --"):
        assert keys.find(wrong) is None


def test_a_revoked_key_is_found_no_more_and_its_name_stays_taken(keys: ApiKeys) -> None:
    key, other = keys.create("page", "read"), keys.create("other", "read")
    keys.revoke("page")
    assert keys.find(key) is None
    assert keys.find(other) is not None
    first = keys.all()[0].revoked_at
    keys.revoke("page")
    assert keys.all()[0].revoked_at == first is not None
    with pytest.raises(BadRequest, match="another name"):
        keys.create("page", "write")
    with pytest.raises(BadRequest, match="no key 'nobody'"):
        keys.revoke("nobody")


def test_the_last_use_is_noted(keys: ApiKeys) -> None:
    found = keys.find(keys.create("page", "read"))
    assert found is not None
    keys.note_use(found)
    used = keys.all()[0].last_used_at
    assert used is not None
    assert used >= found.created_at


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * (LONGEST + 1)])
def test_odd_names_are_refused(keys: ApiKeys, name: str) -> None:
    with pytest.raises(BadRequest, match="name of a key"):
        keys.create(name, "read")
