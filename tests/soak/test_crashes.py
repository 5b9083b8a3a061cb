"""What stays after a process is killed, stopped or cut off from its database: whole batches, and a way on."""

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from tests.support import fork
from tests.support.account import KEY, connected, dump, environ, mirror, query, row, rows, settings
from tests.support.kills import Kills, Trap, findings, migrated
from tests.support.postgres import Postgres
from tests.support.program import Program, until
from tests.support.witness import Witness
from tpmirror.errors import MirrorError
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync import quarantine
from tpmirror.sync.verify import verify

pytestmark = pytest.mark.exhaustive

KILLS = 50


@pytest.fixture
def program(tmp_path, mirror_url):
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url})


def wait_for_jobs(database_url, more_than=0):
    """Until the run under test has committed something."""
    deadline = time.monotonic() + 60
    while query(database_url, "SELECT count(*) FROM jobs")[0][0] <= more_than:
        assert time.monotonic() < deadline, "no job was mirrored"
        time.sleep(0.01)


def assert_sound(simulator, database_url):
    """One more sync, and the mirror is what the API shows, its history whole."""
    run = mirror(simulator, database_url)
    assert run["certified"]
    assert not verify(settings(simulator, database_url)).needs_attention
    assert findings(database_url) == []
    assert rows(database_url, "sync_runs", outcome="running") == []


def test_killed_at_any_moment_nothing_is_lost_or_half_written(mirror_url):
    """Real processes and kill -9, while the account lives on."""
    kills = Kills(mirror_url, seed=5)
    assert kills.run(KILLS) == []
    assert kills.killed > KILLS * 0.9
    assert kills.abandoned > KILLS / 2


