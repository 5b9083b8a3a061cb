"""One writer at a time: the second is told, the dead one is replaced at once, the one that slept writes nothing."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text, update

from tests.support.account import connected, dump, mirror, query, row, rows, settings, tamper
from tests.support.gate import Gate
from tests.support.payloads import look
from tpmirror.db import lease
from tpmirror.db.engine import retry_transient, write
from tpmirror.db.schema import writer_lease
from tpmirror.errors import (
    ApiError,
    AuthenticationError,
    LeaseHeld,
    LeaseLost,
    MirrorError,
    ScopeError,
    TransientDatabaseError,
    UsageError,
)
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.store import jobs
from tpmirror.store.changes import Changeset
from tpmirror.sync import gone
from tpmirror.sync.full import sync
from tpmirror.sync.ingest import PassProgress
from tpmirror.sync.poll import poll
from tpmirror.sync.run import Run, opened
from tpmirror.sync.stats import Reading
from tpmirror.tensorpix.client import Api

ELSEWHERE = "studio-7 11111111-2222-3333-4444-555555555555 pid:[1]|4711|99|00000000"


@contextmanager
def paused(sim: Simulator, url: str, after: int = 0) -> Iterator[tuple[Gate, Future[Any]]]:
    """A sync that waits for an answer, and what becomes of it once the gate is opened."""
    gate = Gate(sim, after)
    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(sync, settings(sim, url, concurrency=1, request_timeout=120))
        try:
            assert gate.reached.wait(60)
            yield gate, running
        finally:
            gate.open()


def set_lease(url: str, **values: object) -> None:
    with connected(url) as conn:
        conn.execute(update(writer_lease).values(**values))
        conn.commit()


def now() -> datetime:
    return datetime.now(UTC)


def outcomes(url: str) -> list[str]:
    return [run["outcome"] for run in rows(url, "sync_runs")]


def put_back(url: str, folder: Path) -> Callable[[], None]:
    """Note a mirror as it is; called, it is so again, as after a failover or a restored copy."""
    file = Path(url.removeprefix("sqlite:///"))
    if file.exists():
        copy = shutil.copyfile(file, folder / "copy.db")

        def replace() -> None:
            for log in file.parent.glob(f"{file.name}-*"):
                log.unlink()
            copy.replace(file)

        return replace
    before, last = row(url, "writer_lease"), rows(url, "sync_runs")[-1]["id"]

    def restore() -> None:
        tamper(url, f"DELETE FROM sync_runs WHERE id > {last}")
        query(url, f"SELECT setval(pg_get_serial_sequence('sync_runs', 'id'), {last})")
        set_lease(url, **before)

    return restore


# Two at a time


def test_the_second_of_two_writers_is_told_who_is_first(sim, program, mirrored, capsys):
    with paused(sim, mirrored) as (gate, first):
        gate.let_others_pass()
        for words in (("sync",), ("poll",), ("gone", "confirm", "--all"), ("gone", "restore", "3")):
            said, complained = program.call(capsys, *words, code=5)
            assert said == ""
            assert f"process {os.getpid()} on " in complained
    assert first.result()["outcome"] == "succeeded"
    assert outcomes(mirrored) == ["succeeded", "succeeded"]


def test_a_writer_from_before_the_mirror_went_back_in_time_writes_nothing_and_claims_nothing(sim, mirrored, tmp_path):
    """Its number is the other's, its epoch too; the job that it is about to show was finished meanwhile."""
    restore = put_back(mirrored, tmp_path)
    job_id = sim.world.listed(active_only=True)[0]
    with paused(sim, mirrored) as (gate, first):
        gate.let_others_pass()
        mine = row(mirrored, "writer_lease"), rows(mirrored, "sync_runs")[-1]
        restore()
        sim.world.finish(job_id)
        other = mirror(sim, mirrored)
        before = dump(mirrored)
        assert (other["id"], row(mirrored, "writer_lease")["epoch"]) == (mine[1]["id"], mine[0]["epoch"])
        gate.open()
        with pytest.raises(LeaseLost):
            first.result()
    assert dump(mirrored) == before
    assert rows(mirrored, "sync_runs")[-1] == other


def test_readers_need_no_lease(sim, program, mirrored, capsys):
    with paused(sim, mirrored) as (gate, first):
        gate.let_others_pass()
        for words in (("status",), ("history", "3"), ("audit",), ("verify",), ("gone", "list"), ("sync", "--dry-run")):
            program.call(capsys, *words)
        assert not first.done()
    assert first.result()["outcome"] == "succeeded"


