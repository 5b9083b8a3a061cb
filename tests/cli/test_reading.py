"""What reads changes nothing: not the file, nor what lies beside it; also where nothing may be written."""

import ctypes
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import URL, select

from tests.support.account import environ, settings
from tests.support.program import Program
from tpmirror.db import schema
from tpmirror.db.engine import connected, read
from tpmirror.errors import MirrorError
from tpmirror.web.app import create_app
from tpmirror.web.server import Server

COMMANDS: Final = (
    ["status"],
    ["history", "1"],
    ["jobs"],
    ["show", "1"],
    ["report", "sync"],
    ["audit"],
    ["verify"],
    ["doctor"],
    ["db", "check"],
    ["db", "current"],
    ["gone", "list"],
    ["quarantine", "list"],
    ["sync", "--dry-run"],
    ["export", "../exported"],
)
CHANGE: Final = "UPDATE jobs SET description = 'changed' WHERE id = 1"
PR_CAPBSET_DROP: Final = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


@pytest.fixture
def dialect() -> str:
    """PostgreSQL has no files that a reader could change."""
    return "sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for nothing but the mirror."""
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def kept(mirrored: str, folder: Path) -> Path:
    """A mirror as a run leaves it: in WAL mode, with nothing beside it."""
    return Path(shutil.copyfile(mirrored.removeprefix("sqlite:///"), folder / "mirror #1? 100%41.db"))


@pytest.fixture
def backup(mirrored: str, folder: Path) -> Path:
    """A copy as docs/backup.md has it: SQLite makes it without WAL mode."""
    file = folder / "backup.db"
    with closing(sqlite3.connect(mirrored.removeprefix("sqlite:///"))) as conn:
        conn.execute("VACUUM INTO ?", (str(file),))
    return file


