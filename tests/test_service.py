"""The service as its supervisor sees it: schedule, signals, health, several replicas."""

import json
import signal
import time
import urllib.error
import urllib.request

import pytest

from tests.support.account import KEY, environ, rows
from tests.support.program import Program
from tpmirror.simulator import Simulator, World


@pytest.fixture
def program(tmp_path, mirror_url):
    pace = {"TPMIRROR_POLL_INTERVAL": "1", "TPMIRROR_SYNC_INTERVAL": "3", "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"}
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url, **pace})


@pytest.fixture
def sim():
    with Simulator(World(seed=5, jobs=120, in_flight=3), token=KEY, page_cap=20) as simulator:
        yield simulator


def line(process, event):
    """The next line of the log that tells this event, as an object."""
    for text in process.stderr:
        told = json.loads(text)
        if told["event"] == event:
            return told
    message = f"the log ended before {event!r}"
    raise AssertionError(message)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def until(true, seconds=15):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def end(process, number=signal.SIGTERM):
    """Stop it: how it ended, how long that took, and the rest of its log."""
    started = time.monotonic()
    process.send_signal(number)
    _, log = process.communicate(timeout=20)
    return process.returncode, time.monotonic() - started, [json.loads(text) for text in log.splitlines()]


def test_walks_and_polls_on_schedule_and_stops_cleanly(program, sim, mirror_url):
    process = program.start("run", **environ(sim.url))
    url = line(process, "started")["url"]
    first = line(process, "run succeeded")
    assert (first["kind"], first["run"], first["certified"]) == ("full", 1, True)
    until(lambda: {run["kind"] for run in rows(mirror_url, "sync_runs", outcome="succeeded")} == {"full", "poll"})
    until(lambda: get(f"{url}/readyz")[0] == 200)
    assert json.loads(get(f"{url}/healthz")[1]) == {"alive": True}
    code, seconds, log = end(process)
    assert (code, log[-1]["event"]) == (0, "stopped")
    assert seconds < 10
    assert rows(mirror_url, "sync_runs", outcome="running") == []


def test_stopped_in_the_middle_of_a_walk_it_closes_the_run_and_leaves_within_seconds(program, sim, mirror_url):
    sim.latency = 60  # an answer that never comes: the walk is in the middle of a read
    process = program.start("run", **environ(sim.url))
    until(lambda: rows(mirror_url, "sync_runs", outcome="running"))
    code, seconds, _ = end(process)
    assert (code, [run["outcome"] for run in rows(mirror_url, "sync_runs")]) == (0, ["interrupted"])
    assert seconds < 5
    sim.latency = 0
    program.run("sync", **environ(sim.url))
