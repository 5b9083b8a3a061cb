"""``tpmirror run`` delivers events while its processes are killed and its database restarts.

Three sinks: one is healthy, one fails, times out and is slow, one is dead. The delays of the ladder are divided by
1000, so that a day and a half takes two minutes.
"""

import base64
import logging
import signal
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.support import fork
from tests.support.account import KEY, environ, mirror, query, rows
from tests.support.postgres import Postgres, StopMode
from tests.support.receiver import Receiver
from tpmirror.config import load
from tpmirror.errors import MirrorError
from tpmirror.service import daemon, delivery, webhooks
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import events

SCALE: Final = 1000
TIMEOUT: Final = 1.0
"""Seconds for a request of a service under test."""
TERM: Final = 4.0
"""Seconds for which its claims hold."""
SPEED: Final = 60.0
"""Seconds of the account in one of ours."""
PATIENCE: Final = 1800.0
RESTARTS: Final[tuple[StopMode, ...]] = ("fast", "immediate")
SINKS: Final = ("healthy", "flaky", "dead")
PACE: Final = {"TPMIRROR_SYNC_INTERVAL": "20", "TPMIRROR_POLL_INTERVAL": "1", "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"}


@dataclass
class DeliveryFigures:
    """What was delivered; ``wrong`` says what must not be."""

    transitions: int = 0
    kills: int = 0
    restarts: int = 0
    requests: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    lag: list[float] = field(default_factory=list)
    """Seconds from the commit of a transition, to a twentieth, to the healthy sink; p50, p99, most."""
    unchecked: int = 0
    """Events of which it could not be checked on receipt that they were committed: the database was away."""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        sinks = "; ".join(f"{name}: {self.requests[name]:,} requests" for name in self.requests)
        again = ", ".join(f"{name} {number:,}" for name, number in self.duplicates.items())
        lag = ", ".join(f"{seconds:.2f}" for seconds in self.lag)
        return (
            f"{self.transitions:,} transitions, {self.kills} kills, {self.restarts} restarts of the database; {sinks}; "
            f"duplicates: {again}; seconds to the healthy sink (p50, p99, most): {lag}; not checked: {self.unchecked}"
        )


