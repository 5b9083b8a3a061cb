"""A bench for single faults: an account that only moves between two runs, and runs that are hit at a given touch."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from random import Random
from typing import Any, Final, Self, TypeAlias

from sqlalchemy import Engine, select

from tests.support.account import KEY
from tests.support.mover import Mover
from tests.support.simulation.disk import Disk
from tests.support.simulation.machine import Machine, Process
from tests.support.simulation.network import Network, Wire
from tpmirror.config import Settings, load
from tpmirror.db import schema
from tpmirror.db.engine import open_engine
from tpmirror.simulator.api import Backend
from tpmirror.simulator.world import World
from tpmirror.sync.full import sync
from tpmirror.tensorpix.client import Api

TIMES: Final = ("first_seen_at", "changed_at", "gone_at", "input_video_detached_at", "output_video_detached_at")
Work: TypeAlias = Callable[[Settings], Any]
UNTIMED: Final = ("jobs", "input_videos", "output_videos", "ml_models", "job_ml_models")


class Lab:
    """A small account, and a machine on which a run can be hit at a touch. Use as a context manager."""

    def __init__(self) -> None:
        self.world = World(seed=8, jobs=5, days=1, in_flight=2, jobs_per_day=0)
        self.move = Mover(self.world)
        self.backend = backend = Backend(self.world, token=KEY, page_cap=3, gzip=False, resign=False)
        rng = Random(8)
        self.machine = Machine(rng, lambda _seconds: None)
        self.disk = Disk(self.machine, rng, lambda: None)
        self.network = Network(self.machine, backend, backend, rng, lambda: None, lambda: None, lies=False)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.engine = cache(self._open)
        self._stack.enter_context(self.machine.installed(partial(Api, transport=Wire(self.network)), self.engine))
        self._stack.enter_context(self.disk.installed())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, url: str, *, read_only: bool = False) -> Engine:
        engine = open_engine(url, read_only=read_only)
        self._stack.callback(engine.dispose)
        return engine

    def happen(self) -> None:
        """A job comes, one ends, one goes."""
        for verb in ("submit", "finish", "delete"):
            self.move(verb, 0)

    def start(
        self, url: str, *, work: Work = sync, host: str = "host", after: float = 0, doom: int | None = None
    ) -> Process:
        """A sync, or other work, that begins when the machine runs."""
        variables = {"API_URL": "http://127.0.0.1:1", "API_KEY": KEY, "DATABASE_URL": url, "MAX_RPS": "0"}
        settings = load({f"TPMIRROR_{name}": value for name, value in variables.items()})
        return self.machine.start(lambda: work(settings), host=host, after=after, doom=doom)

    def sync(self, url: str, *, work: Work = sync, doom: int | None = None, strike: int | None = None) -> Process:
        """One sync, from start to end; ``doom`` is the touch that kills it, ``strike`` one that goes wrong."""
        process = self.start(url, work=work, doom=doom)
        process.strike = strike
        self.machine.run()
        self.network.notes.clear()
        return process


def story(engine: Engine) -> dict[str, Any]:
    """What a mirror tells, but for the times at which it learnt it."""
    told: dict[str, Any] = {}
    with engine.connect() as conn:
        for name in UNTIMED:
            table = schema.metadata.tables[name]
            columns = [column for column in table.columns if column.name not in TIMES]
            told[name] = [tuple(row) for row in conn.execute(select(*columns).order_by(*table.primary_key))]
        history, changes = schema.job_status_history.c, schema.field_changes.c
        steps = select(history.job_id, history.seq, history.from_status, history.to_status)
        told["history"] = [tuple(row) for row in conn.execute(steps.order_by(history.job_id, history.seq))]
        changed = select(changes.entity, changes.entity_id, changes.field, changes.old_value, changes.new_value)
        told["changes"] = Counter(tuple(row) for row in conn.execute(changed))
    return told
