"""The computer of a simulation: virtual time, and processes that take turns at each request and each sleep.

Everything runs in one thread. A process and each of its workers is a greenlet; whoever waits hands over to the one that
is due next, and time jumps there. So a month passes in seconds, and the same seed gives the same month.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial, partialmethod
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import greenlet
from tenacity import Retrying

from tpmirror.db import engine, lease
from tpmirror.errors import ApiError
from tpmirror.simulator.world import START
from tpmirror.sync import account, full, gone, ingest, paging, presence, quarantine, retention, run, session
from tpmirror.tensorpix import client as tensorpix_client
from tpmirror.tensorpix import transport

MICRO: Final = 1_000_000
STANDSTILL: Final = 100_000
"""Turns at one moment after which nobody lets time go on any more."""
TELL_THE_TIME: Final = (tensorpix_client, engine, presence, run, account, session, full, gone, quarantine, retention)
"""The modules of the package that ask what time it is."""


class Killed(BaseException):
    """This process is dead: nothing of it may have any effect any more."""


class Process:
    """One run of the program on a host. ``doom``: the touch of the outside world that it does not survive."""

    def __init__(self, number: int, host: str, doom: int | None) -> None:
        self.number = number
        self.host = host
        self.doom = doom
        self.strike: int | None = None
        """The touch that goes wrong, and is survived."""
        self.touches = 0
        self.probes = False
        """Whether it began without a database: then its first answer only tells that the key is good."""
        self.dead = False
        self.over = False
        self.result: Any = None
        self.error: BaseException | None = None


class Task(greenlet.greenlet):  # type: ignore[misc]
    """A greenlet of a process."""

    process: Process


class Machine:
    """Time, and whose turn it is. ``passes`` is told of every step of the clock, in seconds."""

    def __init__(self, rng: Random, passes: Callable[[float], object]) -> None:
        self.rng = rng
        self.micros = 0
        self.skew = timedelta()
        self._passes = passes
        self._hub = greenlet.getcurrent()
        self._numbers, self._order = count(1), count()
        self._due: list[tuple[int, int, Task]] = []
        self._waiting: list[Task] = []

    # Time

    @property
    def now(self) -> datetime:
        """What the clock on the wall shows, right or wrong."""
        return self.true_now + self.skew

    @property
    def true_now(self) -> datetime:
        """What a right clock shows."""
        return START + timedelta(microseconds=self.micros)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.micros / MICRO

    def sleep(self, seconds: float) -> None:
        """Let others go on for so long."""
        task = self.task()
        # What is shorter than the clock can show takes time too: somebody may sleep until a moment that is so close.
        micros = max(1, round(seconds * MICRO)) if seconds > 0 else 0
        if task is None:
            self._advance(self.micros + micros)
            return
        self._wake(task, micros)
        self._yield(task)

    def _advance(self, micros: int) -> None:
        if micros > self.micros:
            self._passes((micros - self.micros) / MICRO)
            self.micros = micros

    # Processes

    def start(
        self,
        work: Callable[[], Any],
        *,
        host: str = "host",
        after: float = 0,
        doom: int | None = None,
        then: Callable[[Process], object] = lambda _: None,
    ) -> Process:
        """A process that does ``work`` some seconds from now; ``then`` is told when it is over."""
        process = Process(next(self._numbers), host, doom)

        def live() -> None:
            try:
                process.result = work()
            except BaseException as error:  # noqa: BLE001 - whatever ended it is for the judge
                process.error = error
            process.over = True
            then(process)

        self._spawn(process, live, after)
        return process

    def _spawn(self, process: Process, work: Callable[[], object], after: float = 0) -> None:
        task = Task(work, self._hub)
        task.process = process
        self._wake(task, round(after * MICRO))

    def run(self) -> None:
        """Until nobody has anything to do."""
        turns = 0
        while self._due:
            micros, _, task = heapq.heappop(self._due)
            turns = 0 if micros > self.micros else turns + 1
            assert turns < STANDSTILL, "time stands still: somebody takes turns for ever"
            self._advance(micros)
            task.switch()
        assert not self._waiting, "somebody waits for nothing"

    def task(self) -> Task | None:
        """The task whose turn it is; None outside of all processes."""
        current = greenlet.getcurrent()
        return current if isinstance(current, Task) else None

    @property
    def process(self) -> Process | None:
        """The process whose turn it is."""
        task = self.task()
        return task.process if task else None

    def touch(self) -> None:
        """The process reaches for the outside world: nobody dies between two of these."""
        process = self.process
        if process is None:
            return
        process.touches += 1
        if process.touches == process.doom:
            process.dead = True
            self.stir(process)
        if process.dead:
            raise Killed

    def stir(self, process: Process) -> None:
        """Let the tasks of a process that wait for one another look again."""
        for task in [task for task in self._waiting if task.process is process]:
            self._waiting.remove(task)
            self._wake(task)

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Until another task of the same process made it so."""
        task = self.task()
        while not done():
            assert task is not None, "nobody is left who could do it"
            self._waiting.append(task)
            self._yield(task)

    def _wake(self, task: Task, micros: int = 0) -> None:
        heapq.heappush(self._due, (self.micros + micros, next(self._order), task))

    def _yield(self, task: Task) -> None:
        self._hub.switch()
        if task.process.dead:
            raise Killed

    # What the package sees of it

    @contextmanager
    def installed(self, api_of: Callable[..., Any], engine_of: Callable[..., Any]) -> Iterator[None]:
        """The package lives on this machine. Each name must be there: a package that tells time otherwise fails."""
        workers = partial(Workers, self)
        lend: dict[Any, dict[str, Any]] = {
            session: {"Api": api_of, "_Fetchers": workers, "ThreadPoolExecutor": workers},
            paging: {"wait": self.wait},
            ingest: {"wait": self.wait},
            engine: {"open_engine": engine_of, "Retrying": partial(Retrying, sleep=self.sleep)},
            lease: {"_machine": self._host, "secrets": SimpleNamespace(token_hex=self._token)},
            run: {"time": SimpleNamespace(monotonic=self.monotonic)},
            transport: {"time": SimpleNamespace(monotonic=self.monotonic)},
            tensorpix_client: {
                "Deadline": _deadlines(self),
                "secrets": SimpleNamespace(token_hex=self._token),
                "time": SimpleNamespace(monotonic=self.monotonic),
                "random": SimpleNamespace(random=self.rng.random),
            },
        }
        with _patches() as lent:
            for module, names in lend.items():
                for name, value in names.items():
                    lent(module, name, value)
            for module in TELL_THE_TIME:
                lent(module, "datetime", _clocked(self))
            lent(tensorpix_client.Api, "_sleep", partialmethod(_sleep_open, self))
            yield

    def _host(self) -> str:
        return f"{self.process.host if self.process else 'judge'} boot namespace"

    def _token(self, _size: int) -> str:
        return f"{self.process.number if self.process else 0:08d}"

    def wait(
        self, futures: Iterable["Promise"], _timeout: float | None = None, return_when: str = ALL_COMPLETED
    ) -> Any:
        """``concurrent.futures.wait``."""
        futures = set(futures)
        enough = all if return_when == ALL_COMPLETED else any
        self.wait_for(lambda: enough(future.done() for future in futures))
        return {future for future in futures if future.done()}, {future for future in futures if not future.done()}