def test_of_many_writers_at_once_one_at_a_time_writes_and_the_others_are_told(sim, database_url):
    start = threading.Barrier(4)

    def run(_: int) -> str:
        start.wait()
        try:
            return str(sync(settings(sim, database_url))["outcome"])
        except LeaseHeld as refused:
            return str(refused).partition(":")[0]

    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(run, range(4)))
    assert {"succeeded"} <= set(found) <= {"succeeded", "another writer holds the mirror"}
    assert outcomes(database_url) == ["succeeded"] * found.count("succeeded")
    assert len(rows(database_url, "jobs")) == len(rows(database_url, "job_status_history")) == 30


def test_a_holder_elsewhere_is_named_and_waited_for_until_its_lease_is_over(sim, program, mirrored, capsys):
    before = dump(mirrored)
    set_lease(mirrored, holder=ELSEWHERE, expires_at=now() + timedelta(seconds=60))
    _, complained = program.call(capsys, "sync", code=5)
    assert "process 4711 on studio-7" in complained
    assert "UTC" in complained
    assert (dump(mirrored), outcomes(mirrored)) == (before, ["succeeded"])
    set_lease(mirrored, expires_at=now() - timedelta(seconds=1))
    program.call(capsys, "sync")
    assert row(mirrored, "writer_lease")["epoch"] == 2


def test_the_lease_runs_on_the_clock_of_the_database(mirror_url, dialect, engine):

    def there() -> datetime:
        if dialect == "sqlite":
            return now()
        with engine.connect() as conn:
            told: datetime = conn.execute(text("SELECT clock_timestamp()")).scalar_one()
        return told

    before = there()
    taken = write(engine, lambda conn: lease.acquire(conn, ELSEWHERE))
    after = there()
    held = row(mirror_url, "writer_lease")
    assert (held["holder"], held["epoch"], taken.epoch) == (ELSEWHERE, 1, 1)
    assert before <= held["expires_at"] - lease.TERM <= after


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(sim, mirrored):
    set_lease(mirrored, holder=ELSEWHERE, expires_at=now() + lease.TERM + timedelta(hours=1))
    assert mirror(sim, mirrored)["outcome"] == "succeeded"


def test_a_lease_that_is_renewed_while_another_waits_for_its_row_holds(mirror_url, engine):
    held = write(engine, lambda conn: lease.acquire(conn, ELSEWHERE))

    def renew(conn: Connection) -> None:
        held.check(conn)
        waiting.append(executor.submit(take))
        time.sleep(0.5)  # the other has started and waits
        held.renew(conn)

    def take() -> lease.Lease:
        with lease.holding() as holder:
            return retry_transient(lambda: write(engine, lambda conn: lease.acquire(conn, holder)))

    waiting: list[Future[lease.Lease]] = []
    with ThreadPoolExecutor(1) as executor:
        write(engine, renew)
        with pytest.raises(LeaseHeld, match="4711 on studio-7"):
            waiting[0].result()


def test_a_clock_that_is_set_right_by_seconds_ends_no_lease(sim, mirrored):
    set_lease(mirrored, holder=ELSEWHERE, expires_at=now() + lease.TERM + timedelta(seconds=5))
    with pytest.raises(LeaseHeld):
        mirror(sim, mirrored)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_second_try_waits_for_a_first_that_lost_its_connection_and_writes_once(sim, mirrored, monkeypatch, engine):
    written, over = threading.Event(), threading.Event()
    apply = jobs.apply

    def linger(conn: Connection, changes: Changeset) -> None:
        apply(conn, changes)
        if not written.is_set():
            written.set()
            assert over.wait(60)

    with Api(settings(sim, mirrored)) as api, opened(engine, "poll", api, now()) as run, ThreadPoolExecutor(2) as two:
        run.store([look(status=1, description="old")], (), Reading())
        monkeypatch.setattr(jobs, "apply", linger)
        first = two.submit(run.commit, [look(1, status=2, description="new")], ())
        assert written.wait(60)
        second = two.submit(retry_transient, lambda: run.commit([look(1, status=2, description="new")], ()))
        time.sleep(0.5)  # the second try is under way
        over.set()
        assert bool(first.result())
        assert not second.result()
    assert [change["new_value"] for change in rows(mirrored, "field_changes", entity_id=1)].count("new") == 1
    assert [entry["to_status"] for entry in rows(mirrored, "job_status_history", job_id=1)][-2:] == [1, 2]


