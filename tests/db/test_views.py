"""The views: what they declare is what both databases give, row for row; sums are exact to the last unit."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, inspect, select, update

from tests.support.account import KEY, connected, mirror, query, rows
from tpmirror.db import schema, views
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

VIEWS = sorted(views.sources("sqlite"))
NOW_COLUMNS = {"waiting_s", "status_s", "certified_age_s"}
"""Those that depend on the time of the query."""
TYPES = {
    "integer": {"bigint", "integer", "smallint"},
    "real": {"double precision"},
    "money": {"numeric"},
    "amount": {"numeric"},
    "text": {"text"},
    "boolean": {"boolean"},
    "date": {"date"},
    "time": {"timestamp with time zone"},
}
"""By kind of column: the types it may have on PostgreSQL."""


def test_threads_that_ask_together_get_the_same_table(monkeypatch):
    monkeypatch.setattr(views, "_TABLES", {})
    columns = views.view_columns

    def slowly(name: str) -> Any:
        time.sleep(0.05)
        return columns(name)

    monkeypatch.setattr(views, "view_columns", slowly)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: id(views.view("job_overview")), range(8)))) == 1


@pytest.fixture
def lived(lived_mirror):
    """The mirror by dialect."""
    return lived_mirror


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_explains_its_columns(view, lived):
    declared = views.view_columns(view)
    assert {column.kind for column in declared} <= views.KINDS.keys()
    for url in lived.values():
        with connected(url) as conn:
            assert [column["name"] for column in inspect(conn).get_columns(view)] == [c.name for c in declared]


@pytest.mark.parametrize("view", VIEWS)
def test_columns_have_the_kinds_that_they_declare(view, lived):
    """On PostgreSQL by their types, on SQLite by their values."""
    types = dict(
        query(
            lived["postgresql"],
            f"SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = '{view}'::regclass",
        )
    )
    declared = views.view_columns(view)
    assert {c.name: types[c.name] for c in declared if types[c.name] not in TYPES[c.kind]} == {}
    for row in query(lived["sqlite"], f"SELECT * FROM {view}"):
        for column, value in zip(declared, row, strict=True):
            assert value is None or fits(column.kind, value), f"{view}.{column.name}: {value!r} is no {column.kind}"


def fits(kind: str, value: Any) -> bool:
    """Whether SQLite's value is what it should be."""
    if kind in {"date", "time"}:
        pattern = r"\d{4}-\d\d-\d\d" if kind == "date" else r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?\+00:00"
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None
    if kind == "boolean":
        return value in (0, 1) and isinstance(value, int)
    return isinstance(value, {"integer": int, "real": float, "money": float, "amount": float, "text": str}[kind])


@pytest.mark.parametrize("view", VIEWS)
def test_both_databases_give_the_same_rows(view, lived):
    """And the same types. Seconds may differ by what SQLite rounds its times to: milliseconds."""
    lite, server = (sorted(read(url, view), key=stable) for url in lived.values())
    assert lite, "an empty view proves nothing"
    assert len(lite) == len(server)
    for row, other in zip(lite, server, strict=True):
        assert {name: (row[name], other[name]) for name in row if not close(row[name], other[name])} == {}


def read(database_url: str, view: str) -> list[dict[str, Any]]:
    """The rows of a view, typed; without what depends on the time of the query."""
    columns = [column for column in views.view(view).columns if column.name not in NOW_COLUMNS]
    with connected(database_url) as conn:
        return [dict(row) for row in conn.execute(select(*columns)).mappings()]


def stable(row: dict[str, Any]) -> list[str]:
    """What rows are sorted by: all that does not differ in the last digit."""
    return [repr(value) for value in row.values() if not isinstance(value, float)]


def close(left: Any, right: Any) -> bool:
    """Equal and of one type; numbers nearly."""
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= 0.002 + 1e-9 * abs(left)
    return type(left) is type(right) and bool(left == right)


@pytest.mark.parametrize("view", ["daily_costs", "cost_by_model", "cost_ledger", "job_model_costs", "focus_costs"])
def test_costs_add_up_to_what_the_jobs_cost(view, lived, dialect):
    found = read(lived[dialect], view)
    amounts = [row["BilledCost" if view == "focus_costs" else "credits"] for row in found]
    jobs = rows(lived[dialect], "jobs")
    charged = sum(job["cost_usd"] or 0 for job in jobs if not job["preview"])
    truth = sum(job["cost_usd"] or 0 for job in jobs)
    assert charged != truth, "a preview has to have a cost, or this shows nothing"
    assert sum(amounts) == charged > 0
    if stated := {"cost_ledger": "stated", "focus_costs": "ListCost"}.get(view):
        assert sum(row[stated] for row in found) == truth


def test_the_shares_of_one_job_are_made_without_reading_the_others(lived):
    steps = [
        row[3] for row in query(lived["sqlite"], "EXPLAIN QUERY PLAN SELECT * FROM job_model_costs WHERE job_id = 7")
    ]
    tables = {"jobs", "job_ml_models", "j", "l"}
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in tables] == []
    assert [step for step in steps if step.startswith("SEARCH jobs USING INTEGER PRIMARY KEY")]


def at(minute: int, hour: int = 10) -> datetime:
    return datetime(2026, 11, 1, hour, minute, tzinfo=UTC)


