"""``tpmirror run`` behind PgBouncer while database and pooler restart, always in the middle of a full sync."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

from tests.support.account import KEY, environ, rows
from tests.support.pgbouncer import Bouncer
from tests.support.postgres import Postgres, StopMode
from tests.support.program import Program, until
from tpmirror.simulator.http import Request
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

SERVER_RESTARTS: Final[tuple[StopMode, ...]] = ("fast", "immediate", "fast")
"""How the database is stopped each time; between two of these the pooler is."""
PACE: Final = {"TPMIRROR_SYNC_INTERVAL": "10", "TPMIRROR_POLL_INTERVAL": "2", "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"}


@dataclass
class PooledFigures:
    """What a life behind a pooler showed; ``wrong`` says what must not be."""

    restarts: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    waited: int = 0
    """How often the service put a run off because of the database."""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        runs = ", ".join(f"{name} {number:,}" for name, number in sorted(self.runs.items()))
        return f"{self.jobs:,} jobs; restarts: {'; '.join(self.restarts)}; runs: {runs}; put off {self.waited}"


class Interrupter:
    """Restarts something at a request of a full sync, once it is asked to."""

    def __init__(self, simulator: Simulator) -> None:
        self.restarted: list[str] = []
        self._due: list[tuple[str, Callable[[], None]]] = []
        self._lock = threading.Lock()
        simulator.respond = self._respond

    def ask(self, name: str, restart: Callable[[], None]) -> None:
        """Restart it soon."""
        self._due.append((name, restart))

    def _respond(self, request: Request) -> None:
        if request.path != "/api/jobs/" or "offset=0" in request.target:
            return
        with self._lock:
            if self._due:
                name, restart = self._due.pop(0)
                restart()
                self.restarted.append(name)


def live(home: Path, seconds: float, seed: int = 5, jobs: int = 2000) -> PooledFigures:
    """Run the service for so long, with restarts evenly spread; then stop it, and compare mirror and account."""
    world = World(seed, jobs=jobs, in_flight=10, jobs_per_day=500)
    with (
        Postgres(fsync=True) as server,
        Bouncer(server) as bouncer,
        Simulator(world, token=KEY, page_cap=50, latency=0.05, speed=60) as simulator,
    ):
        server.create("mirror")
        program = Program(home, {**environ(simulator.url, database_url=bouncer.url("mirror")), **PACE})
        figures = _serve(program, Interrupter(simulator), _restarts(server, bouncer), seconds, server.url("mirror"))
        simulator.speed = simulator.latency = 0
        simulator.respond = None
        _judge(program, server.url("mirror"), figures)
    return figures


def _restarts(server: Postgres, bouncer: Bouncer) -> list[tuple[str, Callable[[], None]]]:
    """Database and pooler in turn, the database first and last."""
    of_server: list[tuple[str, Callable[[], None]]] = [
        (f"database, {mode}", partial(server.restart, mode)) for mode in SERVER_RESTARTS
    ]
    pooler = [("pooler", bouncer.restart)] * (len(of_server) - 1)
    return [one for one in chain.from_iterable(zip_longest(of_server, pooler)) if one is not None]


def _serve(
    program: Program,
    interrupter: Interrupter,
    restarts: list[tuple[str, Callable[[], None]]],
    seconds: float,
    url: str,
) -> PooledFigures:
    """The service, until a full sync that began after the last restart is certified."""
    figures, log = PooledFigures(), list[str]()
    with program.start("run") as process:
        assert process.stderr is not None
        reader = threading.Thread(target=log.extend, args=(process.stderr,))
        reader.start()
        try:
            for name, restart in restarts:
                time.sleep(seconds / (len(restarts) + 1))
                interrupter.ask(name, restart)
            time.sleep(seconds / (len(restarts) + 1))
            until(lambda: len(interrupter.restarted) == len(restarts))
            before = len(rows(url, "sync_runs"))
            until(lambda: any(run["certified"] for run in rows(url, "sync_runs")[before:]))
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=60)
        finally:
            process.kill()
            reader.join()
    figures.restarts = interrupter.restarted
    figures.waited = Counter(json.loads(line)["event"] for line in log)["trying again later"]
    if code:
        figures.wrong.append(f"the service ended with {code}: {log[-3:]}")
    return figures


def _judge(program: Program, url: str, figures: PooledFigures) -> None:
    """One more full sync, and what the commands find."""
    for words in (["sync"], ["verify"], ["audit"], ["db", "check"]):
        process = program.start(*words)
        said, complained = process.communicate(timeout=120)
        if process.returncode:
            figures.wrong.append(f"{' '.join(words)}: exit {process.returncode}: {said}{complained}")
    runs = rows(url, "sync_runs")
    figures.runs = Counter(f"{run['kind']} {'certified' if run['certified'] else run['outcome']}" for run in runs)
    figures.jobs = len(rows(url, "jobs"))
    figures.wrong += [f"run {run['id']} is still running" for run in runs if run["outcome"] == "running"]