def test_a_run_whose_last_answer_was_lost_counts_what_is_stored(sim, mirror_url, monkeypatch):
    commit = Run.commit

    def lose(run: Run, observations: Any, unreadable: Any) -> Changeset:
        commit(run, observations, unreadable)
        message = "server closed the connection"
        raise MirrorError(message)

    monkeypatch.setattr(Run, "commit", lose)
    with pytest.raises(MirrorError):
        mirror(sim, mirror_url)
    (run,) = rows(mirror_url, "sync_runs")
    assert (run["outcome"], run["jobs_inserted"]) == ("failed", len(rows(mirror_url, "jobs")))
    assert run["jobs_inserted"] > 0


def test_a_batch_whose_answer_was_lost_counts_once(sim, world, mirror_url, monkeypatch):
    world.edit(30, {"finished": "never"})
    commits = count()

    def lose(engine: Engine, work: Callable[[Connection], Any]) -> Any:
        done = write(engine, work)
        if next(commits) in {1, 2, 4}:
            message = "server closed the connection"
            raise TransientDatabaseError(message)
        return done

    monkeypatch.setattr("tpmirror.sync.run.write", lose)
    run = mirror(sim, mirror_url)
    assert (run["quarantined"], len(rows(mirror_url, "quarantined_jobs"))) == (1, 1)
    assert (run["jobs_inserted"], run["jobs_unchanged"], len(rows(mirror_url, "jobs"))) == (30, 0, 30)
    assert len(rows(mirror_url, "job_status_history")) == 30


# Dead ones


def test_a_killed_holder_is_replaced_at_once(sim, program, mirror_url):
    gate = Gate(sim, after=2)
    first = program.start("sync", "--concurrency", "1")
    try:
        assert gate.reached.wait(60)
    finally:
        first.kill()
        first.communicate(timeout=60)
        gate.open()
    (died,) = rows(mirror_url, "sync_runs")
    assert died["outcome"] == "running"
    assert row(mirror_url, "writer_lease")["expires_at"] > now() + timedelta(seconds=60)
    stored = rows(mirror_url, "job_status_history")
    assert stored, "what had arrived is kept"
    run = mirror(sim, mirror_url)
    assert (run["certified"], outcomes(mirror_url)) == (True, ["abandoned", "succeeded"])
    left = rows(mirror_url, "sync_runs")[0]
    assert (left["finished_at"] is not None, bool(left["error"])) == (True, True)
    assert (left["jobs_inserted"], left["jobs_inserted"] + run["jobs_inserted"]) == (len(stored), 30)
    history = rows(mirror_url, "job_status_history")
    assert len(history) == 30
    assert all(entry in history for entry in stored)


def test_a_number_that_another_process_has_now_is_not_the_holder(sim, mirror_url):
    machine, _, started, token = next_holder().split("|")
    for pid in (1, os.getppid()):
        set_lease(mirror_url, holder=f"{machine}|{pid}|{int(started) + 1}|{token}", expires_at=now() + lease.TERM)
        assert mirror(sim, mirror_url)["outcome"] == "succeeded"


def test_only_processes_of_the_same_machine_and_start_can_be_told_to_be_dead():
    holder = next_holder()
    machine, pid, started, token = holder.split("|")
    with lease.holding() as mine:
        assert not lease.is_dead(mine)
    assert lease.is_dead(mine), "its run is over"
    assert lease.is_dead(f"{machine}|{2**22 + 1}|{started}|{token}")
    assert not lease.is_dead(ELSEWHERE)
    assert not lease.is_dead(f"{machine.replace(machine.split()[1], 'another-boot')}|{pid}|1|{token}")
    assert not lease.is_dead(f"{machine.replace('pid:', 'other:')}|{pid}|1|{token}"), "another container"


def test_a_process_that_the_system_hides_is_not_taken_for_dead(monkeypatch):
    machine, _, started, token = next_holder().split("|")

    def hide(path: Path, **_: object) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", hide)
    monkeypatch.setattr(lease, "_machine", lambda: machine)
    assert not lease.is_dead(f"{machine}|1|{started}|{token}")
    assert lease.is_dead(f"{machine}|{2**22 + 1}|{started}|{token}")


def next_holder() -> str:
    with lease.holding() as holder:
        return holder


# Sleepers


