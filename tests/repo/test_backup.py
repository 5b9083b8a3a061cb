"""What docs/backup.md says to do, done as it stands there: backup, restore, also under a running service, downgrade."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.account import dump, environ, mirror, query
from tests.support.program import ROOT, Program, until
from tpmirror.db import migrate, revision
from tpmirror.db.engine import connected

PAGE: Final = ROOT / "docs" / "backup.md"
NAME: Final = "tpmirror"
"""Of the database, and of the file, in the page's commands."""


def commands(section: str, dialect: str) -> str:
    """The commands of a section for a database: SQLite's come first."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return str(found[0 if dialect == "sqlite" else -1])


@pytest.fixture
def url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database by the name that it has in the page."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / NAME}.db"
        return
    server = request.getfixturevalue("postgres")
    server.create(NAME)
    yield server.url(NAME)
    server.drop(NAME)


@pytest.fixture
def do(url: str, dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Does what a section says, with this program and, on PostgreSQL, the server's own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, target in (("tpmirror", f'"{sys.executable}" -m tpmirror'), ("python3", f'"{sys.executable}"')):
        (programs / name).write_text(f'#!/bin/sh\nexec {target} "$@"\n')
        (programs / name).chmod(0o755)
    variables = {"PYTHONPATH": str(ROOT), "TPMIRROR_DATABASE_URL": url, "PATH": f"{programs}:{os.environ['PATH']}"}
    if dialect == "postgresql":
        server = request.getfixturevalue("postgres")
        variables |= {"PGHOST": str(server.home), "PGUSER": "postgres"}
        variables["PATH"] = f"{programs}:{server.binaries.bin}:{os.environ['PATH']}"

    def run(section: str) -> None:
        done = subprocess.run(
            ["sh", "-e", "-c", commands(section, dialect)], cwd=tmp_path, env=variables, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    return run


def test_what_was_backed_up_is_there_again_after_the_restore(sim, url, do, tmp_path):
    mirror(sim, url)
    before = dump(url)
    do("Backup")
    sim.world.submit()
    sim.world.cancel(sim.world.listed(active_only=True)[0])
    mirror(sim, url)
    assert dump(url) != before
    do("Restore")
    assert dump(url) == before
    assert mirror(sim, url)["certified"]
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.db")} <= {0}


@pytest.mark.exhaustive
def test_a_restore_under_a_running_service_is_followed_by_a_certified_sync(sim, url, do, tmp_path):
    quick = {"sync_interval": "2", "poll_interval": "1", "http_addr": "127.0.0.1:0"}
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=url, **quick))
    service = program.start("run")

    def certified(more: int) -> bool:
        return bool(query(url, f"SELECT COUNT(*) FROM sync_runs WHERE certified AND id > {more}")[0][0])

    def newest() -> int:
        return int(query(url, "SELECT COALESCE(MAX(id), 0) FROM sync_runs")[0][0])

    try:
        until(lambda: revision_of(url) and certified(0))
        do("Backup")
        new = sim.world.submit()
        until(lambda: query(url, f"SELECT 1 FROM jobs WHERE id = {new}"))
        do("Restore")
        restored = newest()
        until(lambda: certified(restored) and query(url, f"SELECT 1 FROM jobs WHERE id = {new}"))
    finally:
        service.terminate()
        _, log = service.communicate(timeout=60)
    assert service.returncode == 0, log
    assert "Traceback" not in log
    program.run("audit")
    program.run("verify")


def revision_of(url: str) -> str | None:
    with connected(url) as engine:
        return revision.current(engine)


def test_an_older_program_finds_the_mirror_that_it_left(sim, url, tmp_path, capsys):
    mirror(sim, url)
    before = dump(url)
    (target,) = re.findall(r"tpmirror db downgrade (\d{4})", commands("Downgrade", "sqlite"))
    tool = Program(tmp_path, {"TPMIRROR_DATABASE_URL": url})
    tool.call(capsys, "db", "downgrade", target, "--yes")
    assert target in tool.call(capsys, "db", "current")[0]
    tool.call(capsys, "db", "upgrade")
    assert {name: found for name, found in dump(url).items() if name != "data_dictionary"} == {
        name: found for name, found in before.items() if name != "data_dictionary"
    }
    with connected(url) as engine:
        assert migrate.differences(engine) == []
