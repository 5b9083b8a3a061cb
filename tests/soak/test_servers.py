"""Other servers than the tests have else: an older PostgreSQL that speaks German, and databases of all sorts."""

import os
import subprocess
import sys
from threading import Timer

import psycopg
import pytest

from tests.support.account import KEY, environ, mirror, query
from tests.support.postgres import VARIABLE, Postgres, locate, locate_older
from tests.support.program import ROOT, Program
from tpmirror.db import views
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

pytestmark = pytest.mark.exhaustive

COMMANDS = ("db upgrade", "sync", "poll", "sync", "verify", "audit", "status", "report reconcile", "db check", "doctor")
ROLES = "tests/db/test_roles.py"
"""Tests of what differs most between versions."""


@pytest.fixture(scope="module")
def german():
    """A PostgreSQL of an older major version that says everything in German."""
    with Postgres(locate_older(), german=True, fsync=True) as server:
        assert server.binaries.version < locate().version
        yield server


@pytest.fixture
def admin(german):
    with psycopg.connect(host=str(german.home), user="postgres", dbname="postgres", autocommit=True) as conn:
        yield conn


def test_every_command_works_on_an_older_server_in_another_language_and_style(german, admin, sim, tmp_path, capsys):
    admin.execute("CREATE DATABASE older ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0")
    admin.execute("ALTER ROLE postgres IN DATABASE older SET datestyle = 'German'")
    admin.execute("ALTER ROLE postgres IN DATABASE older SET timezone = 'Europe/Berlin'")
    url = german.url("older")
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=url))
    for command in (*COMMANDS, f"export {tmp_path / 'out'}"):
        program.call(capsys, *command.split())
    for view in views.sources("postgresql"):
        query(url, f"SELECT * FROM {view}")
    german.drop("older")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_an_encoding_that_does_not_hold_every_name_is_refused(german, admin, sim, tmp_path, capsys, encoding):
    admin.execute(f"CREATE DATABASE narrow ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=german.url("narrow")))
    for command in ("db upgrade", "sync", "doctor"):
        said = "".join(program.call(capsys, *command.split(), code=1))
        assert f"is encoded in {encoding}" in said
        assert "ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0" in said
    german.drop("narrow")


def test_a_shutdown_and_a_limit_are_waited_for_in_every_language(german, admin):
    """A restart, a crash, and a role without a connection left, each in the middle of a full sync."""
    german.create("waiting")
    admin.execute("CREATE ROLE narrow LOGIN IN ROLE pg_read_all_data, pg_write_all_data")
    url = german.url("waiting")
    with Simulator(World(seed=5, jobs=400), token=KEY, page_cap=20) as simulator:
        mirror(simulator, url)
        simulator.world.edit(400, {"description": "news"})

        def close():
            with psycopg.connect(host=str(german.home), user="postgres", dbname="postgres", autocommit=True) as conn:
                conn.execute("ALTER ROLE narrow CONNECTION LIMIT 0")
                conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'narrow'")
            Timer(1, open_again).start()

        def open_again():
            with psycopg.connect(host=str(german.home), user="postgres", dbname="postgres", autocommit=True) as conn:
                conn.execute("ALTER ROLE narrow CONNECTION LIMIT -1")

        due = {4: german.restart, 8: close, 12: lambda: german.restart("immediate")}
        begun = simulator.count_requests()

        def hit(_request):
            if fault := due.pop(simulator.count_requests() - begun, None):
                fault()

        simulator.respond = hit
        run = mirror(simulator, url.replace("postgres@", "narrow@"), concurrency=1)
    assert (run["outcome"], run["certified"], run["jobs_seen"], due) == ("succeeded", True, 400, {})


def test_the_roles_are_the_same_on_an_older_server():
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "-m", "not exhaustive", "-k", "not sqlite", ROLES],
        cwd=ROOT, env={**os.environ, VARIABLE: str(locate_older().bin)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-3000:]
    assert str(locate_older()).rpartition(" from")[0] in answer.stdout
