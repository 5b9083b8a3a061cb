"""The account to look at: its past ends now, and within minutes everything happens in it that happens to a job."""

from datetime import UTC, datetime, timedelta

import pytest

from tpmirror.simulator.fixtures import USUAL_NAMES
from tpmirror.simulator.living import IN_FLIGHT, JOBS_PER_DAY, living

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)


def started(world):
    return [datetime.fromisoformat(world.job(job)["started"]) for job in world.ids()]


def test_its_past_is_a_year_that_ends_now_and_is_busier_lately():
    world = living(1, 1000, NOW)
    times = started(world)
    ages = [NOW - time for time in times]
    assert world.now == NOW
    assert min(ages) > timedelta()
    assert max(ages) < timedelta(days=366)
    assert sum(age < timedelta(minutes=10) for age in ages) >= IN_FLIGHT
    assert sum(age < timedelta(days=1) for age in ages) >= 15
    assert sum(age < timedelta(days=7) for age in ages) >= 50
    assert 150 <= sum(age < timedelta(days=30) for age in ages) <= 250, "and its past is no desert"


def test_jobs_are_submitted_queued_processed_and_end_within_minutes():
    world = living(1, 100, NOW)
    seen: set[int] = set()
    for _ in range(240):
        world.advance(15)
        seen.update(world.status(job) for job in world.ids()[100:])
        assert 0 < len(world.listed(active_only=True)) < 4 * IN_FLIGHT
    assert seen == {0, 1, 2, -1, -2}
    assert len(world.ids()) - 100 == pytest.approx(JOBS_PER_DAY / 24, rel=0.25)
    spans = [end[0] - submitted[0] for submitted, *_, end in map(world.history, world.ids()[100:200])]
    assert timedelta(seconds=30) < sorted(spans)[50] < timedelta(minutes=5)


def test_speed_makes_its_jobs_faster_and_leaves_its_clock():
    world = living(1, 100, NOW, speed=100)
    world.advance(60)
    assert world.now == NOW + timedelta(minutes=1)
    assert len(world.ids()) - 100 == pytest.approx(100 * JOBS_PER_DAY / 1440, rel=0.25)
    assert len(world.listed(active_only=True)) < 4 * IN_FLIGHT
    assert max(started(world)) <= world.now


@pytest.mark.parametrize("speed", [1e-9, 10_000])
def test_no_speed_leads_out_of_the_calendar(speed):
    world = living(1, 50, NOW, speed=speed)
    world.advance(1)
    assert all(world.job(job)["started"] for job in world.ids())


def test_its_files_have_names_that_look_like_names():
    world = living(1, 300, NOW)
    names = {world.job(job)["input_video"]["name"] for job in world.ids()}
    assert len(names) > 100
    assert not [name for name in names if set(name) & set('<>"=@\\')]
    assert len(USUAL_NAMES) > 20


def test_an_account_without_a_past_lives_too():
    world = living(1, 0, NOW)
    world.advance(600)
    assert 10 < len(world.ids()) < 60
