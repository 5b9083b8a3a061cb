"""When the next full sync and the next poll are due: by the database, whatever the clock and the API do."""

from datetime import UTC, datetime, timedelta

import pytest

from tpmirror.service.due import IDLE, pause, poll_due, poll_factor, sync_due
from tpmirror.store.status import MirrorStatus

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def seconds_to_walk(status: MirrorStatus) -> float:
    return (sync_due(status, 900, NOW) - NOW).total_seconds()


def seconds_to_poll(status: MirrorStatus) -> float:
    return (poll_due(status, 30, NOW) - NOW).total_seconds()


def test_an_empty_mirror_is_walked_at_once():
    assert seconds_to_walk(MirrorStatus()) == 0


@pytest.mark.parametrize(("age", "left"), [(0, 900), (300, 600), (900, 0), (5000, -4100)])
def test_a_full_sync_is_due_an_interval_after_the_last_one_began(age, left):
    assert seconds_to_walk(MirrorStatus(synced_at=ago(age))) == left


def test_a_failed_full_sync_is_tried_again_later_and_later_but_not_later_than_usual():
    waits = [
        seconds_to_walk(MirrorStatus(synced_at=ago(5000), sync_failures=failures, sync_failed_at=NOW))
        for failures in (1, 2, 3, 6, 1000)
    ]
    assert waits == [30, 60, 120, 900, 900]


def test_a_first_full_sync_that_failed_is_tried_again_too():
    assert seconds_to_walk(MirrorStatus(sync_failures=1, sync_failed_at=ago(10))) == 20


def test_a_failure_does_not_bring_the_next_full_sync_forward():
    assert seconds_to_walk(MirrorStatus(synced_at=ago(100), sync_failures=1, sync_failed_at=ago(50))) == 800


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=4000)])
def test_after_the_clock_was_set_back_everything_is_due_at_once(ahead):
    status = MirrorStatus(synced_at=NOW + ahead, succeeded_at=NOW + ahead, in_flight=1)
    assert (seconds_to_walk(status), seconds_to_poll(status)) == (0, 0)


@pytest.mark.parametrize(("in_flight", "left"), [(1, 20), (300, 20), (0, 290)])
def test_polls_are_rare_while_no_job_is_in_flight(in_flight, left):
    assert seconds_to_poll(MirrorStatus(succeeded_at=ago(10), in_flight=in_flight)) == left


def test_polls_back_off_while_runs_fail():
    found = [poll_factor(MirrorStatus(in_flight=3, run_failures=failures)) for failures in (0, 1, 2, 3, 4, 1000)]
    assert found == [1, 2, 4, 8, IDLE, IDLE]


def test_an_empty_mirror_is_not_polled():
    assert seconds_to_poll(MirrorStatus()) > 0


def test_pauses_double_up_to_the_interval():
    assert [pause(failures, 900) for failures in (0, 1, 2, 5, 6, 10_000)] == [0, 30, 60, 480, 900, 900]
