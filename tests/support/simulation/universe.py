"""An account, its mirror and everything that can go wrong between them, from one seed."""

import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from sqlite3 import Connection
from typing import Any, Final, Self

from sqlalchemy import Engine, event

from tests.support.judge import Judge, Memory
from tests.support.mover import NUMBERS, ODD, VERBS, WHILE_READ, Mover
from tests.support.simulation.disk import Disk
from tests.support.simulation.machine import Killed, Machine, Process
from tests.support.simulation.mirror import MirrorFile
from tests.support.simulation.network import WINDOWS, Network, Wire
from tpmirror.config import Settings, VanishLimit, load
from tpmirror.db import engine
from tpmirror.errors import TpmirrorError
from tpmirror.simulator.api import Backend
from tpmirror.simulator.oddity import ABSENT, Oddity
from tpmirror.simulator.ordering import ORDERINGS
from tpmirror.simulator.world import World
from tpmirror.store.audit import audit
from tpmirror.sync import gone, quarantine
from tpmirror.sync.full import sync
from tpmirror.sync.poll import poll
from tpmirror.sync.presence import UNLISTED_LOOKUPS
from tpmirror.sync.quarantine import Selection
from tpmirror.sync.verify import Comparison, verify
from tpmirror.tensorpix.client import Api

KEY: Final = "tpx-canary-0123456789abcdef"
STEPS: Final = 10
DAY: Final = 86_400
THERE: Final = "presence <> 'gone'"
FOREIGN: Final = 1_000_000
"""Ids of another account's jobs and videos start here."""
MOST: Final = 24
"""Jobs listed at most, so that a day is over soon."""
STRANGER: Final = 8150
"""User id of the other account: no value that a video of ours may show for its owner, or it would be one of ours."""


class Violation(AssertionError):
    """The mirror says what is not so."""


@dataclass
class Figures:
    """What a simulation went through."""

    days: int = 0
    processes: int = 0
    runs: int = 0
    certified: int = 0
    crashes: int = 0
    faults: int = 0
    jumps: int = 0
    empty: int = 0
    foreign: int = 0
    shared: int = 0
    denied: int = 0
    partial: int = 0
    stale: int = 0
    revoked: int = 0
    misled: int = 0
    """Denials of jobs that are there, by a server that seems sound."""
    archived: int = 0
    """Jobs that the history of ended jobs answered for."""
    stored: int = 0
    """Answers of a cache."""
    rewinds: int = 0
    """How often the database went back in time."""
    emptied: int = 0
    """Accounts of which all ended jobs left the list, or all jobs were deleted."""
    oddities: int = 0
    endpoints: int = 0
    unheld: int = 0
    accepted: int = 0
    mended: int = 0
    transitions: int = 0
    gone: int = 0
    requests: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name.name) + getattr(other, name.name) for name in fields(self)))

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, name.name):,} {name.name}" for name in fields(self))


