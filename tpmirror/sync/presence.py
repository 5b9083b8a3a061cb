"""What became of the jobs that the list lacks. Absence is not deletion: finished jobs may leave this list.

A job that a certified full sync lacks is asked for by id. An answer makes it ``unlisted``; so does one of the API's
history of ended jobs, which is asked after a 404. The API's own 404 makes it ``gone``, but only between two answers for
a probe job, a listed job asked for again (a broken key or server denies everything), and only up to a limit, beyond
which an operator has to agree. Anything else leaves it ``missing``, to be asked for again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import ApiError, AuthenticationError
from tpmirror.store import presence
from tpmirror.store.presence import ARCHIVED, DENIED, FOUND, HELD, RESTORED, UNANSWERED, PresenceResult
from tpmirror.sync.ingest import Ingestor
from tpmirror.sync.session import Session

LOOKUPS: Final = 1000
"""Most jobs asked for by id in one run, those an operator confirmed not counted."""
UNLISTED_LOOKUPS: Final = 20
"""Unlisted jobs asked for again in one run, the least recently looked up first."""
MAX_SILENT: Final = 3
"""Jobs in a row without an answer after which no more are asked for in this run."""
PROBE_JOBS: Final = 3
"""Listed jobs to try before the API is taken to answer for none."""


def resolve_presence(
    opened: Session, absent: Collection[int] | None, present: Collection[int]
) -> dict[int, PresenceResult]:
    """Where the jobs are that the list lacks. Without a proof that it lacks them nothing is asked."""
    if absent is None:
        return {}
    ingestor = opened.ingestor
    notes, elsewhere = read(opened.engine, lambda conn: (presence.notes(conn), presence.not_listed(conn)))
    away = {job_id: where for job_id, where in elsewhere.items() if not ingestor.lists(job_id)}
    lacking = {*absent, *(job_id for job_id, where in away.items() if where == "missing")}
    unlisted = {job_id for job_id, where in away.items() if where == "unlisted"}
    questions = Questions.of(notes, lacking, unlisted, opened.settings.vanish_limit.of(len(present) + len(absent)))
    return classify_all(questions, collect(ingestor, questions, present))


@dataclass(frozen=True, slots=True)
class Questions:
    """Which jobs to ask for by id, and what an operator said about them."""

    lacking: set[int]
    """Jobs that the list lacks for a reason yet unknown; the others are known to be unlisted."""
    first: list[int]
    """Jobs that an operator confirmed: no limit holds them back."""
    others: list[int]
    restored: set[int]
    limit: int
    """Most denials that may mark jobs gone without an operator."""

    @classmethod
    def of(cls, notes: Mapping[int, Row], lacking: set[int], unlisted: set[int], limit: int) -> "Questions":
        """The questions that follow from the notes; the least recently looked up come first, also without an answer."""

        def last_look(job_id: int) -> tuple[datetime, int]:
            note = notes.get(job_id)
            return ((note["looked_up_at"] if note else None) or datetime.min.replace(tzinfo=UTC), job_id)

        confirmed = {job_id for job_id, row in notes.items() if row["confirmed_at"] is not None}
        restored = {job_id for job_id, row in notes.items() if row["answer"] == RESTORED}
        again = sorted(unlisted, key=last_look)[:UNLISTED_LOOKUPS]
        first, others = sorted(lacking & confirmed, key=last_look), sorted(lacking - confirmed, key=last_look)
        return cls(lacking, first, [*others, *again], restored, limit)


@dataclass(slots=True)
class Answers:
    """What the API answered."""

    by_job: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    is_trusted: bool = False
    """Whether it answered for a listed job before and after: only then a denial counts."""
    is_silent: bool = True
    """Whether it stopped answering: then those not asked have no answer either."""

    def denied(self, questions: Questions) -> int:
        """Denials that would mark a job gone without an operator's word."""
        spoken = questions.restored.union(questions.first)
        return sum(answer == DENIED and job_id not in spoken for job_id, (answer, _) in self.by_job.items())


def collect(ingestor: Ingestor, questions: Questions, present: Collection[int]) -> Answers:
    """Ask for the jobs, within the limits, between two answers for a probe job."""
    answers = Answers()
    if not (questions.first or questions.others) or not probe_answers(ingestor, present):
        return answers
    answers.is_silent = False
    _ask(ingestor, questions.first, answers, lambda: False)
    _ask(ingestor, questions.others[:LOOKUPS], answers, lambda: answers.denied(questions) > questions.limit)
    kinds = {answer for answer, _ in answers.by_job.values()}
    answers.is_trusted = DENIED not in kinds or probe_answers(ingestor, present)
    return answers


def probe_answers(ingestor: Ingestor, present: Collection[int]) -> bool:
    """Whether the API still answers for a job that is on the list."""
    return any(_look_up(ingestor, job_id) == FOUND for job_id in sorted(present, reverse=True)[:PROBE_JOBS])


def _ask(ingestor: Ingestor, ids: Iterable[int], answers: Answers, is_enough: Callable[[], bool]) -> None:
    """Ask one by one, until there are enough denials or the API stops answering."""
    failures = 0
    for job_id in ids:
        if is_enough():
            return
        answer = _look_up(ingestor, job_id)
        answers.by_job[job_id] = (answer, datetime.now(UTC))
        failures = failures + 1 if answer == UNANSWERED else 0
        if failures == MAX_SILENT:
            answers.is_silent = True
            return


def _look_up(ingestor: Ingestor, job_id: int) -> str:
    """What the API answers for a job. Raises AuthenticationError: without a key there is no sense in going on."""
    try:
        if ingestor.job(job_id):
            return FOUND
        return ARCHIVED if ingestor.api.in_history(job_id) else DENIED
    except AuthenticationError:
        raise
    except ApiError:
        return UNANSWERED


def classify_all(questions: Questions, answers: Answers) -> dict[int, PresenceResult]:
    """Where each job is; an unlisted job that was not asked for stays what it is. Pure."""
    is_held = answers.denied(questions) > questions.limit
    not_asked = HELD if is_held else UNANSWERED if answers.is_silent else None
    confirmed, found = set(questions.first), dict[int, PresenceResult]()
    for job_id in [*questions.first, *questions.others]:
        if job_id in questions.lacking or job_id in answers.by_job:
            answer, at = answers.by_job.get(job_id, (not_asked, None))
            is_restored = job_id in questions.restored
            found[job_id] = classify(
                answer if answers.is_trusted or answer != DENIED else UNANSWERED,
                at,
                lacks=job_id in questions.lacking,
                is_restored=is_restored,
                may_go=job_id in confirmed or not (is_held or is_restored),
            )
    return found


def classify(
    answer: str | None, at: datetime | None, *, lacks: bool, is_restored: bool, may_go: bool
) -> PresenceResult:
    """Where one job is, by what the API answered for its id. Pure."""
    match answer:
        case presence.FOUND | presence.ARCHIVED:
            return PresenceResult("unlisted", answer, at)
        case presence.DENIED if may_go:
            return PresenceResult("gone", answer, at)
        case _ if lacks or answer == DENIED:
            return PresenceResult("missing", RESTORED if is_restored else answer, at)
        case _:
            return PresenceResult("unlisted", answer, at)
