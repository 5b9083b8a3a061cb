"""Decides the presence of each job that the list lacks, or shows again. Pure: sends no request and writes no row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from tpmirror.db.types import Row
from tpmirror.store.presence import (
    ARCHIVED,
    DENIED,
    FOUND,
    HELD,
    RESTORED,
    UNANSWERABLE,
    UNANSWERED,
    PresenceResult,
)
from tpmirror.store.runs import AHEAD

DAY: Final = timedelta(days=1)
"""The time over which the vanish limit counts."""
SOON: Final = timedelta(hours=1)
"""The first lookup of a gone job is this long after the mark; each later one as long after the last as it was gone
then."""
FINAL: Final = timedelta(days=7)
"""How long after a job was marked gone its lookups end."""


def returned(away: Mapping[int, str], where: Mapping[int, str]) -> dict[int, PresenceResult]:
    """Jobs held as not listed (``away``, by job its presence) that an answer of a run showed (``where``, see Reading).

    Applies to every kind of run and every outcome: a job that an answer shows is not gone.
    """
    found = {}
    for job_id, presence in away.items():
        if where[job_id] == "listed":
            found[job_id] = PresenceResult("listed")
        elif presence in {"gone", "missing"}:
            found[job_id] = PresenceResult("unlisted", FOUND)
    return found


@dataclass(frozen=True, slots=True)
class Absences:
    """Jobs that the list lacks, as the mirror holds them, and the notes on them."""

    listed: Collection[int]
    """Held as listed; this run proved that the list lacks them."""
    missing: Collection[int]
    unlisted: Collection[int]
    gone: Mapping[int, datetime]
    """Jobs marked gone in the last days, each with the time of the mark."""
    notes: Mapping[int, Row]


@dataclass(frozen=True, slots=True)
class Questions:
    """Jobs to ask for by id, and an operator's decisions about them."""

    listed: set[int]
    """Jobs that the mirror held as listed."""
    lacking: set[int]
    """``listed`` and the missing jobs: why the list lacks them is not known; the other jobs are known to be
    unlisted."""
    first: list[int]
    """Jobs that an operator confirmed: no limit holds them back."""
    others: list[int]
    rest: list[int]
    """Unlisted jobs that are not asked for: an operator has to know of them where no answer shows the account."""
    again: list[int]
    """Jobs gone for ``FINAL`` at most whose next lookup is due: a stale answer may have marked them."""
    restored: set[int]
    unanswerable: set[int]
    """Jobs that an operator declared as never answering by id."""
    before: Mapping[int, str | None]
    """The answer noted for each job when it was last asked for."""
    marked: int
    """Jobs marked gone in the last day without an operator's confirmation."""
    limit: int
    """Most jobs that may be marked gone in a day without an operator's confirmation."""

    @classmethod
    def of(cls, absences: Absences, limit: int, most: int, now: datetime) -> "Questions":
        """The questions that follow; the least recently looked up come first, whether or not the API answered.

        ``most``: how many unlisted jobs, and how many gone jobs, to ask for again.
        """
        notes, listed = absences.notes, set(absences.listed)
        lacking = listed.union(absences.missing)
        unanswerable = _noted(notes, UNANSWERABLE)

        def last_look(job_id: int) -> tuple[bool, datetime, int]:
            # Unanswerable jobs sort last: a few of them in a row end the lookups, as if the API answered for none.
            return job_id in unanswerable, _looked_up(notes, job_id) or datetime.min.replace(tzinfo=UTC), job_id

        confirmed = {job_id for job_id, row in notes.items() if row["confirmed_at"] is not None}
        others = sorted(lacking - confirmed, key=last_look)
        unlisted = sorted({*absences.unlisted} - confirmed, key=last_look)
        again = [job_id for job_id, at in absences.gone.items() if is_due(at, _looked_up(notes, job_id), now)]
        return cls(
            listed=listed,
            lacking=lacking,
            first=sorted(lacking.union(absences.unlisted) & confirmed, key=last_look),
            others=others + unlisted[:most],
            rest=unlisted[most:],
            again=sorted(again, reverse=True)[:most],
            restored=_noted(notes, RESTORED),
            unanswerable=unanswerable,
            before={job_id: row["answer"] for job_id, row in notes.items()},
            marked=sum(-AHEAD < now - at < DAY and job_id not in confirmed for job_id, at in absences.gone.items()),
            limit=limit,
        )

    def __bool__(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.first or self.others or self.again)


def is_due(gone_at: datetime, looked_up_at: datetime | None, now: datetime) -> bool:
    """Whether to ask for a gone job again: an hour later, then after two, four, eight hours and so on, for a week.

    At once if the last lookup is dated in the future: the clock that was ahead would delay the next lookup.
    """
    last = looked_up_at or gone_at
    if last - now > AHEAD:
        return True
    return now - gone_at < FINAL and now - last >= max(SOON, last - gone_at)


def _looked_up(notes: Mapping[int, Row], job_id: int) -> datetime | None:
    return notes[job_id]["looked_up_at"] if job_id in notes else None


def _noted(notes: Mapping[int, Row], answer: str) -> set[int]:
    return {job_id for job_id, row in notes.items() if row["answer"] == answer}


