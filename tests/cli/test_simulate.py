"""``tpmirror simulate``: when its account's past ends, and that life goes on."""

import re
import signal
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.program import Program, until
from tpmirror.cli.simulate import simulate


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path, {})


def listed(url):
    """All jobs of the first page, newest first."""
    return httpx.get(f"{url}/api/jobs/", headers={"Authorization": "Token simulated-key"}).json()["results"]


def newest(jobs):
    return datetime.fromisoformat(jobs[0]["started"])


@pytest.fixture
def served(program):
    """A function that starts the simulator and returns its URL."""
    started = []

    def start(*options):
        process = program.start("simulate", "--port", "0", *options)
        started.append(process)
        return re.findall(r"http://127\.0\.0\.1:\d+", process.stderr.readline())[0]

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        _, complained = process.communicate(timeout=60)
        assert (process.returncode, complained.endswith("stopped\n")) == (0, True)


def test_its_past_ends_now_and_jobs_come_and_end(served):
    url = served("--speed", "1000")
    before = listed(url)
    assert abs(datetime.now(UTC) - newest(before)) < timedelta(minutes=2)
    until(lambda: {0, 1, 2} <= {job["status"] for job in listed(url) if job["id"] > before[0]["id"]})
    assert newest(listed(url)) <= datetime.now(UTC) + timedelta(seconds=1), "its clock does not run ahead"


def test_a_signal_that_comes_twice_ends_it_as_well_as_one(program):
    process = program.start("simulate", "--port", "0")
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    until(lambda: process.stderr.readline() == "stopped\n")
    process.send_signal(signal.SIGTERM)  # as timeout does, to the process and to its group
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_its_past_ends_when_it_is_told_and_speed_0_stops_the_clock(served):
    url = served("--now", "2026-11-01T12:00:00+02:00", "--speed", "0")
    before = listed(url)
    assert timedelta() < datetime(2026, 11, 1, 10, tzinfo=UTC) - newest(before) < timedelta(minutes=10)
    time.sleep(0.1)
    assert [job["status"] for job in listed(url)] == [job["status"] for job in before]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00:00Z", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01 10:00:00.5", datetime(2026, 11, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-01T10:00:00-05:00", datetime(2026, 11, 1, 15, tzinfo=UTC)),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text, moment):
    assert simulate.make_context("simulate", ["--now", text]).params["now"] == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1793527200", "2026-02-30", "1999-12-31", "2100-01-02", "0001-01-01"]
)
def test_a_time_that_is_none_is_refused_in_one_line(program, capsys, text):
    _, complained = program.call(capsys, "simulate", "--now", text, code=2)
    assert complained.count("\n") == 1
    assert repr(text) in complained
    assert "2026-11-01T12:00:00" in complained