def remember(database_url: str, looks: list[datetime], changes: list[tuple[Any, ...]], **job: Any) -> None:
    """Job 1 with a history: runs that began at ``looks``, and rows of status, not_before, observed_at, occurred_at."""
    kept = {"id": 1, "presence": "listed", "fingerprint": "", "first_seen_at": at(0), "changed_at": at(0), **job}
    names = ("to_status", "not_before", "observed_at", "occurred_at")
    with connected(database_url) as conn:
        for look in looks:
            run = {"kind": "poll", "outcome": "succeeded", "certified": False, "covered": True}
            conn.execute(insert(schema.sync_runs).values(started_at=look, **run))
        conn.execute(insert(schema.jobs).values(status=changes[-1][0], **kept))
        for seq, change in enumerate(changes, 1):
            before = changes[seq - 2][0] if seq > 1 else None
            row = {"job_id": 1, "seq": seq, "from_status": before, "sync_run_id": 1, "row_hash": "", "entry": seq}
            conn.execute(insert(schema.job_status_history).values(**row, **dict(zip(names, change, strict=True))))
        conn.commit()


def durations(database_url: str) -> list[Any]:
    return query(database_url, "SELECT status, lower_s, upper_s FROM job_durations ORDER BY status")


def test_a_job_that_was_not_seen_in_processing_was_in_the_queue_only_as_long_as_it_was_seen_there(mirror_url):
    ended = (2, at(1), at(0, hour=12), at(55, hour=11))
    remember(mirror_url, [at(1)], [(0, None, at(1), at(0)), ended], started=at(0), finished=at(55, hour=11))
    assert durations(mirror_url) == [(0, 60, 6900)]


def test_a_job_is_in_its_status_at_least_up_to_the_newest_look_that_read_it(mirror_url):
    ahead = datetime(2027, 11, 1, tzinfo=UTC)  # by a clock that was set back before the next look
    remember(mirror_url, [ahead, at(5)], [(0, None, at(1), at(0))], started=at(0))
    assert durations(mirror_url) == [(0, 300, None)]
    seen = {"first_seen_at": at(2), "last_seen_at": at(5), "sync_run_id": 1}
    with connected(mirror_url) as conn:
        conn.execute(insert(schema.quarantined_jobs).values(job_id=1, reason="unreadable", payload="{}", **seen))
        conn.commit()
    assert durations(mirror_url) == [(0, 0, None)]


@pytest.mark.parametrize(("ahead", "seconds"), [(None, 300), (-60, 300), (60, 300), (61, 60), (-61, 60)])
def test_a_look_under_a_wrong_clock_bounds_no_time(mirror_url, ahead, seconds):
    """Where the API stated no time, the clock counts as right."""
    remember(mirror_url, [at(1), at(5)], [(0, None, at(1), at(0))], started=at(0))
    with connected(mirror_url) as conn:
        conn.execute(update(schema.sync_runs).where(schema.sync_runs.c.id == 2).values(clock_ahead=ahead))
        conn.commit()
    assert query(mirror_url, "SELECT lower_s FROM job_durations") == [(seconds,)]


def test_a_change_that_was_seen_by_a_clock_set_back_bounds_no_time(mirror_url):
    """Seen in processing by a clock that was ahead; its end was seen after that clock was set right."""
    ahead = at(0, hour=20)
    history = [
        (0, None, at(1), at(0)),
        (1, at(1), ahead, None),
        (0, ahead, ahead, None),
        (2, at(5, 20), at(9, 20), None),
    ]
    remember(mirror_url, [at(1), at(9)], history, started=at(0))
    assert query(mirror_url, "SELECT status, lower_s, upper_s FROM job_durations WHERE status = 1") == [(1, 0, 35940)]
    assert durations(mirror_url)[0] == (0, 360, 72540)


def test_a_look_in_the_future_bounds_nothing(mirror_url):
    ahead = datetime.now(UTC) + timedelta(days=365)
    remember(mirror_url, [at(5), ahead], [(0, None, at(1), at(0))], started=at(0))
    assert durations(mirror_url) == [(0, 0, None)]


@pytest.mark.parametrize(("stated", "seconds"), [(at(0), 300), (None, None)])
def test_time_in_the_queue_ends_where_upstream_says_that_processing_began(mirror_url, stated, seconds):
    """Also where it says so in ``started``, which then is no longer when the job came into the queue."""
    begun = (1, at(1), at(6), at(5))
    remember(mirror_url, [at(6)], [(0, None, at(1), stated), begun], started=at(5))
    assert query(mirror_url, "SELECT queue_s FROM job_overview") == [(seconds,)]
    assert durations(mirror_url)[0] == (0, seconds or 240, seconds)


def test_a_job_that_uses_a_model_twice_counts_once_for_it(mirror_url):
    world = World(seed=5, jobs=1, in_flight=1, jobs_per_day=0)
    (job_id,) = world.ids()
    world.edit(job_id, {"ml_models": [world.job(job_id)["ml_models"][0]] * 2, "cost_usd": "5.0000"})
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        world.fail(job_id)
        mirror(sim, mirror_url)
    assert query(mirror_url, "SELECT jobs, failures, credits_failed FROM failure_rates") == [(1, 1, 5)]


def test_a_number_that_is_no_measure_does_no_harm(mirror_url):
    world = World(seed=5, jobs=9, in_flight=1, jobs_per_day=0)
    done, *others, active = [job_id for job_id in world.ids() if world.status(job_id) in (2, 0, 1)]
    world.edit(active, {"eta_s": 1e308})
    made = {"framerate": 1e308, "n_frames": -(2**63), "size": 2**63 - 1}
    for job_id in (done, *others):
        world.edit(job_id, {"output_video": made})
    with Simulator(world, token=KEY) as sim:
        assert not mirror(sim, mirror_url)["certified"]
    for view in VIEWS:
        query(mirror_url, f'SELECT * FROM "{view}"')
    assert {note["field"] for note in rows(mirror_url, "quarantined_jobs")} == {"job.eta_s", "output_video.framerate"}