def test_a_process_that_was_stopped_and_replaced_writes_nothing_when_it_goes_on(mirror_url):
    """SIGSTOP before the first answer and in mid-sync; meanwhile the lease runs out, and another one takes over."""
    world = World(seed=5, jobs=30, in_flight=3, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        mirror(simulator, mirror_url)
        for number, held in enumerate((1, 3), start=1):
            trap = Trap(Witness(simulator), hold=True)
            trap.set(held)
            sleeper = fork.start(environ(simulator.url, database_url=mirror_url, concurrency=1))
            assert trap.sprung.wait(60), sleeper.exitcode
            with stopped(sleeper):
                run_out(mirror_url)
                assert mirror(simulator, mirror_url)["outcome"] == "succeeded"
                world.edit(3, {"description": f"news {number} that the sleeper is going to be told"})
                world.submit()
                before, runs = dump(mirror_url), rows(mirror_url, "sync_runs")
                trap.open.set()
            sleeper.join(60)
            assert sleeper.exitcode == 5
            assert (dump(mirror_url), rows(mirror_url, "sync_runs")) == (before, runs)
        simulator.respond = None
        assert_sound(simulator, mirror_url)


@contextmanager
def stopped(process: Any) -> Iterator[None]:
    fork.signal_to(process, signal.SIGSTOP)
    try:
        yield
    finally:
        fork.signal_to(process, signal.SIGCONT)


def run_out(database_url: str) -> None:
    """As if the lease's term had passed."""
    with connected(database_url) as conn:
        conn.execute(text("UPDATE writer_lease SET expires_at = '2020-01-01 00:00:00.000000+00:00'"))
        conn.commit()


def test_a_stopped_run_is_closed_as_interrupted_and_the_next_one_starts_at_once(program, mirror_url):
    over = threading.Event()
    with Simulator(World(seed=5, jobs=600), token=KEY, page_cap=20) as simulator:

        def hold(_):
            if simulator.count_requests() >= 10:
                over.wait(60)

        simulator.respond = hold
        process = program.start("sync", **environ(simulator.url))
        wait_for_jobs(mirror_url)
        until(lambda: simulator.count_requests() >= 10)
        time.sleep(1)  # by now it waits for an answer: Python drops an interrupt that comes within a finalizer
        process.send_signal(signal.SIGTERM)
        _, complained = process.communicate(timeout=60)
        over.set()
        assert (process.returncode, complained.strip().count("\n")) == (143, 0)
        assert "interrupted" in complained
        assert row(mirror_url, "sync_runs")["outcome"] == "interrupted"
        simulator.respond = None
        assert_sound(simulator, mirror_url)


def test_a_full_sync_survives_restarts_of_the_database():
    # A server of its own: it has to keep what it committed, and one that does not come back takes no other tests along.
    with (
        Postgres(fsync=True) as server,
        Simulator(World(seed=5, jobs=2000), token=KEY, page_cap=50, latency=0.02) as simulator,
    ):
        server.create("mirror")
        url = server.url("mirror")
        migrated(url)
        due, lock = [35, 5], threading.Lock()  # so far apart that the first is over before

        def restart(_):
            with lock:
                if not due or simulator.count_requests() < due[-1]:
                    return
                due.pop()
            server.restart(mode="immediate")

        simulator.respond = restart
        run = mirror(simulator, url)
        assert (run["outcome"], run["certified"], run["jobs_seen"]) == ("succeeded", True, 2000)
        assert due == []
        simulator.latency, simulator.respond = 0, None
        assert_sound(simulator, url)


def test_quarantined_jobs_are_mirrored_when_upstream_has_mended_them(mirror_url):
    world = World(seed=5, jobs=30)
    with Simulator(world, token=KEY) as simulator:
        world.edit(7, {"finished": 12})
        world.edit(8, {"output_video": {"bitrate": 9223372036854776000}})
        run = mirror(simulator, mirror_url)
        assert (run["certified"], run["quarantined"], run["jobs_seen"], run["jobs_unchanged"]) == (False, 2, 30, 0)
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
        world.edit(7, {"id": "seven"})
        run = mirror(simulator, mirror_url)
        assert (run["certified"], run["quarantined"], run["jobs_inserted"]) == (False, 1, 29)
        world.edit(7, {"id": 7})
        assert mirror(simulator, mirror_url)["certified"]
        assert row(mirror_url, "quarantined_jobs")["resolved_at"] is not None


# The database says no


@contextmanager
def pages_at_most(number: int) -> Iterator[None]:
    """SQLite files may have so many pages: what a full disk looks like, whatever disk there is."""

    def limit(driver: Any, _record: object) -> None:
        if isinstance(driver, sqlite3.Connection):
            driver.execute(f"PRAGMA max_page_count = {number}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@pytest.mark.parametrize("room", [0, 8, 16])
def test_a_disk_that_runs_full_is_named_and_nothing_half_written_stays(lite_url, room):
    """The disk is full at the first batch, or at one after it."""
    world = World(seed=5, jobs=60)
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        pages = query(lite_url, "PRAGMA page_count")[0][0]
        with pages_at_most(pages + room), pytest.raises(MirrorError, match="disk is full; free some space"):
            mirror(simulator, lite_url, concurrency=1)
        assert findings(lite_url) == []
        assert query(lite_url, "PRAGMA integrity_check") == [("ok",)]
        stored = query(lite_url, "SELECT count(*) FROM jobs")
        assert stored == query(lite_url, "SELECT count(*) FROM job_status_history")
        assert_sound(simulator, lite_url)


def test_a_write_that_the_system_refuses_fails_the_run_and_the_next_one_is_fine(lite_url):
    with Simulator(World(seed=5, jobs=200), token=KEY, page_cap=50) as simulator:
        process = fork.start(environ(simulator.url, database_url=lite_url), largest_file=350_000)
        process.join(60)
        assert process.exitcode == 1
        assert findings(lite_url) == []
        assert_sound(simulator, lite_url)


@contextmanager
def read_only() -> Iterator[None]:
    """Databases take no writes: what wrong permissions and a server in recovery look like."""

    def forbid(conn: Connection) -> None:
        lite = conn.dialect.name == "sqlite"
        conn.exec_driver_sql("PRAGMA query_only = ON" if lite else "SET TRANSACTION READ ONLY")

    event.listen(Engine, "begin", forbid)
    try:
        yield
    finally:
        event.remove(Engine, "begin", forbid)


def test_a_database_that_takes_no_writes_is_named_and_the_next_run_is_fine(mirror_url):
    world = World(seed=5, jobs=30)
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        mirror(simulator, mirror_url)
        world.submit()
        before = dump(mirror_url)
        with read_only(), pytest.raises(MirrorError, match=r"read-?only"):
            mirror(simulator, mirror_url)
        assert dump(mirror_url) == before
        assert_sound(simulator, mirror_url)


def test_a_reader_that_holds_on_to_what_it_saw_fails_no_run(lite_url):
    world = World(seed=5, jobs=30)
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        mirror(simulator, lite_url)
        with closing(sqlite3.connect(lite_url.removeprefix("sqlite:///"), isolation_level=None)) as reader:
            reader.execute("BEGIN")
            seen = reader.execute("SELECT count(*) FROM jobs").fetchone()
            for _ in range(3):
                world.submit()
                assert mirror(simulator, lite_url)["jobs_inserted"] == 1
            migrated(lite_url)
            assert reader.execute("SELECT count(*) FROM jobs").fetchone() == seen
        assert_sound(simulator, lite_url)