class Life:
    """A mirror, its service, and three sinks."""

    def __init__(self, home: Path, url: str, seed: int, replicas: int) -> None:
        self.figures = DeliveryFigures()
        self._rng, self._url, self._replicas = Random(seed), url, replicas
        self._secrets = {name: f"whsec_{base64.b64encode(name.encode() * 6).decode()}" for name in SINKS}
        self._file = home / "secrets"
        self._file.write_text("".join(f"{name} {secret}\n" for name, secret in self._secrets.items()))
        self.sinks = {name: Receiver(self._secrets[name], getattr(self, f"_{name}")) for name in SINKS}
        self._committed = 0
        self._seen: list[tuple[float, int]] = []
        """When, in seconds since 1970, which entry was the newest one that was committed."""
        self._over = threading.Event()
        self._processes: list[ForkServerProcess] = []

    def run(
        self, simulator: Simulator, transitions: int, kills: int, restart: Callable[[StopMode], None] | None
    ) -> None:
        """Deliver so many transitions or more; kill so many processes meanwhile, and restart the database 5 times."""
        first = self._newest()
        with ExitStack() as stack:
            for receiver in self.sinks.values():
                stack.enter_context(receiver)
            variables = {**environ(simulator.url, database_url=self._url), **PACE, **self._variables()}
            stack.callback(self._end)
            threading.Thread(target=self._watch, daemon=True).start()
            self._processes += [_start(variables, fast=bool(kills)) for _ in range(self._replicas)]
            _until(lambda: len(rows(self._url, "event_cursors")) == len(SINKS))
            simulator.speed = SPEED
            for number in range(1, kills + 1):
                share = number * transitions / (kills + 1)  # each of them is killed at work
                _until(partial(self._has_come, first + int(share)))
                time.sleep(self._rng.random())
                place = self._rng.randrange(self._replicas)
                self.figures.kills += fork.end(self._processes[place]) == -signal.SIGKILL
                self._processes[place] = _start(variables, fast=True)
                if restart is not None and number % max(1, kills // 5) == 0:
                    restart(RESTARTS[number % 2])
                    self.figures.restarts += 1
            _until(lambda: self._newest() >= first + transitions)
            simulator.speed = 0
            self._judge(first)

    def _has_come(self, entry: int) -> bool:
        return any(one.entry >= entry for one in self.sinks["healthy"].received[-1:])

    def _variables(self) -> dict[str, str]:
        urls = " ".join(f"{name}={receiver.url}" for name, receiver in self.sinks.items())
        return {"TPMIRROR_WEBHOOK_URLS": urls, "TPMIRROR_WEBHOOK_SECRET_FILE": str(self._file)}

    def _newest(self) -> int:
        with suppress(Exception):  # the database restarts
            return int(query(self._url, "SELECT COALESCE(max(entry), 0) FROM job_status_history")[0][0])
        return 0

    def _check(self, event: dict[str, Any]) -> None:
        """The receiver looks whether the transition is there: another connection sees what was committed, no more."""
        entry = event["data"]["entry"]
        if entry > self._committed:
            newest = self._newest()
            self._committed = max(self._committed, newest)
            if not newest:
                self.figures.unchecked += 1
            elif entry > newest:
                self.figures.wrong.append(f"entry {entry} was sent before its commit")

    def _healthy(self, event: dict[str, Any]) -> int:
        self._check(event)
        return 204

    def _flaky(self, event: dict[str, Any]) -> int | None:
        self._check(event)
        chance = self._rng.random()
        if chance < 0.30:
            return self._rng.choice((500, 503, 429, 408, None))
        if chance < 0.31:
            time.sleep(TIMEOUT * 1.5)
        elif chance < 0.36:
            time.sleep(TIMEOUT * 0.3)
        return 200

    @staticmethod
    def _dead(_event: dict[str, Any]) -> int:
        return 503

    def _settled(self) -> int:
        """The newest entry, once five seconds bring no other: a busy machine stores the last answers late."""
        newest = -1
        while newest != (newest := self._newest()):
            time.sleep(5)
        return newest

    def _judge(self, first: int) -> None:
        """Wait for the living sinks to have all, then look at what came."""
        newest = self._settled()
        self.figures.transitions = newest - first
        wanted = set(range(first + 1, newest + 1))
        for name in ("healthy", "flaky"):
            with suppress(TimeoutError):
                _until(partial(self._has, name, wanted))
            came = self.sinks[name].delivered
            firsts = list(dict.fromkeys(came))
            if missing := wanted - set(came):
                self.figures.wrong.append(f"{name}: {len(missing)} of {len(wanted)} never came, as {min(missing)}")
            if early := set(came) - set(range(first + 1, self._newest() + 1)):
                self.figures.wrong.append(f"{name}: {min(early)} is of the past or of the future")
            if firsts != sorted(firsts):
                self.figures.wrong.append(f"{name}: first deliveries are not in order")
            self.figures.duplicates[name] = len(came) - len(firsts)
        self.figures.requests = {name: len(receiver.received) for name, receiver in self.sinks.items()}
        self.figures.lag = self._lags()
        self._judge_rows(newest)

    def _has(self, name: str, wanted: set[int]) -> bool:
        return wanted <= set(self.sinks[name].delivered)

    def _judge_rows(self, newest: int) -> None:
        given_up = rows(self._url, "event_deliveries_dead")
        if wrong := {row["sink"] for row in given_up} - {"dead"}:
            self.figures.wrong.append(f"{', '.join(wrong)}: events were given up")
        (dead,) = rows(self._url, "event_cursors", sink="dead")
        tried = {one.entry for one in self.sinks["dead"].received}
        if {row["entry"] for row in given_up if row["sink"] == "dead"} - tried or dead["entry"] >= newest:
            self.figures.wrong.append("dead: it moved on without tries")
        if len(self.sinks["dead"].received) > (len(given_up) + 1) * (len(delivery.LADDER) + 1) + self.figures.kills:
            self.figures.wrong.append("dead: it was tried more often than the ladder has steps")

    def _watch(self) -> None:
        """Note when transitions are committed, as another connection sees it."""
        while not self._over.is_set():
            newest = self._newest()
            if newest > (self._seen[-1][1] if self._seen else 0):
                self._seen.append((time.time(), newest))
            self._over.wait(0.05)

    def _lags(self) -> list[float]:
        """Median, 99th percentile and most of the seconds from commit to the healthy sink."""
        firsts: dict[int, float] = {}
        for one in self.sinks["healthy"].received:
            firsts.setdefault(one.entry, one.at)
        newest = [entry for _, entry in self._seen]
        places = {entry: bisect_left(newest, entry) for entry in firsts}
        lags = sorted(firsts[entry] - self._seen[place][0] for entry, place in places.items() if place < len(newest))
        return [max(0.0, lags[int(share * (len(lags) - 1))]) for share in (0.5, 0.99, 1)] if lags else []

    def _end(self) -> None:
        self._over.set()
        for process in self._processes:
            fork.end(process)


def live(url: str, home: Path, seed: int, *, transitions: int, kills: int, server: Postgres | None) -> DeliveryFigures:
    """What becomes of so many transitions; three replicas on PostgreSQL, one process on SQLite."""
    world = World(seed, jobs=60, days=1, in_flight=6, jobs_per_day=6000)
    with Simulator(world, token=KEY, page_cap=100) as simulator:
        mirror(simulator, url)
        life = Life(home, url, seed, replicas=1 if server is None else 3)
        life.run(simulator, transitions, kills, None if server is None else server.restart)
    return life.figures


def _start(variables: dict[str, str], *, fast: bool) -> ForkServerProcess:
    process = fork.CONTEXT.Process(target=_serve, args=(variables, fast), daemon=True)
    process.start()
    return process


def _serve(variables: dict[str, str], fast: bool) -> None:
    """A process of the service, with shorter times; ``fast``: it also looks ten times as often."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    module: Any = delivery
    module.LADDER = tuple(seconds / SCALE for seconds in delivery.LADDER)
    webhooks_: Any = webhooks
    webhooks_.TIMEOUT = TIMEOUT
    store: Any = events
    store.TERM = timedelta(seconds=TERM)
    if fast:
        service: Any = daemon
        service.EVERY = delivery.EVERY / 10
    with suppress(MirrorError):
        sys.exit(daemon.run(load(variables)))


def _until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.2)


@contextmanager
def on_postgres(name: str) -> Iterator[tuple[str, Postgres]]:
    """A server of its own, which keeps what it committed when it is stopped at once."""
    with Postgres(fsync=True) as server:
        server.create(name)
        yield server.url(name), server