@pytest.mark.parametrize("after", [0, 3])
def test_a_writer_that_slept_while_another_took_over_writes_nothing(sim, world, mirrored, after):
    with paused(sim, mirrored, after) as (gate, sleeper):
        set_lease(mirrored, expires_at=now() - timedelta(seconds=1))
        gate.let_others_pass()
        run = mirror(sim, mirrored)
        assert run["outcome"] == "succeeded"
        world.edit(3, {"description": "news that the sleeper is going to be told"})
        world.submit()
        before, runs = dump(mirrored), rows(mirrored, "sync_runs")
    with pytest.raises(LeaseLost, match="took the mirror over"):
        sleeper.result()
    assert dump(mirrored) == before
    assert rows(mirrored, "sync_runs") == runs
    assert outcomes(mirrored) == ["succeeded", "abandoned", "succeeded"]
    assert LeaseHeld.exit_code == LeaseLost.exit_code == 5


def test_a_writer_that_slept_and_has_no_news_fails_all_the_same(sim, mirrored):
    with paused(sim, mirrored) as (gate, sleeper):
        set_lease(mirrored, expires_at=now() - timedelta(seconds=1))
        gate.let_others_pass()
        mirror(sim, mirrored)
    with pytest.raises(LeaseLost):
        sleeper.result()
    assert outcomes(mirrored) == ["succeeded", "abandoned", "succeeded"]


def test_a_writer_that_slept_does_not_end_the_lease_of_the_next(sim, mirrored):
    with paused(sim, mirrored):
        set_lease(mirrored, holder=ELSEWHERE, epoch=7, expires_at=now() + lease.TERM)
    held = row(mirrored, "writer_lease")
    assert (held["holder"], held["epoch"]) == (ELSEWHERE, 7)
    assert held["expires_at"] > now() + lease.TERM / 2


def test_a_process_that_slept_ends_with_exit_5(sim, program, mirrored):
    gate = Gate(sim)
    sleeper = program.start("sync")
    try:
        assert gate.reached.wait(60)
        set_lease(mirrored, holder=ELSEWHERE, epoch=7, expires_at=now() + lease.TERM)
    finally:
        gate.open()
        said, complained = sleeper.communicate(timeout=60)
    assert (sleeper.returncode, said) == (5, "")
    assert "nothing was overwritten" in complained


def test_what_was_asked_for_before_the_lease_was_held_is_asked_for_again(sim, world, database_url):
    """The first run on an empty database tries the key before it makes the tables; meanwhile another run gets done."""
    asked, go_on, job_id = threading.Event(), threading.Event(), world.listed(active_only=True)[-1]

    def hold(request: Request) -> Response | None:
        if asked.is_set():
            return None
        answer = sim.answer(request)
        asked.set()
        assert go_on.wait(60)
        return answer

    sim.respond = hold
    with ThreadPoolExecutor(1) as executor:
        slow = executor.submit(sync, settings(sim, database_url, request_timeout=120))
        assert asked.wait(60)
        world.finish(job_id)
        mirror(sim, database_url)
        go_on.set()
        assert slow.result()["certified"]
    assert [entry["to_status"] for entry in rows(database_url, "job_status_history", job_id=job_id)] == [2]


def test_a_long_full_sync_without_news_renews_its_lease(sim, mirrored, monkeypatch):
    monkeypatch.setattr(lease, "TERM", timedelta(seconds=0.03))
    sim.latency = 0.02
    ends = set[datetime]()
    sim.respond = lambda _: ends.add(row(mirrored, "writer_lease")["expires_at"])
    assert mirror(sim, mirrored, page_size=1, concurrency=1)["jobs_unchanged"] == 30
    assert len(ends) > 3


@pytest.mark.parametrize("answer", [Response.detail(429, "Later.", {"Retry-After": "1"}), None])
def test_a_writer_that_waits_for_the_api_renews_its_lease(sim, mirrored, monkeypatch, answer):
    """It is told to wait, or not answered for long; nothing comes in meanwhile."""
    monkeypatch.setattr(lease, "TERM", timedelta(seconds=0.5))
    monkeypatch.setattr("tpmirror.tensorpix.client.NAP", 0.05)
    monkeypatch.setattr("tpmirror.tensorpix.transport.SLICE", 0.05)
    ends: list[datetime] = []

    def respond(_: Request) -> Response | None:
        ends.append(row(mirrored, "writer_lease")["expires_at"])
        if len(ends) > 1:
            return None
        if answer is None:
            time.sleep(1)
            ends.append(row(mirrored, "writer_lease")["expires_at"])
        return answer

    sim.respond = respond
    assert mirror(sim, mirrored, max_attempts=2)["certified"]
    assert ends[0] < ends[1]