class Universe:
    """One seed's world. ``live`` some days; a Violation tells how to see it again."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.path = folder / f"universe-{seed}.db"
        self.rng = Random(f"universe {seed}")
        self.figures = Figures()
        self.machine = Machine(self.rng, self._passes)
        world = World(seed, jobs=8, days=1, in_flight=3, jobs_per_day=0)
        stranger = World(seed + 1, jobs=12, owner=("other@example.com", STRANGER), jobs_per_day=0)
        for job_id in stranger.ids():
            shown = stranger.job(job_id)
            videos = {name: shown[name] for name in ("input_video", "output_video") if shown[name]}
            strange = {name: {"id": FOREIGN + video["id"]} for name, video in videos.items()}
            stranger.edit(job_id, {"id": FOREIGN + job_id, **strange})
        served: dict[str, Any] = {"token": KEY, "gzip": False, "resign": False}
        backend, other = Backend(world, **served), Backend(stranger, **served)
        self.world, self.move = world, Mover(world)
        self.disk = Disk(self.machine, self.rng, self._struck)
        self.network = Network(self.machine, backend, other, self.rng, self._struck, self._happen, self._distorted)
        self.network.is_dated = seed % 3 > 0
        self.mirror = MirrorFile(self.path)
        self._backup: tuple[Connection, Memory, set[int]] | None = None
        """The database as it was, what the judge knew then, and the jobs that were shown."""
        self._running, self._rewound = set[Process](), set[Process]()
        """Processes that run, and those whose rows may be lost since."""
        self._lost: set[int] = set()
        """Runs that were under way then."""
        self.judge = Judge(world, exact=True, lies=True, vanish_limit=VanishLimit().jobs)
        self.network.recorder.learn = self.judge.learn
        self._frozen = True
        self._alone = True
        self._settled = False
        self._window = self._jump = False
        self._bag: list[str] = []
        """Windows that are still to come before any comes again."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        state = random.getstate()
        self._stack.callback(random.setstate, state)
        logging.disable()  # thousands of runs fail, and say so
        self._stack.callback(logging.disable, logging.NOTSET)
        random.seed(self.seed)  # tenacity draws from it
        self.engine: Engine = engine.open_engine(f"sqlite:///{self.path}")
        # Of two processes that share an engine, one disposes of it while the other uses a connection of its pool.
        event.listen(self.engine, "connect", lambda connection, _: self._stack.callback(connection.close))
        self._stack.callback(self.engine.dispose)
        self._stack.callback(self.mirror.close)
        api_of = partial(Api, transport=Wire(self.network))
        self._stack.enter_context(self.machine.installed(api_of, lambda _url, **_: self.engine))
        self._stack.enter_context(self.disk.installed())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def live(self, days: int) -> Figures:
        """So many days, each with a rest at its end."""
        for _ in range(days):
            for _ in range(STEPS):
                self._step()
            self._rest()
            self.figures.days += 1
        self._check(self.mirror.secrets(KEY.encode(), b"X-Amz-Signature", b"other@example.com"))
        self.figures.runs, self.figures.certified = self.judge.counts["runs"], self.judge.counts["certified"]
        self.figures.unheld = self.judge.counts["unheld"]
        self.figures.transitions, self.figures.gone = self.judge.counts["transitions"], self.judge.counts["gone"]
        for name in (*WINDOWS, "misled", "archived", "stored"):
            setattr(self.figures, name, self.network.counts[name])
        return self.figures

    # A few hours, with everything that can go wrong

    def _step(self) -> None:
        rng, network, disk = self.rng, self.network, self.disk
        self._settle()
        with self._moving():
            backend = network.backend
            backend.ordering = rng.choice(ORDERINGS)
            backend.page_cap = rng.choice([3, 5, 8, 30])
            network.fault = rng.choice([0.1, 0.5, 0.6])
            disk.fault, disk.pause = rng.choice([0, 0.01, 0.03]), rng.choice([0, 0, 0.1])
            network.pause = disk.pause / 3
            network.odd, network.endpoint = rng.choice([0, 0.05, 0.3]), self._endpoint()
            network.cache, network.is_picky = rng.choice(["", "", "", *self._caches]), rng.random() < 0.2
            backend.history = rng.random() < 0.5
            # Or ended jobs would be nowhere, which is to be gone.
            backend.archive = backend.active_only and backend.history and rng.random() < 0.5
            self._window = self._settled and rng.random() < 0.2
            self._jump = rng.random() < 0.1 and self.seed % 2 == 0
            for verb in ["submit"] * rng.randrange(3) + [""] * rng.randrange(5):
                self._draw([verb] if verb else VERBS)
            for verb in rng.choices(["distort", "distort", "distort", "mend"], k=rng.randrange(5)):
                self._draw([verb])
            self._processes()
            self.machine.run()
        self.machine.sleep(rng.choice([60, 300, 1000, 4 * DAY / STEPS]) * rng.random())

    @property
    def _caches(self) -> list[str]:
        """What may tell of a stored answer; a clock that is behind believes any date of the first one."""
        return ["age", "date"] if self.network.is_dated and not self._jumps else ["age"]

    def _endpoint(self) -> dict[bool, list[Oddity]]:
        """For a while, the list or the answers by id show a key that the others do not, or lack one."""
        rng, key = self.rng, self.rng.choice(["codec", "cost_usd", "finished", "input_video", "ml_models", "status"])
        drawn = [Oddity((f"{rng.choice(['list', 'detail'])}_{rng.randrange(3)}",), 1), Oddity((key,), ABSENT)]
        laid = rng.sample(drawn, rng.choice([0, 1, 1, 2]))
        self.figures.endpoints += len(laid)
        return {rng.random() < 0.5: laid}

    def _processes(self) -> None:
        rng = self.rng
        many = rng.choice([1, 2, 3, 3])
        concurrency = rng.choice([1, 1, 2, 4])
        self._alone = many == 1 and concurrency == 1
        after = 0.0
        for _ in range(many):
            doom = rng.choice([None, rng.randrange(1, 60), rng.randrange(1, 60), rng.randrange(1, 160)])
            self._start(rng.choice([sync, sync, poll]), concurrency, after=after, doom=doom)
            after += rng.choice([0, rng.uniform(0, 5), rng.uniform(120, 1000)])

    def _start(self, kind: Any, concurrency: int = 1, *, after: float = 0, doom: int | None = None) -> Process:
        settings = self._settings(concurrency)
        host = self.rng.choice(["studio-1", "studio-1", "studio-2"])
        self.figures.processes += 1

        def live() -> Any:
            process.probes = not self.mirror.is_ready()
            return kind(settings)

        process = self.machine.start(live, host=host, after=after, doom=doom, then=self._over)
        self._running.add(process)
        return process

    def _settings(self, concurrency: int) -> Settings:
        wanted = {
            "API_URL": "http://127.0.0.1:1", "API_KEY": KEY, "DATABASE_URL": f"sqlite:///{self.path}",
            "MAX_RPS": "0", "PAGE_SIZE": str(self.rng.choice([4, 8, 100])), "CONCURRENCY": str(concurrency),
        }  # fmt: skip
        return load({f"TPMIRROR_{name}": value for name, value in wanted.items()})

    def _over(self, process: Process) -> None:
        self.figures.crashes += process.dead
        self._running.discard(process)
        self._settled = self._settled or isinstance(process.result, dict)
        self._check([*self._verdict(process), *self.disk.wrong], process)

    def _verdict(self, process: Process) -> Iterator[str]:
        if process.error is not None and not isinstance(process.error, (TpmirrorError, Killed)):
            yield f"process {process.number} ended with {process.error!r}"
        if not self.mirror.is_ready():
            return
        notes = [note for note in self.network.notes if note.client is process]
        run = process.result if isinstance(process.result, dict) else None
        is_whole = process not in self._rewound
        if run and is_whole and not process.probes:
            self.judge.see(notes, strict=self._alone)
        rows, honest, strict = self.mirror.rows, not self._jumps, self._alone and is_whole
        learnt = self.mirror.rows("mirror_scope", value=str(STRANGER))
        yield from (f"the owner of another account is learnt: {row}" for row in learnt)
        yield from self.judge.verdict(rows, run, notes, honest_clock=honest, strict=strict)

    @property
    def _jumps(self) -> bool:
        return self.seed % 2 == 0

    @contextmanager
    def _moving(self) -> Iterator[None]:
        self._frozen = False
        yield
        self._frozen = True
        self.network.fault = self.network.pause = self.disk.fault = self.disk.pause = 0.0
        self.network.odd, self.network.endpoint = 0.0, {}
        self.network.cache, self.network.is_picky = "", False
        self.figures.requests += len(self.network.notes)
        self.network.notes.clear()

    def _passes(self, seconds: float) -> None:
        """The account lives along."""
        self.world.advance(seconds)

    def _happen(self) -> None:
        """Something, perhaps, at a moment of the network's choice: mid-sync."""
        if self._frozen:
            return
        if self._window and self.world.listed() and self.rng.random() < 0.2:
            self._bag = self._bag or self.rng.sample([*WINDOWS], len(WINDOWS))
            self.network.open(self._bag.pop())
            self._window = False
        if self.rng.random() < 0.02:
            self._rewind_or_back_up()
        if self._jump and self.rng.random() < 0.2:
            self.machine.skew += timedelta(seconds=self.rng.uniform(-DAY, DAY))
            self._jump = False
            self.figures.jumps += 1
        if self.rng.random() < 0.1:
            self._draw((*WHILE_READ, *ODD))

    def _rewind_or_back_up(self) -> None:
        """A copy of the database is made, or the last one is put back: a crash, a replica that lagged, a restore."""
        if self._backup is None:
            if self._settled:
                self._backup = self.mirror.copy(), self.judge.memory(), {*self.network.known}
            return
        copy, memory, known = self._backup
        self._backup = None
        under_way = self._under_way()
        if self.mirror.put_back(copy):
            self.judge.remember(memory)
            self.network.known = known
            self._rewound |= self._running
            self._lost |= under_way | self._under_way()
            self.figures.rewinds += 1

    def _under_way(self) -> set[int]:
        """Runs that may go on: one that was taken for dead may hold the lease of the copy."""
        return {row["id"] for row in self.mirror.rows("sync_runs", outcome="running")}

    def _is_lost(self, finding: Mapping[str, Any]) -> bool:
        """Whether this is the loss of rows that a run had written when the database went back in time."""
        run = re.match(r"run (\d+) counts (\d+) rows of \w+, (\d+) are there", str(finding["finding"]))
        return run is not None and int(run[1]) in self._lost and int(run[3]) < int(run[2])

    def _draw(self, verbs: Sequence[str]) -> None:
        verb = self.rng.choice([verb for verb in verbs if verb != "advance"])
        if verb == "submit" and len(self.world.listed()) >= MOST:
            verb = "delete"
        if verb == "start" and self.network.backend.active_only:
            return  # a job that has ended would be listed again
        self.figures.oddities += verb == "distort"
        self.move(verb, self.rng.randrange(NUMBERS))

    def _struck(self) -> None:
        self.figures.faults += 1

    def _distorted(self) -> None:
        self.figures.oddities += 1

    def _settle(self) -> None:
        """Nobody looks: what was hidden may show again."""
        self._window = False
        self.network.close()
        self.network.backend.active_only = self._settled and self.rng.random() < 0.15
        self.network.backend.archive = False

    # A rest: nothing moves, nothing fails, and everything has to come true

    def _rest(self) -> None:
        self._settle()
        while active := self.world.listed(active_only=True):
            self.rng.choice([self.world.finish, self.world.fail])(active[0])
        self._leave_the_list()
        self.network.backend.ordering, self._alone = "-id", True
        self.machine.sleep(2 * DAY if self._jumps else DAY / 6)  # every lease is over
        unlisted = self.mirror.query("SELECT 1 FROM jobs WHERE presence = 'unlisted'") if self.mirror.is_ready() else []
        turns = 1 + len(unlisted) // UNLISTED_LOOKUPS
        for job_id, oddities in self.world.distorted().items():
            if any(one.path[0] == "input_video" for one in oddities):
                self.world.distort(job_id)  # jobs that share a video and say different things of it are never at rest
        held = self.mirror.query(f"SELECT id FROM jobs WHERE {THERE}") if self.mirror.is_ready() else []
        if self.network.backend.active_only or not any(self.world.found(row["id"]) for row in held):
            self._show_account()
        self._accept()  # a turn by itself
        for _ in range(10 + len(unlisted)):
            process = self._start(sync)
            self.machine.run()
            is_certified = process.error is None and process.result["certified"]
            # Of many jobs that are deleted a few are left: an operator lets them all go, and those are found.
            is_not_shown = process.error is None and "account not shown" in process.result["certificate"]
            let_go = self._let_go()
            if not is_certified and not (is_not_shown and let_go):
                self._check([f"a quiet account is not certified: {process.error or process.result}"], process)
            # Those it let go end in one turn more, and others are asked for in it; so are those that share a video with
            # one that is gone now.
            turns -= not (let_go or process.result["jobs_gone"])
            if turns == 0:
                break
        self._check(self.judge.differences(self.mirror.rows, self.network.recorder.listed))
        with engine.reading(self.engine) as conn:
            self._check(str(finding) for finding in audit(conn).findings if not self._is_lost(finding))
        self.machine.start(lambda: self._check(differing(verify(self._settings(1)))))
        self.machine.run()
        if self.rng.random() < 0.5:
            self._mend()
        if self.rng.random() < 0.05:
            self._empty_out()
        self.network.notes.clear()

    def _leave_the_list(self) -> None:
        """All jobs have ended: where ended ones leave the list it is empty, and still a list."""
        backend, rng = self.network.backend, self.rng
        shown = [one.path[0] for oddities in self.world.distorted().values() for one in oddities]
        # A status that cannot be read may be that of a job in flight, and none of those leaves the list.
        backend.active_only = self._settled and "status" not in shown and rng.random() < 0.3
        backend.history = rng.random() < 0.5
        backend.archive = self.judge.archives = backend.active_only and backend.history and rng.random() < 0.5
        self.figures.emptied += backend.active_only

    def _empty_out(self) -> None:
        """The owner deletes all jobs, which looks like another account until an operator says what it is."""
        for job_id in self.world.ids():
            self.world.delete(job_id)
            self.move.away.add(job_id)
            self.move.deleted.add(job_id)
        doubtful = self.mirror.query(f"SELECT 1 FROM jobs WHERE {THERE}")
        for is_certified in [not doubtful, True]:
            run = self._sync()
            wrong = bool(run["certified"]) != is_certified
            self._check([f"all jobs are deleted, and the run is not as it should be: {run}"] * wrong)
            self._let_go()
        self._check(self.judge.differences(self.mirror.rows, self.network.recorder.listed))
        self.figures.emptied += 1

    def _show_account(self) -> None:
        """Nobody can tell whose an empty list is where jobs were deleted, and the database went back to before that.

        An operator lets those go that the mirror asked for in vain, until one of the rest is asked for and answers.
        """
        while "account not shown" in (self._sync()["certificate"] or "") and self._let_go():
            pass

    def _let_go(self) -> list[int]:
        """An operator agrees that all jobs that wait may be marked gone; those jobs."""
        let_go: list[int] = self._operate(lambda: gone.confirm(self.engine, None))
        self.judge.confirm(let_go)
        return let_go

    def _accept(self) -> None:
        """One sync, which is certified if all is held; then an operator accepts what is not."""
        self._quiet_sync()
        entries = [row for row in self.mirror.rows("quarantined_jobs", resolved_at=None) if row["job_id"] is not None]
        self.figures.accepted += len(entries)
        everywhere = self.rng.random() < 0.3
        fields = {row["field"] for row in entries if row["field"]} if everywhere else set()
        for selection in [Selection(field=name) for name in sorted(fields)] + [Selection()]:
            self._operate(partial(quarantine.accept, self.engine, selection))
        self.judge.accept(entries, everywhere=everywhere)

    def _mend(self) -> None:
        """Upstream mends all, and the operator takes the word back: nothing is left in quarantine."""
        self.figures.mended += len(self.world.distorted())
        for job_id in self.world.distorted():
            self.world.distort(job_id)
        self._operate(partial(quarantine.withdraw, self.engine, Selection()))
        self.judge.withdraw()
        run, listed = self._quiet_sync(), self.network.recorder.listed
        left = [row for row in self.mirror.rows("quarantined_jobs", resolved_at=None) if row["job_id"] in listed]
        self._check([f"all is mended, and not certified: {run}"] * (not run["certified"]))
        self._check(f"all is mended, and in quarantine is {row}" for row in left)

    def _quiet_sync(self) -> Any:
        run = self._sync()
        self._check(self.judge.unsettled(self.mirror.rows, run, self.network.recorder.listed))
        return run

    def _sync(self) -> Any:
        process = self._start(sync)
        self.machine.run()
        self._check([f"a quiet sync failed: {process.error!r}"] * (process.error is not None), process)
        return process.result

    def _operate(self, work: Callable[[], Any]) -> Any:
        """What an operator does, on the machine."""
        process = self.machine.start(work)
        self.machine.run()
        self._check([f"the operator cannot: {process.error!r}"] * (process.error is not None), process)
        return process.result

    def _check(self, wrong: Any, process: Process | None = None) -> None:
        found = list(wrong)
        if found:
            where = f"day {self.figures.days + 1}" + (f", process {process.number}" if process else "")
            replay = f"python -m tests.support.simulation {self.seed} {self.figures.days + 1}"
            raise Violation("\n".join([f"seed {self.seed}, {where}; see it again: {replay}", *found[:10]]))


def differing(found: Comparison) -> list[str]:
    """What ``verify`` found that needs somebody, in words."""
    return [*map(str, found.differences), *(str(row) for row in found.not_held if not row["accepted"])]
