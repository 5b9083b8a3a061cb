"""The schedule and the watchdog of the service: nothing planned is lost, a clock that jumps stops nothing."""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace

import pytest

from tests.support.program import until
from tpmirror.config import load
from tpmirror.db.engine import open_engine
from tpmirror.service import daemon as service_module
from tpmirror.service import watchdog as watch_module
from tpmirror.service.daemon import Service
from tpmirror.service.scheduler import Every, Schedule
from tpmirror.service.watchdog import Watchdog
from tpmirror.store.status import MirrorStatus


@pytest.fixture
def happened() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def schedule(happened) -> Iterator[Schedule]:
    made = Schedule(lambda *what: happened.append(what))
    yield made
    made.stop()


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    """One whose schedule runs, with nothing on it."""
    engine = open_engine(f"sqlite:///{tmp_path / 'mirror.db'}")
    made = Service(load({"TPMIRROR_API_KEY": "tpx-of-nobody"}), engine)
    made.schedule.start()
    yield made
    made.schedule.stop()
    engine.dispose()


def test_work_that_is_late_is_done_all_the_same(schedule, happened):
    """The machine slept; the scheduler's own grace is a second."""
    done = Event()
    schedule.add("runs", done.set, 3600)
    time.sleep(1.5)
    schedule.start()
    assert done.wait(60)
    assert happened == []


def test_work_that_fails_is_told_and_planned_again(schedule, happened):
    schedule.add("runs", lambda: 1 / 0, 0.05)
    schedule.start()
    until(lambda: len(happened) > 2)
    assert set(happened) == {("runs", "failed")}


def test_a_clock_that_was_ahead_by_years_does_not_count_them_up():
    every, now = Every(seconds=1, timezone=UTC), datetime.now(UTC)
    assert now <= every.get_next_fire_time(now - timedelta(days=10_000), now) <= now + timedelta(seconds=2)
    assert every.get_next_fire_time(now, now) == now + timedelta(seconds=1)


@pytest.mark.parametrize(("by", "told"), [(3600, 3600), (-3600, -3600), (4, None), (0, None)])
def test_a_clock_that_jumps_is_noticed(monkeypatch, by, told):
    clock = SimpleNamespace(time=lambda: 1e9, monotonic=lambda: 50.0)
    monkeypatch.setattr(watch_module, "time", clock)
    watch = Watchdog(load({}), MirrorStatus, lambda: None)
    clock.time, clock.monotonic = (lambda: 1e9 + 2 + by), (lambda: 52.0)
    assert watch.jumped() == told
    assert watch.jumped() is None
    watch.check()
    assert ("clock_jump" in {problem.code for problem in watch.problems}) == (told is not None)


def test_after_a_jump_of_the_clock_everything_is_looked_at(service, monkeypatch):
    done = []
    service.schedule.add("runs", lambda: done.append(1), 3600)
    until(lambda: len(done) == 1)
    assert service._look() is None
    monkeypatch.setattr(service.watch, "jumped", lambda: -7200.0)
    assert service._look() is None
    until(lambda: len(done) == 2)


def test_a_process_that_hangs_gives_up(service):
    assert service.is_alive
    assert service._look() is None
    service.worker.busy, service.worker.last_activity = True, time.monotonic() - service_module.STUCK - 3600
    assert not service.is_alive
    assert service._look() == 1


def test_a_process_without_its_scheduler_gives_up(service):
    service.schedule.stop()
    until(lambda: not service.schedule.is_alive)
    assert not service.is_alive
    assert service._look() == 1


@pytest.mark.parametrize(("second", "grace"), [(SimpleNamespace(si_signo=15), 60), (None, 0)])
def test_a_run_that_does_not_end_is_left_after_a_while_or_at_a_second_signal(service, monkeypatch, second, grace):
    monkeypatch.setattr(service_module, "GRACE", grace)
    monkeypatch.setattr(signal, "sigtimedwait", lambda *_: second)
    service.worker.busy = True
    assert service._stop() == 1
    assert service.worker.stopping
