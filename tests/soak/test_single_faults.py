"""One thing goes wrong, at every place where it can: the n-th call of the database, the n-th request, for every n.

A touch is whatever a run does to the outside world: a statement, a commit, the answer to a commit, a request, its
answer. Nothing but these can go wrong between two of them.
"""

import shutil
from itertools import count
from typing import Any

import httpcore
import pytest
from sqlalchemy import Engine, func, select

from tests.support.account import KEY, mirror, query
from tests.support.simulation.lab import Lab, story
from tpmirror.db import schema
from tpmirror.db.engine import connected as opened
from tpmirror.db.engine import reading
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.audit import audit
from tpmirror.sync.poll import poll
from tpmirror.sync.verify import Comparison, verify
from tpmirror.tensorpix import transport

pytestmark = pytest.mark.exhaustive


def counted(engine: Engine, run: dict[str, Any]) -> dict[str, int]:
    """What is stored of a run's work, by the names of its counts."""
    history, changes = schema.job_status_history.c, schema.field_changes.c
    mine = select(func.count()).where(history.sync_run_id == run["id"])
    with engine.connect() as conn:
        return {
            "jobs_inserted": conn.execute(mine.where(history.from_status.is_(None))).scalar_one(),
            "transitions": conn.execute(mine.where(history.from_status.is_not(None))).scalar_one(),
            "field_changes": conn.execute(select(func.count()).where(changes.sync_run_id == run["id"])).scalar_one(),
        }


def test_a_run_killed_at_any_touch_is_followed_by_one_that_survives_any_fault(mirror_url, migrated_file, tmp_path):
    """For every n: a run dies at its n-th touch; the next one meets a fault at its n-th, and is certified all the same.

    After that the mirror tells what one tells that nothing ever happened to.
    """
    twin_url = f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'twin.db')}"
    with Lab() as lab:
        for n in count(1):
            lab.happen()
            killed = lab.sync(mirror_url, doom=n)
            assert killed.dead or killed.error is None, n
            struck = lab.sync(mirror_url, strike=n)
            assert struck.error is None, n
            run = struck.result
            assert (run["outcome"], run["certified"]) == ("succeeded", True), n
            stored = counted(lab.engine(mirror_url), run)
            assert {name: run[name] for name in stored} == stored, n
            assert lab.sync(twin_url).result["certified"]
            assert story(lab.engine(mirror_url)) == story(lab.engine(twin_url)), n
            if not killed.dead and struck.touches < n:
                break
        assert lab.disk.wrong == []
        assert n > 60
        assert query(mirror_url, "SELECT count(*) FROM sync_runs WHERE outcome = 'running'") == [(0,)]
    with opened(mirror_url) as engine, reading(engine) as conn:
        assert audit(conn).findings == []


def test_a_fault_at_any_touch_hides_no_difference_from_verify(mirror_url):
    with Lab() as lab:
        lab.sync(mirror_url)
        lab.happen()
        told = lab.sync(mirror_url, work=verify).result
        assert {(row["field"], row["upstream"]) for row in told.differences} >= {("(the job)", "listed"), ("status", 2)}
        for n in count(1):
            struck = lab.sync(mirror_url, work=verify, strike=n)
            assert (struck.error, struck.result) == (None, told), n
            if struck.touches < n:
                break
        assert n > 15


def test_a_fault_at_any_touch_of_a_poll_is_survived(mirror_url):
    with Lab() as lab:
        lab.sync(mirror_url)
        for n in count(1):
            lab.happen()
            struck = lab.sync(mirror_url, work=poll, strike=n)
            assert struck.error is None, n
            run, stored = struck.result, counted(lab.engine(mirror_url), struck.result)
            assert run["outcome"] == "succeeded", n
            assert {name: run[name] for name in stored} == stored, n
            if struck.touches < n:
                break
        assert n > 20
        assert lab.sync(mirror_url).result["certified"]
        assert lab.sync(mirror_url, work=verify).result == Comparison([], [])
    with opened(mirror_url) as engine, reading(engine) as conn:
        assert audit(conn).findings == []


def test_a_fault_at_any_read_of_the_socket_is_survived(migrated_file, tmp_path, monkeypatch):
    url = f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'mirror.db')}"
    honest, reads, strike = transport._Stream.read, count(1), 0

    def read(self: Any, max_bytes: int, timeout: float | None = None) -> bytes:
        if next(reads) == strike:
            raise httpcore.ReadError("connection reset by peer")
        return honest(self, max_bytes, timeout)

    monkeypatch.setattr(transport._Stream, "read", read)
    world = World(seed=8, jobs=9, in_flight=2, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=4) as simulator:
        for strike in count(1):
            world.submit()
            reads = count(1)
            run = mirror(simulator, url, retry_base="0.001", concurrency=1)
            assert (run["outcome"], run["certified"], run["jobs_seen"]) == ("succeeded", True, 9 + strike), strike
            assert run["retries"] == (next(reads) > strike + 1), strike
            if not run["retries"]:
                break
        assert strike > run["requests"] > 5  # an answer takes a read at least
