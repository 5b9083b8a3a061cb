"""What an account answered, noted at its own side: the evidence on which a judge decides about a mirror."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from tests.support.answers import Answer, answers_of
from tpmirror.simulator.api import Backend
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.world import World

Ids: TypeAlias = frozenset[int]

LIST: Final = "/api/jobs/"
DETAIL: Final = re.compile(r"/api/jobs/(\d+)/")
BY_ID: Final = re.compile(r"/api/jobs/(?:history/)?(\d+)/")
"""A job by its id: in flight, or in the history of ended jobs."""


@dataclass(slots=True, eq=False)
class Note:
    """One answer. ``counted`` and ``sliced``: what was listed when it was counted, and when its rows were read."""

    path: str
    query: dict[str, str]
    status: int
    counted: Ids
    sliced: Ids
    found: bool
    """Whether the job that was asked for by id was there in truth."""
    answers: list[Answer]
    """What it says of each job whose id can be read."""
    shown: dict[int, int | None]
    """Status by job, as the body has it first, None where it cannot be read; empty if the client cannot have taken it
    from this answer."""
    at: datetime | None = None
    """When it was made or, on a simulated machine, when it arrived; None: it did not."""
    known: Ids | None = None
    """Every job that the client knew when it was counted; None if nobody can tell."""
    client: object = None
    """Who asked."""

    @property
    def is_sample(self) -> bool:
        """Whether it was asked for its count, or for the page size in force, alone: its rows are not mirrored."""
        return self.path == LIST and (self.query.get("limit") == "1" or self.query.get("offset") == "1")


class Recorder:
    """Stands at the door of an account and notes each answer; ``between`` happens between its count and its rows."""

    def __init__(self, backend: Backend, between: Callable[[World], object]) -> None:
        self.backend = backend
        self.notes: list[Note] = []
        self._between = between
        self._sliced: Ids = frozenset()
        self.learn: Callable[[list[Answer]], object] = lambda _answers: None
        """Called with what each answer says."""
        backend.between = self._slice

    @property
    def listed(self) -> Ids:
        """What the account lists now."""
        return frozenset(self.backend.world.order("id", active_only=self.backend.active_only))

    def _slice(self, world: World) -> None:
        self._between(world)
        self._sliced = self.listed

    def ask(self, asked: Request, answer: Callable[[Request], Response]) -> tuple[Note, Response]:
        """Let the account answer, and note it."""
        counted = self._sliced = self.listed
        job = BY_ID.fullmatch(asked.path)
        found = bool(job and self.backend.world.found(int(job[1])))
        answered = answer(asked)
        answers = answers_of(items_of(asked.path, answered))
        self.learn(answers)
        shown = {answer.job_id: answer.status for answer in reversed(answers)}
        note = Note(asked.path, asked.query, answered.status, counted, self._sliced, found, answers, shown)
        self.notes.append(note)
        return note, answered


def items_of(path: str, answer: Response) -> list[Any]:
    """The jobs in an answer."""
    if answer.status != 200 or not (path == LIST or DETAIL.fullmatch(path)):
        return []
    body = json.loads(answer.body)
    return list(body["results"]) if path == LIST else [body]
