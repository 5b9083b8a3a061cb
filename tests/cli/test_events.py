"""``tpmirror events``: on stdout, and the sinks."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.account import mirror, query


def lines(said):
    return [json.loads(line) for line in said.splitlines()]


def newest(url):
    return query(url, "SELECT max(entry) FROM job_status_history")[0][0]


@pytest.fixture
def follower(program, mirrored):
    """``tpmirror events --follow`` in a process of its own, at work."""
    process = program.start("events", "--follow", "--after", str(newest(mirrored) - 1))
    assert json.loads(process.stdout.readline())["data"]["entry"] == newest(mirrored)
    yield process
    process.kill()
    with process:
        pass


def test_every_status_change_is_a_line_in_order(tpmirror, mirrored, monkeypatch):
    monkeypatch.setattr("tpmirror.cli.events.BATCH", 7)
    found = lines(tpmirror("events")[0])
    assert [event["data"]["entry"] for event in found] == list(range(1, newest(mirrored) + 1))
    last = lines(tpmirror("events", "--after", newest(mirrored) - 2)[0])
    assert last == found[-2:]
    failed = [event for event in found if event["type"] in {"job.failed", "job.canceled"}]
    assert lines(tpmirror("events", "--type", "job.failed", "--type", "job.canceled")[0]) == failed != []


def test_an_unknown_type_is_refused_by_name(tpmirror):
    assert "'job.done' is not one of job.queued, " in tpmirror("events", "--type", "job.done", code=2)[1]


def test_following_goes_on_within_a_second_and_ends_cleanly(follower, mirrored, world, sim):
    world.submit()
    assert mirror(sim, mirrored)["jobs_inserted"] == 1
    at = time.monotonic()
    event = json.loads(follower.stdout.readline())
    assert time.monotonic() - at < 1
    assert (event["type"], event["data"]["entry"]) == ("job.queued", newest(mirrored))
    follower.send_signal(signal.SIGINT)
    assert follower.wait(60) == 0
    assert follower.stderr.read() == ""


def test_following_ends_when_nobody_reads_any_more(follower):
    follower.stdout.close()
    assert follower.wait(60) == 0
    assert follower.stderr.read() == ""


def test_a_closed_pipe_is_no_error(program, mirrored):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "tpmirror", "events"]
    ended = subprocess.run(command, env=program.variables, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")
