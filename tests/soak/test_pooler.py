"""Behind a real PgBouncer: all works in transaction and session mode, and other clients of the pool notice nothing."""

import re
import socket
import urllib.request
from contextlib import ExitStack
from functools import partial
from threading import Timer

import psycopg
import pytest
from sqlalchemy import text

from tests.support import pooled
from tests.support.account import KEY, environ, mirror, rows, settings
from tests.support.pgbouncer import SESSIONS, Bouncer
from tests.support.program import Program
from tpmirror.db import engine as db_engine
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync.verify import verify

pytestmark = pytest.mark.exhaustive

COMMANDS = (
    "db upgrade", "db upgrade", "sync", "sync", "poll", "poll", "status", "doctor", "report costs", "report reconcile",
    "verify", "audit", "history 1", "gone list", "quarantine list", "quarantine retry", "sync --dry-run", "db current",
    "db check", "export {folder}/out",
)  # fmt: skip
BY_CLIENT = ("application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings")
"""Settings that PgBouncer itself gives each client as it wants them."""


@pytest.fixture
def name(postgres):
    postgres.create("pooled")
    yield "pooled"
    postgres.drop("pooled")


@pytest.fixture
def behind(postgres, name):
    """A pooler of a mode before the test's database."""
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(Bouncer(postgres, *arguments))


def program_of(sim, url, folder):
    return Program(folder, environ(sim.url, sim.token, database_url=url))


def settings_of(connection):
    """All but those of the language of the triggers, which are there once one has run."""
    found = connection.execute("SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql.%'").fetchall()
    return {name: setting for name, setting in found if name not in BY_CLIENT}


def assert_untouched(postgres, bouncer, name):
    """All sessions of the pool, as another client of it gets them, are as new ones: settings, statements, locks."""
    with psycopg.connect(host=str(postgres.home), user="postgres", dbname=name) as direct:
        fresh = settings_of(direct)
    with ExitStack() as stack:
        others = [stack.enter_context(bouncer.connect(name)) for _ in range(SESSIONS)]
        pids = {other.execute("SELECT pg_backend_pid()").fetchone() for other in others}
        assert len(pids) == SESSIONS
        for other in others:
            assert settings_of(other) == fresh
            assert other.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            assert other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
            assert other.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").fetchone() == (0,)


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_every_command_works_and_leaves_the_sessions_as_they_were(postgres, name, behind, sim, tmp_path, capsys, mode):
    bouncer = behind(mode)
    program = program_of(sim, bouncer.url(name), tmp_path)
    for command in COMMANDS:
        program.call(capsys, *command.format(folder=tmp_path).split())
    assert all(run["certified"] for run in rows(postgres.url(name), "sync_runs", kind="full"))
    assert_untouched(postgres, bouncer, name)


def test_the_dashboard_works(postgres, name, behind, sim, tmp_path):
    bouncer = behind()
    mirror(sim, bouncer.url(name))
    program = program_of(sim, bouncer.url(name), tmp_path)
    with program.start("web", "--http-addr", "127.0.0.1:0") as process:
        try:
            (address,) = re.findall(r"http://[\d.:]+", process.stderr.readline())
            for page in ("/", "/jobs", "/jobs/1", "/costs", "/operations", "/sync", "/live"):
                with urllib.request.urlopen(address + page, timeout=60) as answer:  # noqa: S310 - loopback
                    assert answer.status == 200
        finally:
            process.kill()
    assert_untouched(postgres, bouncer, name)


def test_doctor_says_that_a_pooler_stands_between(postgres, name, behind, sim, tmp_path, capsys):
    direct = program_of(sim, postgres.url(name), tmp_path)
    direct.call(capsys, "sync")
    assert "pooler" not in direct.call(capsys, "doctor")[0]
    for mode in ("transaction", "session"):
        said, _ = program_of(sim, behind(mode).url(name), tmp_path).call(capsys, "doctor")
        stated = "ok pooler one stands before the server; transaction and session mode work alike"
        assert stated in " ".join(said.split())


def test_statement_mode_is_refused_at_once_with_the_remedy(name, behind, sim, tmp_path, capsys):
    program = program_of(sim, behind("statement").url(name), tmp_path)
    for command in ("db upgrade", "sync", "status", "doctor"):
        said = "".join(program.call(capsys, *command.split(), code=1))
        assert "set pool_mode to transaction or session" in said


def test_what_other_clients_left_in_a_session_does_no_harm(postgres, name, behind, sim, world):
    """The neighbours of a pool are not as careful: their settings come with the session."""
    bouncer = behind()
    with psycopg.connect(host=str(postgres.home), user="postgres", dbname=name) as direct:
        direct.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    world.edit(7, {"grain": 0.1234567890123456})
    ask = text("SELECT current_setting('synchronous_commit'), current_setting('bytea_output')")
    with db_engine.connected(bouncer.url(name)) as engine:
        mirror(sim, bouncer.url(name))
        assert db_engine.write(engine, lambda conn: conn.execute(ask).one()) == ("on", "hex")
        with ExitStack() as stack:
            others = [stack.enter_context(bouncer.connect(name)) for _ in range(SESSIONS)]
            for other in others:
                other.execute("SET statement_timeout = 100; SET lock_timeout = 1; SET synchronous_commit = off")
                other.execute("SET bytea_output = 'escape'; SET extra_float_digits = -9")
        # The second value shows that theirs are still there.
        assert db_engine.write(engine, lambda conn: conn.execute(ask).one()) == ("on", "escape")
    assert mirror(sim, bouncer.url(name))["certified"]
    assert not verify(settings(sim, bouncer.url(name))).needs_attention


def test_a_host_that_does_not_resolve_in_mid_run_is_waited_for(postgres, name, behind, sim, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bouncer, honest, names = behind("transaction", port), socket.getaddrinfo, {"database.test": "127.0.0.1"}

    def resolve(host, *arguments, **options):
        if host == "database.test" and host not in names:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return honest(names.get(host, host), *arguments, **options)

    def lose(_request):
        if sim.count_requests() == 2:
            names.clear()
            bouncer.restart()
            Timer(1, partial(names.update, {"database.test": "127.0.0.1"})).start()

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    sim.respond = lose
    run = mirror(sim, f"postgresql://postgres@database.test:{port}/{name}", concurrency=1)
    assert (run["outcome"], run["certified"], run["jobs_seen"]) == ("succeeded", True, 30)


def test_a_full_sync_survives_restarts_of_the_pooler(name, behind):
    bouncer, due = behind(), [9, 4]
    with Simulator(World(seed=5, jobs=600), token=KEY, page_cap=50) as simulator:

        def restart(_request):
            if due and simulator.count_requests() >= due[-1]:
                due.pop()
                bouncer.restart()

        simulator.respond = restart
        run = mirror(simulator, bouncer.url(name), concurrency=1)
    assert (run["outcome"], run["certified"], run["jobs_seen"], due) == ("succeeded", True, 600, [])


def test_the_service_outlives_restarts_of_database_and_pooler(tmp_path):
    """The quarter of an hour of ``make soak``, in a hurry."""
    figures = pooled.live(tmp_path, seconds=6, jobs=500)
    assert figures.wrong == []
    assert len(figures.restarts) == 2 * len(pooled.SERVER_RESTARTS) - 1
