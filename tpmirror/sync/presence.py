"""What became of the jobs that the list lacks. Absence is not deletion: finished jobs may leave this list.

A job that a certified full sync lacks is asked for by id. An answer makes it ``unlisted``. The API's own 404 makes it
``gone``, but only between two answers for a probe job, a listed job asked for again (a broken key or server denies
everything), and only up to a limit, beyond which an operator has to agree. Anything else leaves it ``missing``, to be
asked for again.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final

from tpmirror.config import VanishLimit
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import ApiError, AuthenticationError
from tpmirror.store import presence
from tpmirror.store.presence import DENIED, FOUND, HELD, RESTORED, UNANSWERED, PresenceResult
from tpmirror.sync.ingest import Ingestor

LOOKUPS: Final = 1000
"""Most jobs asked for by id in one run, those an operator confirmed not counted."""
UNLISTED_LOOKUPS: Final = 20
"""Unlisted jobs asked for again in one run, the least recently looked up first."""
MAX_SILENT: Final = 3
"""Jobs in a row without an answer after which no more are asked for in this run."""
CANARIES: Final = 3
"""Listed jobs to try before the API is taken to answer for none."""


def resolve_presence(
    ingestor: Ingestor, limit: VanishLimit, absent: Collection[int] | None, present: Collection[int]
) -> dict[int, PresenceResult]:
    """Where the jobs are that the list lacks, and those that it shows again. Without a proof, only the latter."""
    notes, elsewhere = read(ingestor.run.engine, lambda conn: (presence.notes(conn), presence.not_listed(conn)))
    lacking = set(absent or ())
    back = {job_id: PresenceResult("listed") for job_id in elsewhere.keys() - lacking if ingestor.lists(job_id)}
    if absent is None:
        return back
    lacking |= {job_id for job_id, where in elsewhere.items() if where == "missing" and job_id not in back}
    unlisted = [job_id for job_id, where in elsewhere.items() if where == "unlisted" and job_id not in back]
    inquiry = PresenceResolver(ingestor, limit.of(len(present) + len(absent)), notes, present)
    return {**back, **inquiry.ask(lacking, unlisted)}


class PresenceResolver:
    """Asks for jobs by id, within the limits."""

    def __init__(self, ingestor: Ingestor, limit: int, notes: dict[int, Row], present: Collection[int]) -> None:
        self.ingestor = ingestor
        self.limit = limit
        self.notes = notes
        self.confirmed = {job_id for job_id, row in notes.items() if row["confirmed_at"] is not None}
        self.restored = {job_id for job_id, row in notes.items() if row["answer"] == RESTORED}
        self.present = present
        self.answers: dict[int, tuple[str, datetime | None]] = {}
        self.unresponsive = False
        """Whether the API stopped answering: then those not asked have no answer either."""

    def ask(self, lacking: set[int], unlisted: list[int]) -> dict[int, PresenceResult]:
        """Where these jobs are."""
        first = sorted(lacking & self.confirmed, key=self.last_look)
        again = sorted(unlisted, key=self.last_look)[:UNLISTED_LOOKUPS]
        others = [*sorted(lacking - self.confirmed, key=self.last_look), *again]
        asked = (first or others) and self.canary_answers()
        self.unresponsive = not asked
        if asked:
            self.ask_all(first, len(first))
            self.ask_all(others, LOOKUPS)
        trusted = bool(asked) and (DENIED not in self.kinds() or self.canary_answers())
        held = len(self.denied_unconfirmed()) > self.limit
        resolved = lacking | self.answers.keys()  # an unlisted job that was not asked for stays what it is
        return {
            job_id: self.judge(job_id, trusted=trusted, held=held, lacks=job_id in lacking)
            for job_id in [*first, *others]
            if job_id in resolved
        }

    def last_look(self, job_id: int) -> tuple[datetime, int]:
        """Sort key: least recently looked up first, a lookup without an answer included."""
        note = self.notes.get(job_id)
        return ((note["looked_up_at"] if note else None) or datetime.min.replace(tzinfo=UTC), job_id)

    def ask_all(self, ids: Iterable[int], most: int) -> None:
        """Ask for jobs one by one, until the limit of denials is passed or the API stops answering."""
        failures = 0
        for job_id in list(ids)[:most]:
            if len(self.denied_unconfirmed()) > self.limit and job_id not in self.confirmed:
                return
            answer = self.look_up(job_id)
            self.answers[job_id] = (answer, datetime.now(UTC))
            failures = failures + 1 if answer == UNANSWERED else 0
            if failures == MAX_SILENT:
                self.unresponsive = True
                return

    def look_up(self, job_id: int) -> str:
        """What the API answers for a job. Raises AuthenticationError: without a key there is no sense in going on."""
        try:
            return FOUND if self.ingestor.job(job_id) else DENIED
        except AuthenticationError:
            raise
        except ApiError:
            return UNANSWERED

    def judge(self, job_id: int, *, trusted: bool, held: bool, lacks: bool) -> PresenceResult:
        """What follows for one job: one that the list lacks for a reason yet unknown, or one known to be unlisted."""
        answer, at = self.answers.get(job_id, (HELD if held else UNANSWERED if self.unresponsive else None, None))
        if answer == DENIED and not trusted:
            answer = UNANSWERED
        if answer == FOUND or (answer != DENIED and not lacks):
            return PresenceResult("unlisted", answer, at)
        may_go = job_id in self.confirmed or not (held or job_id in self.restored)
        if answer == DENIED and may_go:
            return PresenceResult("gone", answer, at)
        return PresenceResult("missing", RESTORED if job_id in self.restored else answer, at)

    def canary_answers(self) -> bool:
        """Whether the API still answers for a job that is on the list."""
        answers = (self.look_up(job_id) for job_id in sorted(self.present, reverse=True)[:CANARIES])
        return FOUND in answers

    def denied_unconfirmed(self) -> list[int]:
        """Jobs denied that no operator has confirmed or restored."""
        spoken = self.confirmed | self.restored
        return [job_id for job_id, (answer, _) in self.answers.items() if answer == DENIED and job_id not in spoken]

    def kinds(self) -> set[str]:
        """The kinds of answers so far."""
        return {answer for answer, _ in self.answers.values()}
