"""A witness at a simulator's side: it notes what was listed and what each answer showed, and lets a judge decide."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import text

from tests.support.account import connected, rows
from tests.support.judge import Judge
from tests.support.notes import Note, Recorder
from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


@dataclass(eq=False)
class Witness:
    """Watches a simulator.

    ``between`` is what happens between counting and reading a page; ``distort`` makes of an answer what is sent.
    ``strict``: every status that an answer showed has to be in the history, as of a client that asks one by one.
    """

    sim: Simulator
    between: Callable[[World], object] | None = None
    distort: Callable[[Request, Response], Response] | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        self.world = self.sim.world
        self.judge = Judge(self.world)
        self._recorder = Recorder(self.sim, lambda world: self.between and self.between(world))
        self._judged = 0
        self._recorder.learn = self.judge.learn
        self.sim.respond = self.respond

    @property
    def served(self) -> list[Note]:
        """Every answer so far."""
        return self._recorder.notes

    def respond(self, request: Request) -> Response:
        """Answer as the account would, and note it."""
        with self.world.lock:
            note, answer = self._recorder.ask(request, self._answer)
            note.at = datetime.now(UTC)
        return answer

    def _answer(self, request: Request) -> Response:
        answer = self.sim.answer(request)
        return self.distort(request, answer) if self.distort else answer

    def verdict(self, database_url: str, run: Row) -> list[str]:
        """Everything that the mirror claims and the notes deny, in words. To be asked after each run."""
        news, self._judged = self.served[self._judged :], len(self.served)
        self.judge.see(news, strict=self.strict)
        return list(self.judge.verdict(partial(read, database_url), run, news, strict=self.strict))

    def unsettled(self, database_url: str, run: Row) -> list[str]:
        """What is wrong after a run while nothing moves: whether it is certified, and what is in quarantine."""
        return list(self.judge.unsettled(partial(read, database_url), run, self._recorder.listed))

    def differences(self, database_url: str) -> list[str]:
        """Where mirror and account differ. Empty when nothing moves any more."""
        return list(self.judge.differences(partial(rows, database_url), self._recorder.listed))


def read(database_url: str, table: str, **equal: object) -> list[Row]:
    """Rows of a table with these values, or those of a view."""
    if table in schema.metadata.tables:
        return rows(database_url, table, **equal)
    with connected(database_url) as conn:
        return [dict(row) for row in conn.execute(text(f"SELECT * FROM {table}")).mappings()]
