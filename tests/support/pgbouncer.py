"""A real PgBouncer before the tests' PostgreSQL, on a unix socket of its own.

It takes every user's word and logs in as ``postgres``; two sessions of the server are all that a database's clients
share.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import psycopg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.support import memory
from tests.support.postgres import Postgres

Mode = Literal["session", "transaction", "statement"]

VARIABLE: Final = "TPMIRROR_TEST_PGBOUNCER"
REMEDY: Final = (
    f"No PgBouncer found, and tests behind it are never skipped. Install Debian's package pgbouncer (as root, "
    f"python -m tests.support.debian does), or set {VARIABLE} to the program."
)
SESSIONS: Final = 2
PORT: Final = 6432
"""It names the socket; nothing listens on a port unless a ``port`` is asked for."""
SETTINGS: Final = """
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr = {address}
listen_port = {port}
unix_socket_dir = {home}
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
server_login_retry = 1
"""


def locate() -> Path:
    """The program. Raises RuntimeError, with the remedy, if there is none."""
    asked = os.environ.get(VARIABLE)
    found = shutil.which(asked or "pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise RuntimeError(f"{VARIABLE} is {asked!r}, which is no program. {REMEDY}" if asked else REMEDY)
    return Path(found)


class Bouncer:
    """A PgBouncer before a server, for as long as the ``with`` block lasts.

    ``port``: it listens on that port of loopback too.
    """

    def __init__(self, server: Postgres, mode: Mode = "transaction", port: int | None = None) -> None:
        self._server, self._mode, self._port = server, mode, port

    def __enter__(self) -> Self:
        self.home = Path(tempfile.mkdtemp(prefix="tpm-pgb-", dir=memory.folder()))
        try:
            self._configure()
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        self._remove()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [locate(), "-q", self.home / "pgbouncer.ini"],
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._server.identity,
            )  # fmt: skip
        self._greet()

    def stop(self) -> None:
        """End it at once: its clients lose their connections."""
        self._process.terminate()
        self._process.wait(timeout=30)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def url(self, dbname: str) -> str:
        """The URL that SQLAlchemy opens this database with, through the pooler."""
        return f"postgresql+psycopg://postgres@/{dbname}?host={self.home}&port={self._port or PORT}"

    def connect(self, dbname: str) -> psycopg.Connection:
        """Another client of the pool."""
        return psycopg.connect(
            host=str(self.home), port=self._port or PORT, user="postgres", dbname=dbname, prepare_threshold=None
        )

    @retry(
        retry=retry_if_exception_type(psycopg.OperationalError),
        wait=wait_fixed(0.02),
        stop=stop_after_delay(30),
        reraise=True,
    )
    def _greet(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"pgbouncer ended: {(self.home / 'log').read_text(errors='replace')[-2000:]}")
        self.connect("pgbouncer").close()

    def _configure(self) -> None:
        settings = SETTINGS.format(
            server=self._server.home, address="127.0.0.1" if self._port else "", port=self._port or PORT,
            home=self.home, mode=self._mode, sessions=SESSIONS,
        )  # fmt: skip
        (self.home / "pgbouncer.ini").write_text(settings)
        if identity := self._server.identity:
            os.chown(self.home, identity["user"], identity["group"])
            os.chown(self.home / "pgbouncer.ini", identity["user"], identity["group"])

    def _remove(self) -> None:
        with suppress(AttributeError, ProcessLookupError):
            self._process.kill()
        shutil.rmtree(self.home, ignore_errors=True)
