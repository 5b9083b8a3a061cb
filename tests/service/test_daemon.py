"""The service as its supervisor sees it: schedule, signals, health, several replicas."""

import base64
import json
import shutil
import signal
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from tests.support.account import KEY, connected, environ, rows, settings
from tests.support.program import Program, until
from tests.support.receiver import Receiver
from tests.support.webhook import Webhook
from tpmirror.db import engine as db_engine
from tpmirror.db import revision
from tpmirror.errors import MirrorError
from tpmirror.service.metrics import Metrics
from tpmirror.service.worker import Worker
from tpmirror.simulator.http import Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import alerts
from tpmirror.store.health import Problem


class Started(Program):
    """Leaves no process behind, whatever became of the test."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.processes = []

    def start(self, *arguments, **variables):
        self.processes.append(super().start(*arguments, **variables))
        return self.processes[-1]

    def end_all(self):
        for process in self.processes:
            process.kill()
            with process:  # closes its pipes and waits
                pass


@pytest.fixture
def program(tmp_path):
    pace = {"TPMIRROR_POLL_INTERVAL": "1", "TPMIRROR_SYNC_INTERVAL": "3", "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"}
    started = Started(tmp_path, pace)
    yield started
    started.end_all()


def mirror_of(sim, url):
    """The variables for a service on this account and mirror."""
    return {**environ(sim.url), "TPMIRROR_DATABASE_URL": url}


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
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def end(process, number=signal.SIGTERM):
    """Stop it: how it ended, how long that took, and the rest of its log."""
    started = time.monotonic()
    process.send_signal(number)
    log = process.stderr.read()
    process.wait(timeout=60)
    return process.returncode, time.monotonic() - started, [json.loads(text) for text in log.splitlines()]


def events(log):
    """What is told in it. The watch may have the last word: it looks at the mirror until the process is gone."""
    return {told["event"] for told in log}


def test_full_syncs_and_polls_on_schedule_and_stops_cleanly(program, sim, mirror_url):
    process = program.start("run", **mirror_of(sim, mirror_url))
    url = line(process, "started")["url"]
    first = line(process, "run succeeded")
    assert (first["kind"], first["run"], first["certified"]) == ("full", 1, True)
    until(lambda: {run["kind"] for run in rows(mirror_url, "sync_runs", outcome="succeeded")} == {"full", "poll"})
    until(lambda: get(f"{url}/readyz")[0] == 200)
    assert json.loads(get(f"{url}/healthz")[1]) == {"alive": True}
    code, seconds, log = end(process)
    assert (code, "stopped" in events(log)) == (0, True)
    assert seconds < 30
    assert rows(mirror_url, "sync_runs", outcome="running") == []


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_in_the_place_of_the_database_is_the_mirror_from_then_on(sim, mirror_url, migrated_file, replaced):
    path = Path(mirror_url.removeprefix("sqlite:///"))
    with db_engine.connected(mirror_url) as engine:
        worker = Worker(settings(sim, mirror_url), engine, Metrics())
        worker.tick()
        if replaced:
            Path(shutil.copyfile(migrated_file, path.with_suffix(".new"))).replace(path)
        else:
            path.unlink()
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        assert worker.status().synced_at is None
        worker.forced = True
        worker.tick()
        (run,) = rows(mirror_url, "sync_runs")
        assert worker.status().synced_at == run["started_at"]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_database_that_is_deleted_under_a_writer_is_not_made_anew(mirror_url):
    path = Path(mirror_url.removeprefix("sqlite:///"))
    with db_engine.connected(mirror_url) as engine:
        db_engine.write(engine, revision.current_of)
        path.unlink()
        with pytest.raises(MirrorError, match="there is no database"):
            db_engine.write(engine, revision.current_of)
    assert not path.exists()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_full_syncs_that_take_longer_than_their_interval_do_not_follow_upon_one_another(sim, mirror_url):
    sim.latency = 0.6
    with db_engine.connected(mirror_url) as engine:
        worker = Worker(settings(sim, mirror_url, sync_interval=1, poll_interval=3600), engine, Metrics())
        worker.tick()
        ended = time.monotonic()
        while worker.runs < 2:
            worker.tick()
    assert time.monotonic() - ended > 0.1


def test_a_service_that_takes_its_time_with_an_alert_does_not_hold_up_the_watch(program, sim, mirror_url):
    with connected(mirror_url) as conn:
        alerts.record(conn, [Problem("job_failed:1:1", "job 1 failed", "look")], datetime.now(UTC))
        conn.commit()
    with Webhook() as hook:
        hook.open.clear()
        process = program.start("run", TPMIRROR_ALERT_URLS=hook.url, **mirror_of(sim, mirror_url))
        url = line(process, "started")["url"]
        until(lambda: hook.asked)
        until(lambda: get(f"{url}/readyz")[0] == 200)
        process.kill()
        hook.open.set()


STARTED = """
import sys
from tpmirror import __main__, signals
hold = signals.hold
def told():
    hold()
    print("tpmirror.cli" in sys.modules, flush=True)
