"""A witness at a simulator's side: it notes what was listed and what each answer showed, and lets a judge decide."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from tests.support.account import rows
from tests.support.judge import Judge
from tests.support.notes import Note, Recorder
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
        return list(self.judge.verdict(partial(rows, database_url), run, news))

    def differences(self, database_url: str) -> list[str]:
        """Where mirror and account differ. Empty when nothing moves any more."""
        return list(self.judge.differences(partial(rows, database_url), self._recorder.listed))
