"""What stays after a process is killed, stopped or cut off from its database: whole batches, and a way on."""

import signal
import threading
import time

import pytest

from tests.support.account import KEY, environ, mirror, query, row, rows, settings
from tests.support.postgres import Postgres
from tests.support.program import Program
from tpmirror import migrate, quarantine
from tpmirror.audit import audit
from tpmirror.database import connected, reading
from tpmirror.simulator import Simulator, World
from tpmirror.sync import verify

KILLS = 8


@pytest.fixture
def program(tmp_path, mirror_url):
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url})


def wait_for_jobs(database_url, more_than=0):
    """Until the run under test has committed something."""
    deadline = time.monotonic() + 20
    while query(database_url, "SELECT count(*) FROM jobs")[0][0] <= more_than:
        assert time.monotonic() < deadline, "no job was mirrored"
        time.sleep(0.01)


def migrated(database_url):
    """So that the walk under test begins with the walk."""
    with connected(database_url) as engine:
        migrate.upgrade(engine)


def assert_sound(simulator, database_url):
    """One more sync, and the mirror is what the API shows, its history whole."""
    run = mirror(simulator, database_url)
    assert run["certified"]
    assert verify(settings(simulator, database_url)) == []
    with connected(database_url) as engine, reading(engine) as conn:
        assert audit(conn).findings == []
    assert rows(database_url, "sync_runs", outcome="running") == []


def test_killed_at_any_moment_nothing_is_lost_or_half_written(program, mirror_url):
    world = World(seed=5, jobs=600)
    with Simulator(world, token=KEY, page_cap=20, latency=0.01) as simulator:
        variables = environ(simulator.url, max_rps=0, concurrency=4)
        for number in range(KILLS):
            world.advance(900)
            process = program.start("sync", **variables)
            time.sleep(0.4 + number * 0.05)
            process.kill()
            process.communicate()
        assert_sound(simulator, mirror_url)


def test_a_stopped_run_is_closed_as_interrupted_and_the_next_one_starts_at_once(program, mirror_url):
    with Simulator(World(seed=5, jobs=600), token=KEY, page_cap=20, latency=0.05) as simulator:
        process = program.start("sync", **environ(simulator.url))
        wait_for_jobs(mirror_url)
        process.send_signal(signal.SIGTERM)
        _, complained = process.communicate(timeout=10)
        assert (process.returncode, complained.strip().count("\n")) == (1, 0)
        assert "interrupted" in complained
        assert row(mirror_url, "sync_runs")["outcome"] == "interrupted"
        simulator.latency = 0
        assert_sound(simulator, mirror_url)


def test_a_walk_survives_restarts_of_the_database():
    # A server of its own: one that does not come back must not take the other tests along.
    with Postgres() as server, Simulator(World(seed=5, jobs=2000), token=KEY, page_cap=50, latency=0.02) as simulator:
        server.create("mirror")
        url = server.url("mirror")
        migrated(url)
        restarts, over = list[float](), threading.Event()

        def disturb():
            while not over.wait(0.5) and len(restarts) < 2:
                server.restart(mode="immediate")
                restarts.append(time.monotonic())

        thread = threading.Thread(target=disturb)
        thread.start()
        run = mirror(simulator, url)
        over.set()
        thread.join()
        assert (run["outcome"], run["certified"], run["jobs_seen"]) == ("succeeded", True, 2000)
        assert restarts
        simulator.latency = 0
        assert_sound(simulator, url)


def test_quarantined_jobs_are_mirrored_when_upstream_has_mended_them(mirror_url):
    world = World(seed=5, jobs=30)
    with Simulator(world, token=KEY) as simulator:
        world.edit(7, {"finished": 12})
        world.edit(8, {"output_video": {"bitrate": 9223372036854776000}})
        run = mirror(simulator, mirror_url)
        assert (run["certified"], run["quarantined"], run["jobs_seen"], run["jobs_unchanged"]) == (True, 2, 30, 0)
        assert {entry["job_id"] for entry in rows(mirror_url, "quarantined_jobs")} == {7, 8}
        assert "X-Amz" not in "".join(entry["payload"] for entry in rows(mirror_url, "quarantined_jobs"))
        assert {entry["job_id"] for entry in quarantine.retry(settings(simulator, mirror_url))} == {7, 8}
        world.edit(7, {"finished": None})
        world.edit(8, {"output_video": {"bitrate": 5}})
        assert quarantine.retry(settings(simulator, mirror_url)) == []
        assert_sound(simulator, mirror_url)
        assert row(mirror_url, "jobs", id=7)["finished"] is None


def test_what_has_no_readable_id_waits_until_the_list_is_clean(mirror_url):
    world = World(seed=5, jobs=30)
    with Simulator(world, token=KEY) as simulator:
        world.edit(7, {"id": "7"})
        run = mirror(simulator, mirror_url)
        assert (run["certified"], run["quarantined"], run["jobs_inserted"]) == (False, 1, 29)
        world.edit(7, {"id": 7})
        assert mirror(simulator, mirror_url)["certified"]
        assert row(mirror_url, "quarantined_jobs")["resolved_at"] is not None