signals.hold = told
__main__.main()
"""
"""The program, which says when signals wait, and whether much was loaded by then."""


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("delay", [0, 0.1, 0.3, 0.6, 1, 2])
def test_a_signal_at_any_moment_of_the_start_ends_it_as_later_on(program, sim, mirror_url, delay, monkeypatch):
    monkeypatch.setattr("tests.support.program.START", STARTED)
    process = program.start("run", **mirror_of(sim, mirror_url))
    assert process.stdout.readline() == "False\n"
    time.sleep(delay)  # waits for nothing: each moment is as good as another
    code, seconds, log = end(process)
    assert (code, "stopped" in events(log)) == (0, True)  # the log is JSON from end to end: no traceback
    assert seconds < 30
    assert rows(mirror_url, "sync_runs", outcome="running") == []


def test_a_new_key_is_tried_at_once_on_sighup(program, sim, mirror_url, tmp_path):
    key = tmp_path / "key"
    key.write_text("wrong\n")
    key.chmod(0o600)
    variables = {**mirror_of(sim, mirror_url), "TPMIRROR_API_KEY": "", "TPMIRROR_API_KEY_FILE": str(key)}
    process = program.start("run", **variables)
    url = line(process, "started")["url"]
    assert line(process, "run failed")["error"].startswith("the API refused the key (401)")
    until(lambda: "key_refused" in get(f"{url}/readyz")[1])
    assert get(f"{url}/readyz")[0] == 503
    key.write_text(f"{KEY}\n")
    process.send_signal(signal.SIGHUP)
    assert line(process, "run succeeded")["certified"]
    until(lambda: get(f"{url}/readyz")[0] == 200)
    assert 'tpmirror_api_requests_total{status="401"}' in get(f"{url}/metrics")[1]
    assert end(process)[0] == 0


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_when_the_first_of_two_replicas_is_killed_the_other_one_takes_over(program, sim, mirror_url):
    variables = mirror_of(sim, mirror_url)
    gate = Event()  # nobody gets an answer, and so to the end of a full sync, before one of them is dead
    sim.respond = lambda _: None if gate.wait(60) else Response(503)
    replicas = {process.pid: process for process in (program.start("run", **variables) for _ in range(2))}

    def holder():
        running = rows(mirror_url, "sync_runs", outcome="running", kind="full")
        (lease,) = rows(mirror_url, "writer_lease")
        return int(lease["holder"].split("|")[1]) if running else None

    until(lambda: holder() in replicas)
    dead = replicas.pop(holder())
    dead.kill()
    dead.wait()
    gate.set()
    until(lambda: holder() in replicas)
    (survivor,) = replicas.values()
    assert end(survivor)[0] == 0
    outcomes = {run["outcome"] for run in rows(mirror_url, "sync_runs")}
    assert "abandoned" in outcomes
    assert "running" not in outcomes


def test_stopped_in_the_middle_of_a_full_sync_it_closes_the_run_and_leaves_within_seconds(program, sim, mirror_url):
    sim.latency = 60  # an answer that never comes: the full sync is in the middle of a read
    process = program.start("run", **mirror_of(sim, mirror_url))
    until(lambda: rows(mirror_url, "sync_runs", outcome="running"))
    code, seconds, _ = end(process)
    assert (code, [run["outcome"] for run in rows(mirror_url, "sync_runs")]) == (0, ["interrupted"])
    assert seconds < 20
    sim.latency = 0
    program.run("sync", **mirror_of(sim, mirror_url))


def test_an_event_reaches_its_sink_while_the_service_runs(program, sim, mirror_url, tmp_path):
    secret = "whsec_" + base64.b64encode(b"s" * 32).decode()
    (tmp_path / "secrets").write_text(f"crm {secret}\n")
    (tmp_path / "secrets").chmod(0o600)
    with Receiver(secret) as receiver:
        sinks = {
            "TPMIRROR_WEBHOOK_URLS": f"crm={receiver.url}",
            "TPMIRROR_WEBHOOK_SECRET_FILE": str(tmp_path / "secrets"),
        }
        process = program.start("run", **mirror_of(sim, mirror_url), **sinks)
        url = line(process, "started")["url"]
        until(lambda: rows(mirror_url, "sync_runs", outcome="succeeded"))
        sim.world.submit()
        until(lambda: receiver.received)
        (one, *_) = receiver.received
        committed = rows(mirror_url, "job_status_history", entry=one.entry)
        assert len(committed) == 1
        assert one.event["type"] == "job.queued"
        assert 'tpmirror_webhook_deliveries_total{outcome="delivered",sink="crm"}' in get(f"{url}/metrics")[1]
        code, _, log = end(process)
        assert (code, "stopped" in events(log)) == (0, True)
    assert "hush" not in json.dumps(log)
