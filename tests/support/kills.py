"""kill -9, again and again: real processes die at random moments of their full sync, while the account lives on."""

import signal
import threading
import time
from random import Random
from typing import Any, Final

from tests.support import fork
from tests.support.account import KEY, environ, mirror, rows
from tests.support.mover import Mover
from tests.support.witness import Witness
from tpmirror.db import migrate
from tpmirror.db.engine import connected, reading
from tpmirror.simulator.http import Request
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.audit import audit

RETRY_SECONDS: Final = 60
"""Seconds for a process to get to work on a busy machine."""


def migrated(database_url: str) -> None:
    """Make the tables, so that the full sync under test begins with the full sync."""
    with connected(database_url) as engine:
        migrate.upgrade(engine)


def findings(database_url: str) -> list[Any]:
    """What an audit finds."""
    with connected(database_url) as engine, reading(engine) as conn:
        return audit(conn).findings


class Trap:
    """Tells when a client sends its n-th request; with ``hold``, that request waits until ``open`` is set."""

    def __init__(self, witness: Witness, *, hold: bool = False) -> None:
        self.sprung, self.open = threading.Event(), threading.Event()
        self._left, self._hold, self._answer = 0, hold, witness.respond
        witness.sim.respond = self.respond

    def set(self, requests: int) -> None:
        """Spring at this many requests from now."""
        self.sprung.clear()
        self._left = requests

    def respond(self, request: Request) -> Any:
        """Answer as the account would."""
        self._left -= 1
        if self._left == 0:
            self.sprung.set()
            if self._hold:
                assert self.open.wait(RETRY_SECONDS)
        return self._answer(request)


class Kills:
    """A mirror whose writers are killed. ``run`` tells what is wrong afterwards."""

    def __init__(self, database_url: str, seed: int) -> None:
        self.url = database_url
        self.killed = self.abandoned = 0
        self._rng = Random(seed)
        self._world = World(seed, jobs=40, days=1, in_flight=4, jobs_per_day=10)
        self._move = Mover(self._world)

    def run(self, times: int) -> list[str]:
        """Kill a process this many times, each at a random moment after a random request; then let one finish."""
        with Simulator(self._world, token=KEY, page_cap=10) as simulator:
            witness = Witness(simulator)
            trap = Trap(witness)
            variables = environ(simulator.url, database_url=self.url, page_size=10)
            while self.killed < times:  # one that ended by itself at the last moment was not killed
                self._live_on()
                self._kill(trap, variables)
            trap.set(0)
            run = mirror(simulator, self.url)
            wrong = [*witness.verdict(self.url, run), *witness.differences(self.url), *map(str, findings(self.url))]
        self.abandoned = len(rows(self.url, "sync_runs", outcome="abandoned"))
        return wrong

    def _live_on(self) -> None:
        self._move("advance", 900)
        while len(self._world.listed()) > 60:
            self._move("delete_oldest", 0)

    def _kill(self, trap: Trap, variables: dict[str, str]) -> None:
        trap.set(self._rng.randrange(1, 12))
        process, end = fork.start(variables), time.monotonic() + RETRY_SECONDS
        while not trap.sprung.wait(0.02):
            assert time.monotonic() < end, process.exitcode
            if process.exitcode is not None:  # the full sync was shorter than that: the next one goes on
                process = fork.start(variables)
        time.sleep(self._rng.random() * 0.03)
        self.killed += fork.end(process) == -signal.SIGKILL
