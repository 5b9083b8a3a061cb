"""What a full sync removes when it is old, what stays for ever, and that nothing fails because of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, event, insert, text

from tests.support.account import dump, mirror, query, rows, settings
from tpmirror.db import lease, schema
from tpmirror.db.engine import connected, read, write
from tpmirror.store import runs
from tpmirror.store.audit import audit
from tpmirror.store.retention import old_polls
from tpmirror.sync import retention
from tpmirror.sync.poll import poll

OLD: Final = datetime.now(UTC) - timedelta(days=100)
IDLE: Final = {"kind": "poll", "outcome": "succeeded", "certified": False, "covered": False}
CHANGE: Final = {"entity": "job", "entity_id": 1, "field": "x", "observed_at": OLD}
ENTRY: Final = {"reason": "x", "payload": "{}", "first_seen_at": OLD, "last_seen_at": OLD}


def add_run(conn: Connection, **values: Any) -> int:
    """An old poll that found nothing, but for some values."""
    row = {**IDLE, "started_at": OLD, "finished_at": OLD, **values}
    added: int = conn.execute(insert(schema.sync_runs).values(row).returning(schema.sync_runs.c.id)).scalar_one()
    return added


def age(conn: Connection) -> dict[str, int]:
    """Old rows of every kind, by a name for each; those that are to go begin with ``old``."""
    found = {f"old {number}": add_run(conn) for number in range(3)}
    found["old failure"] = add_run(conn, outcome="failed", error="x")
    found["old covered"] = add_run(conn, covered=True)
    found["young"] = add_run(conn, started_at=OLD + timedelta(days=99))
    found["full"] = add_run(conn, kind="full")
    found["with news"] = add_run(conn, jobs_updated=1)
    found["of a change"] = add_run(conn)
    conn.execute(insert(schema.field_changes), {**CHANGE, "sync_run_id": found["of a change"]})
    found["of an open entry"] = add_run(conn)
    conn.execute(insert(schema.quarantined_jobs), {**ENTRY, "job_id": 1, "sync_run_id": found["of an open entry"]})
    found["old entry's"] = add_run(conn)
    resolved = {**ENTRY, "job_id": 2, "sync_run_id": found["old entry's"], "resolved_at": OLD}
    conn.execute(insert(schema.quarantined_jobs), resolved)
    found["newest covered"] = add_run(conn, covered=True)
    found["old, covered by a wrong clock"] = add_run(conn, covered=True, clock_ahead=3600.0)
    found["newest failure"] = add_run(conn, outcome="failed", error="newest")
    sample = {"job_id": 1, "observed_at": OLD, "processing_progress": 0.5}
    later = [{**sample, "observed_at": OLD + timedelta(days=days)} for days in (1, 2, 3, 99)]
    conn.execute(insert(schema.job_progress_samples), [sample, {**sample, "job_id": 2}, *later])
    return found


@pytest.fixture
def aged(mirrored: str) -> dict[str, int]:
    """The runs that ``age`` adds to a mirror."""
    with connected(mirrored) as engine:
        return write(engine, age)


def numbers(database_url: str) -> set[int]:
    return {run["id"] for run in rows(database_url, "sync_runs")}


def test_a_full_sync_removes_old_polls_that_found_nothing_and_nothing_refers_to(sim, mirrored, aged):
    before = numbers(mirrored)
    assert mirror(sim, mirrored)["outcome"] == "succeeded"
    gone = before - numbers(mirrored)
    assert {name for name, run in aged.items() if run in gone} == {name for name in aged if name.startswith("old")}
    assert [entry["job_id"] for entry in rows(mirrored, "quarantined_jobs")] == [1]
    assert len(rows(mirrored, "job_progress_samples", job_id=1)) == 1


def test_what_the_mirror_says_of_itself_is_the_same_without_them(sim, mirrored, aged):
    """Since when changes are bounded, the last failure, the last success; and the audit misses nothing."""

    def told(conn: Connection) -> list[Any]:
        health = conn.execute(text("SELECT last_failure_at, last_error FROM sync_health")).one()
        return [runs.covered_since(conn, "poll"), runs.covered_since(conn, "full"), *health]

    with connected(mirrored) as engine:
        assert mirror(sim, mirrored, run_retention="3650d")["certified"]
        before = read(engine, told)
        retention.remove_old(engine, settings(sim, mirrored), 0, Event())
        assert len(numbers(mirrored)) < len(aged)
        assert read(engine, told) == before
        found = read(engine, audit).findings
    assert [one for one in found if one["check"] == "runs"] == []
    assert poll(settings(sim, mirrored))["outcome"] == "succeeded"


@contextmanager
def statements(wanted: str) -> Iterator[list[tuple[str, Any]]]:
    """The statements that have a word, and their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if wanted in statement:
            seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_they_are_removed_in_batches_each_under_the_lease(sim, mirrored, aged, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "SAMPLES", 2)
    old = len([name for name in aged if name.startswith("old")])
    with (
        statements("DELETE FROM sync_runs") as removed,
        statements("DELETE FROM job_progress_samples") as samples,
        statements("UPDATE writer_lease") as leased,
    ):
        mirror(sim, mirrored)
    assert len(removed) == old // 2 + 1
    assert len(leased) > 2 * len(removed)
    assert len(samples) == 3  # of five
    assert len(rows(mirrored, "job_progress_samples", job_id=1)) == 1