def url_of(file: Path) -> str:
    """The URL of a file, whatever its name is."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a folder: when it was written, and what is in it; of an index of a log only that it is there."""
    return {
        path.name: (0, b"") if path.name.endswith("-shm") else (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
    }


@pytest.mark.parametrize("file", ["kept", "backup"])
def test_a_command_that_reads_leaves_file_and_folder_as_they_are(sim, file, folder, capsys, request):
    url = url_of(request.getfixturevalue(file))
    program, before = Program(folder, environ(sim.url, sim.token, database_url=url)), state(folder)
    for words in COMMANDS:
        program.call(capsys, *words)
        assert state(folder) == before, words


def test_the_dashboard_leaves_file_and_folder_as_they_are(sim, kept, folder):
    before, app = state(folder), create_app(settings(sim, url_of(kept)))
    server = Server(app, ("127.0.0.1", 0))
    with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client:
        for page in ("/", "/jobs", "/jobs/1", "/costs", "/operations", "/sync", "/live"):
            assert client.get(page).status_code == 200
    server.stop()
    app.state.engine.dispose()
    assert state(folder) == before


def test_what_a_writer_has_committed_is_read_from_its_log_which_stays(sim, kept, folder, capsys):
    with closing(sqlite3.connect(kept, isolation_level=None)) as writer:
        writer.execute(CHANGE)
        writer.execute("BEGIN IMMEDIATE")
        before = state(folder)
        assert len(before) == 3
        program = Program(folder, environ(sim.url, sim.token, database_url=url_of(kept)))
        for words in (["status"], ["audit"], ["db", "check"]):
            program.call(capsys, *words)
        assert description(kept) == "changed"
        assert state(folder) == before


def description(file: Path) -> Any:
    with connected(url_of(file), read_only=True) as engine:
        return read(engine, lambda conn: conn.scalar(select(schema.jobs.c.description).where(schema.jobs.c.id == 1)))


def test_the_log_of_a_writer_that_was_killed_is_left_to_the_next_one(kept, folder, tmp_path):
    with closing(sqlite3.connect(kept, isolation_level=None)) as writer:
        writer.execute(CHANGE)
        shutil.copytree(folder, tmp_path / "killed")
    killed = tmp_path / "killed"
    before = state(killed)
    assert description(killed / kept.name) == "changed"
    assert state(killed) == before


def test_an_engine_for_reading_cannot_write(kept, folder):
    before = state(folder)
    with connected(url_of(kept), read_only=True) as engine:
        for _ in range(2):
            with pytest.raises(Exception, match="readonly database"), engine.begin() as conn:
                conn.exec_driver_sql(CHANGE)
            read(engine, lambda conn: conn.exec_driver_sql("SELECT 1").all())
    assert state(folder) == before


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """A folder that is read-only by its permissions: root ignores them until it calls ``bound``."""
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


def bound() -> None:
    """Permissions count for this process from its start on, also if it is root's."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            assert libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())


ALL_COMMANDS: Final = """
import json, os, sys
from tpmirror.cli.main import main
assert not os.access(os.path.dirname(sys.argv[1]), os.W_OK), "everything may be written here"
os.environ["TPMIRROR_DATABASE_URL"] = sys.argv[3]
for words in json.loads(sys.argv[2]):
    sys.argv = ["tpmirror", *words]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, words
"""
WHILE_WRITTEN: Final = """
import os, sys
from tpmirror.db.engine import connected, reading
from tpmirror.errors import TransientDatabaseError
assert not os.access(os.path.dirname(sys.argv[1]), os.W_OK), "everything may be written here"

def read(conn):
    print(conn.exec_driver_sql("SELECT description FROM jobs WHERE id = 1").scalar(), flush=True)

with connected(sys.argv[2], read_only=True) as engine:
    try:
        with reading(engine) as conn:
            read(conn)
            sys.stdin.readline()
    except TransientDatabaseError as error:
        print(error, flush=True)
    with reading(engine) as conn:
        read(conn)
"""


def start(code: str, program: Program, *arguments: str) -> "subprocess.Popen[str]":
    """Python without root's rights over files."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd="/", env=program.variables, preexec_fn=bound,  # noqa: PLW1509
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("file", ["kept", "backup"])
def test_a_mirror_that_nobody_may_write_is_read(sim, file, folder, tmp_path, request):
    mirror = request.getfixturevalue(file)
    program, before = Program(tmp_path, environ(sim.url, sim.token)), state(folder)
    commands = [[word.replace("..", str(tmp_path)) for word in words] for words in COMMANDS]
    with unwritable(folder):
        process = start(ALL_COMMANDS, program, str(mirror), json.dumps(commands), url_of(mirror))
        _, complained = process.communicate(timeout=120)
    assert process.returncode == 0, complained
    assert state(folder) == before


def test_a_file_that_is_written_while_it_is_read_without_locks_is_read_again(sim, kept, folder, tmp_path):
    with unwritable(folder):
        process = start(WHILE_WRITTEN, Program(tmp_path, environ(sim.url)), str(kept), url_of(kept))
        assert process.stdout is not None
        assert process.stdout.readline() != "changed\n"
        folder.chmod(0o755)
        with closing(sqlite3.connect(kept, isolation_level=None)) as writer:
            writer.execute(CHANGE)
        folder.chmod(0o555)
        said, complained = process.communicate("\n", timeout=60)
    assert process.returncode == 0, complained
    assert said.splitlines() == [f"{url_of(kept)} was written while it was read; try again", "changed"]


def test_a_log_that_cannot_be_read_is_named_with_the_remedy(kept, folder, tmp_path):
    """Without SQLite's index beside it, the log could only be read where that can be made."""
    with closing(sqlite3.connect(kept, isolation_level=None)) as writer:
        writer.execute(CHANGE)
        shutil.copytree(folder, tmp_path / "copied", ignore=shutil.ignore_patterns("*-shm"))
    copied = tmp_path / "copied"
    with unwritable(copied):
        process = start(WHILE_WRITTEN, Program(tmp_path, {}), str(copied / kept.name), url_of(copied / kept.name))
        _, complained = process.communicate("\n", timeout=60)
    assert process.returncode != 0
    last = complained.strip().splitlines()[-1]
    assert f"{kept.name}-wal holds changes that cannot be read here; copy it and " in last
    assert MirrorError.__name__ in last
