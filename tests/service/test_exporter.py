"""The export that the service keeps fresh: when it is due, by one replica, and never in the way of a poll."""

import json
import re
import shutil
import socket
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.support.account import KEY, connected, environ, mirror, row, rows
from tests.support.program import Program, until
from tpmirror.config import load
from tpmirror.db import schema
from tpmirror.errors import UsageError
from tpmirror.export.writer import MANIFEST
from tpmirror.service.due import export_due
from tpmirror.service.exporter import Exporter
from tpmirror.service.metrics import Metrics
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import exports
from tpmirror.store.health import problems_of_mirror
from tpmirror.store.status import MirrorStatus, read_status

NOW = datetime.now(UTC)


@pytest.fixture
def sim():
    with Simulator(World(seed=5, jobs=10, in_flight=2, jobs_per_day=0, now=NOW), token=KEY) as simulator:
        yield simulator


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def held(sim, mirror_url):
    mirror(sim, mirror_url)
    return mirror_url


def exporter(engine: Any, to: Path | str, **options: str) -> Exporter:
    """Another replica each time, which remembers nothing itself."""

    def status() -> MirrorStatus:
        with engine.connect() as conn:
            return read_status(conn)

    return Exporter(load({"TPMIRROR_EXPORT_URL": str(to), **options}), engine, status, Metrics())


def put_back(url: str, **columns: Any) -> None:
    """As if time had passed."""
    with connected(url) as conn:
        conn.execute(update(schema.exports).values(**columns))
        conn.commit()


def test_it_is_made_when_it_is_due_and_not_before(held, engine, out):
    exporter(engine, out).tick()
    state = row(held, "exports")
    assert (state["destination"], state["failures"], state["claimed_until"]) == (str(out), 0, None)
    manifest = out / MANIFEST
    assert json.loads(manifest.read_text())["public"] is True, "personal data is left out unless asked for"
    shutil.rmtree(out)
    exporter(engine, out).tick()
    assert not manifest.exists()
    put_back(held, succeeded_at=NOW - timedelta(hours=1, minutes=1))
    exporter(engine, out).tick()
    assert manifest.exists()
    assert row(held, "exports")["succeeded_at"] >= NOW


def test_with_personal_data_if_asked_for(held, engine, out):
    exporter(engine, out, TPMIRROR_EXPORT_PERSONAL="yes").tick()
    assert json.loads((out / MANIFEST).read_text())["public"] is False


def test_an_empty_mirror_waits_for_its_first_run(mirror_url, engine, out):
    exporter(engine, out).tick()
    assert rows(mirror_url, "exports") == []
    assert not out.exists()


def test_of_two_replicas_one_does_it(held, engine, out):
    first, second, done = exporter(engine, out), exporter(engine, out), []
    export = first._export

    def overlapped(*arguments: Any, **options: Any) -> Any:
        second._export = lambda *_arguments, **_options: done.append("twice")
        second.tick()
        return export(*arguments, **options)

    first._export = overlapped
    first.tick()
    assert done == []
    assert (out / MANIFEST).exists()


def test_the_claim_of_a_process_that_died_runs_out_and_one_at_work_holds_on(held, engine, out):
    begun = exporter(engine, out)
    begun._export = lambda *_arguments, **_options: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        begun.tick()
    exporter(engine, out).tick()
    assert not out.exists()
    before = row(held, "exports")["claimed_until"]
    begun._renewed -= exports.TERM.total_seconds()
    begun._progress("jobs", 1)
    assert row(held, "exports")["claimed_until"] > before
    put_back(held, claimed_until=NOW - timedelta(seconds=1))
    exporter(engine, out).tick()
    assert (out / MANIFEST).exists()


def test_one_that_fails_is_tried_again_later_and_is_a_problem_until_it_succeeds(held, engine, tmp_path):
    out = tmp_path / "nowhere" / "out"
    chosen = load({"TPMIRROR_EXPORT_URL": str(out)})

    def codes() -> list[str]:
        with connected(held) as conn:
            status = read_status(conn)
        found = problems_of_mirror(status, chosen, datetime.now(UTC))
        return [problem.code for problem in found if problem.code.startswith("export")]

    for failures in (1, 2, 3):
        assert codes() == []
        exporter(engine, out).tick()
        exporter(engine, out).tick()
        state = row(held, "exports")
        assert state["failures"] == failures
        assert re.search("there is no folder", state["error"])
        put_back(held, failed_at=NOW - timedelta(minutes=5))
    assert codes() == ["export_failing"]
    put_back(held, since=NOW - timedelta(days=1))
    assert codes() == ["export_failing", "export_stale"]
    out.parent.mkdir()
    exporter(engine, out).tick()
    assert codes() == []
    assert row(held, "exports")["error"] is None


@pytest.mark.parametrize(
    ("state", "minutes"),
    [
        (None, 0),
        ({"succeeded_at": None, "failures": 0, "failed_at": None}, 0),
        ({"succeeded_at": NOW, "failures": 0, "failed_at": None}, 60),
        ({"succeeded_at": NOW, "failures": 2, "failed_at": NOW}, 1),
        ({"succeeded_at": None, "failures": 50, "failed_at": NOW}, 60),
        ({"succeeded_at": NOW + timedelta(days=300), "failures": 0, "failed_at": None}, 0),  # the clock was set back
    ],
)
def test_when_it_is_due(state, minutes):
    assert export_due(state, 3600.0, NOW) == NOW + timedelta(minutes=minutes)


def test_what_cannot_work_is_refused_at_the_start(engine):
    with pytest.raises(UsageError, match="TPMIRROR_EXPORT_URL is 'ftp://host/x'; it accepts a folder, s3://"):
        exporter(engine, "ftp://host/x")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_service_exports_and_an_export_that_hangs_holds_up_neither_polls_nor_the_end(tmp_path, mirror_url, sim):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hidden"}
        endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}", **keys}
        program = Program(tmp_path, {**environ(sim.url), "TPMIRROR_DATABASE_URL": mirror_url, **endpoint})
        process = program.start(
            "run", TPMIRROR_EXPORT_URL="s3://bucket/x", TPMIRROR_EXPORT_INTERVAL="2s", TPMIRROR_POLL_INTERVAL="1",
            TPMIRROR_HTTP_ADDR="127.0.0.1:0", TPMIRROR_LOG_FORMAT="json",
        )  # fmt: skip
        connection, _ = silent.accept()  # the export waits for an answer
        seen = len(rows(mirror_url, "sync_runs", kind="poll", outcome="succeeded"))
        until(lambda: len(rows(mirror_url, "sync_runs", kind="poll", outcome="succeeded")) >= seen + 2)
        assert row(mirror_url, "exports")["claimed_until"] is not None
        process.terminate()
        _, log = process.communicate(timeout=60)
        connection.close()
        assert process.returncode == 0
        assert "hidden" not in log
    process = program.start(
        "run", TPMIRROR_EXPORT_URL=str(tmp_path / "out"), TPMIRROR_HTTP_ADDR="127.0.0.1:0", TPMIRROR_LOG_FORMAT="json"
    )
    assert process.stderr is not None
    said = next(event for event in map(json.loads, process.stderr) if event["event"] == "started")
    until(lambda: [one for one in rows(mirror_url, "exports") if one["succeeded_at"]])
    with urllib.request.urlopen(f"{said['url']}/metrics", timeout=60) as answer:  # noqa: S310 - loopback
        found = answer.read().decode()
    process.terminate()
    process.communicate(timeout=60)
    assert 'tpmirror_exports_total{outcome="succeeded"} 1.0' in found
    assert (tmp_path / "out" / MANIFEST).exists()
