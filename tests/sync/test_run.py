"""A run and its database: what it counts, and what a database that goes back in time takes from it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event

from benchmarks.year import fill
from tests.support.account import KEY, connected, mirror, row, rows, settings
from tpmirror.signals import Terminated
from tpmirror.simulator.http import Request
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.changes import Changeset
from tpmirror.sync import run as run_module
from tpmirror.sync.poll import poll
from tpmirror.sync.stats import COUNT_COLUMNS, Reading, RunStats
from tpmirror.tensorpix.client import Api


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What the databases are asked, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_run_is_opened_in_one_transaction_of_few_statements(sim, mirrored, dialect, engine):
    """Each costs about half a millisecond, whatever it asks."""
    with (
        Api(settings(sim, mirrored)) as api,
        statements() as seen,
        run_module.opened(engine, "poll", api, datetime.now(UTC)),
    ):
        asked = [statement for statement, _ in seen]
    begins = [one for one in asked if one.startswith(("BEGIN", "SET LOCAL"))]
    assert (len(begins), len(asked)) == (1, {"sqlite": 7, "postgresql": 8}[dialect])


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_no_statement_that_opens_or_closes_a_run_reads_all_runs(sim, mirror_url, engine):
    """``tests/sync/test_retention.py`` has the same of SQLite, which plans alike however many runs there are."""
    year = {"runs": 3_000, "jobs": 300, "samples": 300, "per_job": 10, "every": 10_512}
    fill(mirror_url, {**year, "now": datetime.now(UTC).timestamp()})
    with connected(mirror_url) as conn:
        conn.exec_driver_sql("ANALYZE")  # as autovacuum does
        conn.commit()
        with Api(settings(sim, mirror_url)) as api, statements() as seen:
            with run_module.opened(engine, "poll", api, datetime.now(UTC)):
                pass
            asked = [one for one in seen if "sync_runs" in one[0] and not one[0].startswith("INSERT")]
        plans = [row[0] for one in asked for row in conn.exec_driver_sql(f"EXPLAIN {one[0]}", one[1])]
        whole = [row[0] for row in conn.exec_driver_sql("EXPLAIN SELECT COUNT(error) FROM sync_runs")]
    assert [line for line in plans if "Seq Scan on sync_runs" in line] == []
    assert [line for line in plans if "Index Scan using ix_sync_runs_outcome_id" in line]
    assert [line for line in whole if "Seq Scan on sync_runs" in line]


def test_a_batch_whose_reply_was_lost_is_counted_if_its_row_says_so_and_only_then():
    stats = RunStats()
    stats.add(Changeset(inserted={1}))
    before = stats.columns(Reading())
    stats.add(Changeset(quarantined={(1, "job.cost_usd")}))  # it was known: counted, and nothing was written
    batch = Changeset(jobs={2: {}}, updated={2}, field_changes=[{"field": "rating"}])
    after = stats.columns(Reading(), batch)
    stats.recover(dict.fromkeys(COUNT_COLUMNS, 0) | before, batch)
    assert stats.recorded == 1
    stats.recover(dict.fromkeys(COUNT_COLUMNS, 0) | after, batch)
    assert (stats.recorded, stats.counts["jobs_updated"]) == (2, 1)


@pytest.mark.parametrize(("step", "outcome"), [("_judgement", "interrupted"), ("log_fields", "succeeded")])
def test_a_run_that_is_interrupted_while_it_is_closed_leaves_no_open_row(sim, lite_url, monkeypatch, step, outcome):
    """Before its commit the run was interrupted; once that is there, it had its end."""
    original, passed = getattr(run_module, step), []

    def interrupted(*arguments: Any) -> Any:
        passed.append(step)
        if len(passed) == 1:
            raise Terminated
        return original(*arguments)

    monkeypatch.setattr(run_module, step, interrupted)
    with pytest.raises(Terminated):
        mirror(sim, lite_url)
    assert [run["outcome"] for run in rows(lite_url, "sync_runs")] == [outcome]
    assert mirror(sim, lite_url)["certified"]


@contextmanager
def going_back(sim: Simulator, url: str, **asked: str) -> Iterator[list[int]]:
    """The database goes back to before the rows of the next run, once that asks so; its transitions until then."""
    path, transitions = url.removeprefix("sqlite:///"), list[int]()
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy:
        sim.reset()

        def go_back(request: Request) -> None:
            with closing(sqlite3.connect(path)) as conn:
                if not sim.count_requests():
                    conn.backup(copy)
                elif not transitions and asked.items() <= request.query.items():
                    transitions.extend(row[0] for row in conn.execute("SELECT MAX(transitions) FROM sync_runs"))
                    copy.backup(conn)

        sim.respond = go_back
        yield transitions
        sim.respond = None


def test_what_a_run_saw_bounds_no_change_once_the_database_has_lost_that(lite_url):
    """A job ends, a full sync reads so, the database goes back to before that, and another answer shows it again."""
    world = World(seed=5, jobs=30, in_flight=1, jobs_per_day=0)
    (job_id,) = world.listed(active_only=True)
    with Simulator(world, token=KEY, page_cap=5) as sim:
        mirror(sim, lite_url, certify=False)
        world.finish(job_id)
        with going_back(sim, lite_url, limit="1") as transitions:  # between the passes
            run = mirror(sim, lite_url, page_size=5, concurrency=1)
    assert transitions == [1]
    first, last = rows(lite_url, "job_status_history", job_id=job_id)
    assert (run["certified"], last["to_status"]) == (False, 2)
    assert last["not_before"] == first["observed_at"]


@pytest.mark.parametrize("page", ["20", "25"])  # the last but one: a batch follows, and writes all counts again
def test_a_run_whose_quarantine_the_database_lost_covers_nothing(lite_url, page):
    """Nothing else of that answer is recorded: the job keeps the value that it had."""
    world = World(seed=5, jobs=30, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=5) as sim:
        mirror(sim, lite_url)
        world.edit(max(world.ids()), {"finished": "soon"})
        world.edit(min(world.ids()), {"description": "another"})
        with going_back(sim, lite_url, offset=page):
            run = mirror(sim, lite_url, page_size=5, concurrency=1, certify=False)
    assert (run["quarantined"], rows(lite_url, "quarantined_jobs")) == (1, [])
    assert (run["outcome"], run["covered"], run["certified"]) == ("succeeded", False, False)


def test_a_run_whose_rows_the_database_lost_brings_no_job_back(lite_url):
    """If it did, earlier runs, which did not ask for the job while it was away, would vouch for its old status."""
    world = World(seed=5, jobs=30, in_flight=1, jobs_per_day=0)
    (job_id,) = world.listed(active_only=True)
    with Simulator(world, token=KEY, page_cap=5) as sim:
        mirror(sim, lite_url)
        world.delete(job_id)
        mirror(sim, lite_url)
        unasked = poll(settings(sim, lite_url))
        world.restore(job_id)
        world.finish(job_id)
        with going_back(sim, lite_url, offset="25") as transitions:  # on the last page
            mirror(sim, lite_url, page_size=5, concurrency=1, certify=False)
        where = row(lite_url, "jobs", id=job_id)["presence"]
        mirror(sim, lite_url)
    last = rows(lite_url, "job_status_history", job_id=job_id)[-1]
    assert (transitions, where) == ([1], "gone")
    assert (unasked["covered"], last["to_status"], last["not_before"] < unasked["started_at"]) == (True, 2, True)