class Promise(Future[Any]):
    """A future whose waiters hand over their turn."""

    def __init__(self, machine: Machine, process: Process) -> None:
        super().__init__()
        self._machine = machine
        self.add_done_callback(lambda _: machine.stir(process))

    def result(self, timeout: float | None = None) -> Any:  # noqa: ARG002 - virtual time
        self._machine.wait_for(self.done)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:  # noqa: ARG002 - virtual time
        self._machine.wait_for(self.done)
        return super().exception(0)


class Workers(Executor):
    """``ThreadPoolExecutor``, with tasks of the machine in place of threads."""

    def __init__(self, machine: Machine, most: int) -> None:
        process = machine.process
        assert process is not None
        self._machine, self._process, self._most = machine, process, most
        self._busy = 0
        self._todo: deque[tuple[Promise, Callable[[], Any]]] = deque()

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Promise:
        promise = Promise(self._machine, self._process)
        self._todo.append((promise, partial(work, *args, **options)))
        if self._busy < self._most:
            self._busy += 1
            self._machine._spawn(self._process, self._serve)
        return promise

    def _serve(self) -> None:
        while self._todo:
            promise, work = self._todo.popleft()
            if promise.set_running_or_notify_cancel():
                try:
                    promise.set_result(work())
                except BaseException as error:  # noqa: BLE001 - as a thread's future does
                    promise.set_exception(error)
        self._busy -= 1
        self._machine.stir(self._process)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - the executor's own
        """The dead wait for nobody."""
        if not self._process.dead:
            self._machine.wait_for(lambda: self._busy == 0)


def _sleep_open(client: Any, machine: Machine, seconds: float) -> None:
    """``Api._sleep``: a client that is closed meanwhile gives up."""
    while True:
        machine.sleep(min(seconds, tensorpix_client.NAP))
        if client._closing.is_set():
            raise ApiError("interrupted")
        client._control.on_wait()
        seconds -= tensorpix_client.NAP
        if seconds <= 0:
            return


def _deadlines(machine: Machine) -> type:
    """``Deadline``, which each thread has for itself, for each task: they all live in one thread."""

    class PerTask(transport.Deadline):
        @property
        def at(self) -> float:
            return getattr(machine.task(), "deadline", float("inf"))

        @at.setter
        def at(self, moment: float) -> None:
            vars(machine.task())["deadline"] = moment

    return PerTask


@contextmanager
def _patches() -> Iterator[Callable[[Any, str, Any], None]]:
    """Lend names to modules until the end."""
    lent: list[Any] = []

    def lend(owner: Any, name: str, value: Any) -> None:
        lent.append(patch.object(owner, name, value))
        lent[-1].start()

    try:
        yield lend
    finally:
        for one in reversed(lent):
            one.stop()


def _clocked(machine: Machine) -> type:
    """``datetime`` that tells the machine's time, and is the real one in all else."""

    class Kind(type):
        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, datetime)

        def __getattr__(cls, name: str) -> Any:
            return getattr(datetime, name)

    class Clocked(metaclass=Kind):
        @staticmethod
        def now(tz: Any = UTC) -> datetime:
            return machine.now.astimezone(tz)

    return Clocked
