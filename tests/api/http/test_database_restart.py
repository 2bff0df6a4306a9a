"""A server whose catalogue is in PostgreSQL, while the database goes and comes back."""

import sys
from pathlib import Path

import httpx
from sqlalchemy import URL

from engine.settings import Settings
from indexer.index import index_paths
from tests.api.http.server_process import client_of, serving
from tests.api.http.test_routes import API, given, refused
from tests.postgresql_server import PostgresServer
from tests.tiny_encoder import TinyEncoder


def test_a_server_says_that_the_database_is_away_and_goes_on_when_it_is_back(
    postgresql: PostgresServer, empty_catalogue: URL, walls: Path, tmp_path: Path
) -> None:
    database = postgresql.new_database(empty_catalogue)
    url = database.render_as_string(hide_password=False)
    index_paths([walls], "walls", TinyEncoder(), Settings(home=tmp_path, database_url=url))
    command: list[str | Path] = [sys.executable, "-m", "tests.api.http.tiny_server", tmp_path]
    with serving(command, DVSA_DATABASE_URL=url) as server, client_of(server) as client:

        def search() -> httpx.Response:
            return client.post(f"{API}/search/text", json={"text": "a red wall", "collection": "walls"})

        before = given(search())["hits"]
        assert len(before) == 4
        postgresql.stop()
        try:
            refused(search(), 503, "unavailable")
            refused(client.get(f"{API}/health/ready"), 503, "unavailable")
            assert given(client.get(f"{API}/health/live")) == {"status": "alive"}
        finally:
            postgresql.start()
        assert given(search())["hits"] == before
        assert given(client.get(f"{API}/health/ready"))["status"] == "ready"
    assert any("cannot be reached" in line for line in server.log)
    assert not any(postgresql.password in line for line in server.log)
    postgresql.drop(database)