@dataclass(slots=True)
class Answers:
    """The API's answers for jobs by id."""

    by_job: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    is_trusted: bool = False
    """Whether the API answered for a job known to be there, before and after the lookups: only then a denial counts."""
    is_silent: bool = True
    """Whether the API stopped answering: jobs that were not asked for then count as unanswered."""
    is_shown: bool = True
    """Whether the list, or an answer by id, showed any job of this account."""
    in_flight: Collection[int] = ()
    """Jobs held as listed that answer by id as in flight, where the list is empty."""

    def answer(self, job_id: int) -> str | None:
        """The answer for a job, None if it was not asked for; an untrusted denial is none if the account is shown."""
        answer = self.by_job[job_id][0] if job_id in self.by_job else None
        return UNANSWERED if answer == DENIED and self.is_shown and not self.is_trusted else answer

    def denied(self, questions: Questions) -> set[int]:
        """Jobs whose denial would mark them gone without an operator's confirmation."""
        asked = self.by_job.keys() - questions.restored.union(questions.first, questions.again)
        return {job_id for job_id in asked if self.answer(job_id) == DENIED}

    def shown(self) -> set[int]:
        """Jobs that the API found by id, or in its history of ended jobs."""
        return {job_id for job_id, (answer, _) in self.by_job.items() if answer in {FOUND, ARCHIVED}}

    def is_enough(self, questions: Questions) -> bool:
        """Whether the denied jobs exceed the vanish limit: no further answer can mark them gone without an operator."""
        denied = len(self.denied(questions))
        return denied > 0 and denied + questions.marked > questions.limit


def counted(questions: Questions, answers: Answers) -> int:
    """Jobs that count against the vanish limit: marked gone in the last day, or absent without an explanation.

    Unanswered jobs count too: else a server that fails after a few denials would lose a few jobs in each run.
    """
    open_ones = questions.lacking - questions.unanswerable
    silent = {job_id for job_id in open_ones if answers.answer(job_id) not in {FOUND, ARCHIVED, DENIED}}
    agreed = questions.restored.union(questions.first)
    return questions.marked + len(silent.union(answers.denied(questions)) - agreed)


def doubt_of(questions: Questions, answers: Answers) -> str | None:
    """The reason to distrust an empty list; None if there is none, and if the list is not empty.

    A list of active jobs is empty once all jobs have ended: they answer by id as ended. No list omits jobs in flight.
    """
    held = f"{len(questions.listed)}" if questions.listed else "some that the list lacked before"
    empty = f"the API lists no jobs at all, the mirror holds {held}"
    if answers.in_flight:
        return f"{empty}; job {min(answers.in_flight)} answers by its id as in flight; nothing was marked"
    is_denied = any(answers.answer(job_id) == DENIED for job_id in questions.first)
    unexplained = {*questions.others, *questions.rest} - questions.unanswerable
    if not answers.is_shown and (unexplained or (questions.first and not is_denied)):
        return f"{empty}, and none of those asked for by id answers: account not shown; nothing was marked"
    return None


def classify_all(questions: Questions, answers: Answers) -> dict[int, PresenceResult]:
    """The presence of each job; unlisted and gone jobs that were not asked for keep theirs."""
    doubt = doubt_of(questions, answers)
    if doubt and answers.is_shown:
        return {}
    is_held = not answers.is_shown or counted(questions, answers) > questions.limit
    is_asked = is_held and bool(answers.denied(questions))
    not_asked = HELD if is_asked else UNANSWERED if answers.is_silent else None
    stay = questions.listed if doubt else set()
    found = dict[int, PresenceResult]()
    for job_id in [*questions.first, *questions.others, *questions.rest, *questions.again]:
        is_open = job_id in questions.lacking or (not answers.is_shown and job_id not in questions.again)
        if is_open or job_id in answers.by_job:
            answer, at = answers.answer(job_id) or not_asked, answers.by_job.get(job_id, (None, None))[1]
            is_restored = job_id in questions.restored
            may_go = (answers.is_trusted and job_id in questions.first) or not (is_held or is_restored)
            where = "listed" if job_id in stay else held_as(job_id, questions, answers)
            found[job_id] = classify(where, answer, at, is_restored=is_restored, may_go=may_go)
    # A listed job needs a note only where an operator is asked, who has to see the unanswered jobs too.
    return {job_id: one for job_id, one in found.items() if one.presence != "listed" or is_asked}


def held_as(job_id: int, questions: Questions, answers: Answers) -> str:
    """The presence of a job that does not answer by id."""
    if job_id in questions.again:
        return "gone"
    is_denied = answers.is_shown and answers.answer(job_id) == DENIED
    return "missing" if job_id in questions.lacking or is_denied else "unlisted"


def classify(where: str, answer: str | None, at: datetime | None, *, is_restored: bool, may_go: bool) -> PresenceResult:
    """The presence of one job by the API's answer for its id; ``where`` unless the answer decides."""
    if answer in {FOUND, ARCHIVED}:
        return PresenceResult("unlisted", answer, at)
    if answer == DENIED and may_go:
        return PresenceResult("gone", answer, at)
    return PresenceResult(where, RESTORED if is_restored else answer, at)
