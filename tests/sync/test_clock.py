"""Runs under a clock that is wrong, before the run that sees a change: what they saw bounds it nowhere."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.account import mirror, query, row, rows, settings
from tests.support.clocks import clocks
from tpmirror.simulator.world import World
from tpmirror.sync.poll import poll

HOUR = 3600


@pytest.fixture
def world() -> World:
    return World(seed=5, jobs=30, in_flight=4, jobs_per_day=0)


def look(sim, url, kind="full"):
    """One run; its row."""
    return mirror(sim, url) if kind == "full" else poll(settings(sim, url))


def started(sim, world, url, job_id):
    """Let a job start now, and see it an hour later by a right clock: the entry, and when it was."""
    world.start(job_id)
    moment = datetime.now(UTC)
    with clocks(sim, later=HOUR):
        assert mirror(sim, url)["clock_ahead"] < 60
    return rows(url, "job_status_history", job_id=job_id)[-1], moment


@pytest.mark.parametrize("kind", ["full", "poll"])
@pytest.mark.parametrize("ahead", [400, -400])
def test_a_run_under_a_wrong_clock_bounds_no_change_that_a_later_one_sees(sim, world, mirror_url, kind, ahead):
    job_id = world.submit()
    first = mirror(sim, mirror_url)
    with clocks(sim, ahead=ahead):
        assert look(sim, mirror_url, kind)["clock_ahead"] == pytest.approx(ahead, abs=5)
    entry, moment = started(sim, world, mirror_url, job_id)
    assert first["started_at"] <= entry["not_before"] <= first["finished_at"] < moment < entry["observed_at"]


def test_a_run_whose_clock_is_off_by_less_than_a_minute_bounds_the_next_change(sim, world, mirror_url):
    job_id = world.submit()
    mirror(sim, mirror_url)
    with clocks(sim, later=50, ahead=50):
        second = mirror(sim, mirror_url)
    entry, _ = started(sim, world, mirror_url, job_id)
    assert entry["not_before"] == second["started_at"]


def test_a_first_sight_under_a_clock_that_was_ahead_bounds_nothing(sim, world, mirror_url):
    job_id = world.submit()
    with clocks(sim, ahead=HOUR / 2):
        mirror(sim, mirror_url)
    entry, moment = started(sim, world, mirror_url, job_id)
    assert entry["not_before"] == entry["observed_at"] > moment, "equal: nobody knows when it was"
    ((lower,),) = query(mirror_url, f"SELECT lower_s FROM job_durations WHERE job_id = {job_id} AND status = 0")
    assert lower == 0


def test_an_entry_that_took_the_moment_of_the_one_before_bounds_nothing(sim, world, mirror_url):
    """It was seen by a right clock, before that moment, which was by a clock that was ahead."""
    job_id = world.submit()
    with clocks(sim, ahead=HOUR / 2):
        mirror(sim, mirror_url)
    world.start(job_id)
    mirror(sim, mirror_url)
    (first, second) = rows(mirror_url, "job_status_history", job_id=job_id)
    assert first["observed_at"] == second["observed_at"]
    world.finish(job_id)
    moment = datetime.now(UTC)
    with clocks(sim, later=HOUR):
        mirror(sim, mirror_url)
    entry = rows(mirror_url, "job_status_history", job_id=job_id)[-1]
    assert entry["not_before"] == entry["observed_at"] > moment, "equal: nobody knows when it was"


def test_a_run_that_is_killed_leaves_how_wrong_its_clock_was(sim, mirror_url):
    """With each batch: nobody closes it."""
    found = []
    with clocks(sim, ahead=400):
        answer = sim.respond

        def respond(request):
            found.append(row(mirror_url, "sync_runs")["clock_ahead"])
            return answer(request)

        sim.respond = respond
        mirror(sim, mirror_url, concurrency=1)
    assert found[0] is None
    assert found[-1] == pytest.approx(400, abs=5)


def test_an_api_that_states_no_time_leaves_it_open(sim, mirror_url):
    def respond(request):
        answer = sim.answer(request)
        return replace(answer, headers={**answer.headers, "Date": "soon"})

    sim.respond = respond
    assert mirror(sim, mirror_url)["clock_ahead"] is None