def test_no_thread_of_a_run_that_is_over_takes_the_lease_up_again(sim, mirror_url, engine):
    with Api(settings(sim, mirror_url)) as api, opened(engine, "poll", api, now()) as run:
        set_lease(mirror_url, expires_at=now() - timedelta(hours=1))
        run._renewed = -inf
        run.renew_lease()
        assert row(mirror_url, "writer_lease")["expires_at"] > now()
    run._renewed = -inf
    run.renew_lease()
    assert row(mirror_url, "writer_lease")["expires_at"] <= now()


def test_a_renewal_that_is_lost_is_none_and_fails_no_run_whose_lease_holds(sim, mirror_url, monkeypatch, engine):
    def lose(_engine: Engine, _work: Any) -> None:
        message = "server closed the connection"
        raise TransientDatabaseError(message)

    with (
        Api(settings(sim, mirror_url)) as api,
        opened(engine, "poll", api, now()) as run,
        monkeypatch.context() as patch,
    ):
        patch.setattr("tpmirror.sync.run.write", lose)
        run._renewed = due = time.monotonic() - lease.TERM.total_seconds() / 2
        run.renew_lease()
        assert run._renewed == due
        run._renewed = -inf
        with pytest.raises(TransientDatabaseError):
            run.renew_lease()


# Whatever happens, the next one may start


def break_page(sim: Simulator) -> None:
    sim.respond = lambda _: Response(200, {"Content-Type": "text/html"}, b"<h1>Maintenance</h1>")


def break_key(sim: Simulator) -> None:
    sim.respond = lambda _: Response.detail(401, "Invalid token.")


def break_scope(sim: Simulator) -> None:
    stranger = {"id": 10**6, "status": 2, "input_video": {"id": 1, "owner": "other@example.com"}}
    page = {"count": 1, "next": None, "previous": None, "results": [stranger]}
    lost = Response.detail(404, "Not found.")
    sim.respond = lambda request: Response.json(200, page) if request.path == "/api/jobs/" else lost


def test_a_run_that_fails_lets_the_next_one_in_at_once(sim, mirrored):
    for spoil, error in ((break_page, ApiError), (break_key, AuthenticationError), (break_scope, ScopeError)):
        for run in (sync, poll):
            spoil(sim)
            with pytest.raises(error):
                run(settings(sim, mirrored, max_attempts=1))
            failed = rows(mirrored, "sync_runs")[-1]
            assert (failed["outcome"], failed["certified"]) == ("failed", False)
            assert failed["error"]
            assert failed["finished_at"] is not None
            assert row(mirrored, "writer_lease")["expires_at"] <= now()
    sim.respond = None
    assert mirror(sim, mirrored)["outcome"] == "succeeded"


@pytest.mark.parametrize(("stop", "outcome"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "failed")])
def test_a_run_that_is_stopped_lets_the_next_one_in_at_once(sim, mirror_url, stop, outcome):
    def progress(_reached: PassProgress) -> None:
        raise stop

    with pytest.raises(stop):
        sync(settings(sim, mirror_url), progress=progress)
    assert outcomes(mirror_url) == [outcome]
    assert row(mirror_url, "writer_lease")["expires_at"] <= now()
    assert mirror(sim, mirror_url)["certified"]


def test_every_start_closes_what_died_before(sim, mirrored):
    with connected(mirrored) as conn:
        for number, kind in ((50, "full"), (51, "poll")):
            values = f"({number}, '{kind}', 'running', false, '2026-01-01 00:00:00.000000+00:00')"
            conn.execute(text(f"INSERT INTO sync_runs (id, kind, outcome, certified, started_at) VALUES {values}"))
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT setval(pg_get_serial_sequence('sync_runs', 'id'), 51)"))
        conn.commit()
    poll(settings(sim, mirrored))
    assert outcomes(mirrored) == ["succeeded", "abandoned", "abandoned", "succeeded"]
    assert all(run["finished_at"] for run in rows(mirrored, "sync_runs"))


def test_an_operator_holds_the_lease_for_a_moment_only(sim, mirrored, engine):
    steps: list[Callable[[], object]] = [
        lambda: gone.confirm(engine, None),
        lambda: gone.restore(engine, [3]),
    ]
    for step in steps:
        with suppress(UsageError):
            step()
        assert row(mirrored, "writer_lease")["expires_at"] <= now()
    set_lease(mirrored, holder=ELSEWHERE, expires_at=now() + lease.TERM)
    for step in steps:
        with pytest.raises(LeaseHeld):
            step()
