"""A run and its database: what it counts, and what a database that goes back in time takes from it."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.support.account import KEY, mirror, rows
from tpmirror.signals import Terminated
from tpmirror.simulator.http import Request
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.changes import Changeset
from tpmirror.sync import run as run_module
from tpmirror.sync.stats import COUNT_COLUMNS, Reading, RunStats


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


def test_what_a_run_saw_bounds_no_change_once_the_database_has_lost_that(lite_url):
    """A job ends, a full sync reads so, the database goes back to before that, and another answer shows it again."""
    path, world = lite_url.removeprefix("sqlite:///"), World(seed=5, jobs=30, in_flight=1, jobs_per_day=0)
    (job_id,) = world.listed(active_only=True)
    transitions: list[int] = []
    with (
        Simulator(world, token=KEY, page_cap=5) as sim,
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy,
    ):
        mirror(sim, lite_url, certify=False)
        world.finish(job_id)
        sim.reset()

        def go_back(request: Request) -> None:
            with closing(sqlite3.connect(path)) as conn:
                if not sim.count_requests():
                    conn.backup(copy)
                elif request.query.get("limit") == "1" and not transitions:  # between the passes
                    transitions.extend(row[0] for row in conn.execute("SELECT transitions FROM sync_runs WHERE id = 2"))
                    copy.backup(conn)

        sim.respond = go_back
        run = mirror(sim, lite_url, page_size=5, concurrency=1)
    assert transitions == [1]
    first, last = rows(lite_url, "job_status_history", job_id=job_id)
    assert (run["certified"], last["to_status"]) == (False, 2)
    assert last["not_before"] == first["observed_at"]