def test_another_writer_goes_first_and_a_sync_that_may_not_remove_is_no_failure(sim, mirrored, aged, engine):
    before = numbers(mirrored)
    with lease.holding() as holder:
        held = write(engine, lambda conn: lease.acquire(conn, holder))
        retention.remove_old(engine, settings(sim, mirrored), 0, Event())
        write(engine, held.release)
    assert numbers(mirrored) == before
    stopped = Event()
    stopped.set()
    retention.remove_old(engine, settings(sim, mirrored), 0, stopped)
    assert numbers(mirrored) == before


def test_a_clock_that_is_ahead_removes_nothing_too_early(sim, mirrored, aged, engine):
    before, ahead = numbers(mirrored), timedelta(days=20).total_seconds()
    retention.remove_old(engine, settings(sim, mirrored), ahead, Event())
    assert numbers(mirrored) == before
    assert len(aged) > 1


def test_a_sync_with_nothing_old_takes_no_lease_for_it(sim, mirrored):
    with statements("UPDATE writer_lease") as leased:
        mirror(sim, mirrored)
    assert len(leased) == 2, "once to open the run, once to close it"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_no_statement_of_a_run_scans_all_runs(sim, mirrored, engine):
    """But to find the newest ones, of which it reads no more than it shows."""
    with statements("sync_runs") as seen:
        mirror(sim, mirrored)
        poll(settings(sim, mirrored))
        with engine.connect() as conn:
            conn.execute(text("SELECT * FROM sync_health")).all()
            conn.execute(old_polls(datetime.now(UTC))).all()
    scans = []
    for statement, parameters in {one[0]: one for one in seen}.values():
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            plan = query_plan(mirrored, statement, parameters)
            scans += [(statement, line) for line in plan if line.startswith("SCAN sync_runs") and "INDEX" not in line]
    assert [one for one in scans if "LIMIT" not in one[0]] == []
    assert len(seen) > 10


def query_plan(database_url: str, statement: str, parameters: Any) -> list[str]:
    with connected(database_url) as engine, engine.connect() as conn:
        given = parameters[0] if isinstance(parameters, list) else parameters
        return [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]


def test_removing_changes_nothing_else(sim, mirrored, aged, engine):
    mirror(sim, mirrored, run_retention="3650d", progress_retention="3650")
    before = dump(mirrored)
    retention.remove_old(engine, settings(sim, mirrored), 0, Event())
    after = dump(mirrored)
    assert {name for name in before if before[name] != after[name]} == {"job_progress_samples", "quarantined_jobs"}
    assert query(mirrored, "SELECT COUNT(*) FROM sync_runs")[0][0] < len(aged)
