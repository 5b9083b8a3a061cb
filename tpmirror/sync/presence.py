"""Resolves the presence of the jobs that the list lacks. Absence is not deletion: finished jobs may leave this list.

A job that a certified full sync lacks is asked for by id. An answer makes it ``unlisted``; so does one of the API's
history of ended jobs, which is asked after a 404. The API's own 404 makes it ``gone``, but only between answers for
canaries, jobs known to be there (a broken key or server denies everything, another account all but a shared job), and
only up to a limit, beyond which an operator has to agree. Anything else leaves it ``missing``, to be asked for again.
``absence`` decides by the answers.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice, zip_longest
from typing import Final

from sqlalchemy import Connection

from tpmirror.db.engine import read
from tpmirror.errors import ApiError, AuthenticationError
from tpmirror.store import presence
from tpmirror.store.presence import ARCHIVED, DENIED, FOUND, UNANSWERED, PresenceResult
from tpmirror.sync.absence import FINAL, Absences, Answers, Questions, classify_all, doubt_of
from tpmirror.sync.account import PROBES
from tpmirror.sync.ingest import Ingestor
from tpmirror.sync.session import Session
from tpmirror.tensorpix.page import Page

LOOKUPS: Final = 1000
"""Most jobs asked for by id in one run, those an operator confirmed not counted."""
UNLISTED_LOOKUPS: Final = 20
"""Unlisted jobs asked for again in one run, the least recently looked up first; and gone ones, the newest first."""
MAX_SILENT: Final = 3
"""Jobs in a row without an answer after which no more are asked for in this run."""
PROBE_JOBS: Final = 3
"""Listed jobs to try before the API is taken to answer for none."""
CANARIES: Final = 2
"""Listed jobs that have to answer after a denial: one may be shared with another account, which the key opens now."""


def resolve_presence(
    opened: Session, absent: Collection[int] | None, present: Collection[int]
) -> tuple[dict[int, PresenceResult], str | None]:
    """The presence of the jobs that the list lacks, and the reason to distrust an empty list, if there is one.

    ``absent``: jobs held as listed that the list lacks; None if that is not proven: then no job is asked for.
    """
    if absent is None:
        return {}, None
    now = datetime.now(UTC)
    absences = read(opened.engine, lambda conn: _absences(conn, opened.ingestor, absent, now))
    limit = opened.settings.vanish_limit.of(len(present) + len(absent))
    questions = Questions.of(absences, limit, UNLISTED_LOOKUPS, now)
    if not questions:
        return {}, None
    answers = collect(opened.ingestor, questions, present) if present else collect_on_empty_list(opened, questions)
    return classify_all(questions, answers), doubt_of(questions, answers)


def _absences(conn: Connection, ingestor: Ingestor, absent: Collection[int], now: datetime) -> Absences:
    """The stored rows of jobs that the list lacks, without those that a page of this run showed."""
    away = {job_id: where for job_id, where in presence.not_listed(conn).items() if not ingestor.lists(job_id)}
    gone = presence.gone_since(conn, now - FINAL)
    return Absences(
        listed=absent,
        missing=[job_id for job_id, where in away.items() if where == "missing"],
        unlisted=[job_id for job_id, where in away.items() if where == "unlisted"],
        gone={job_id: at for job_id, at in gone.items() if job_id in away},
        notes=presence.notes(conn),
    )


def collect(ingestor: Ingestor, questions: Questions, present: Collection[int]) -> Answers:
    """Ask for the jobs, within the limits, between answers for listed jobs."""
    answers = Answers()
    if probe_answers(ingestor, present):
        _ask_all(ingestor, questions, answers, lambda: probe_answers(ingestor, present, CANARIES))
    return answers


def collect_on_empty_list(opened: Session, questions: Questions) -> Answers:
    """Ask for jobs by id where the list is empty: a known job that answers by id vouches for the denials.

    If no known job answers, those that an operator confirmed are asked for between two empty lists.
    """
    ingestor, answers = opened.ingestor, Answers(is_silent=False)
    flying = _in_flight(opened)
    known = {*questions.first, *questions.others, *questions.rest} - questions.unanswerable

    def likelihood(job_id: int) -> tuple[bool, bool, bool, int]:
        # Answers of before count more than age: of an account whose other jobs were all deleted one may be left.
        before = questions.before.get(job_id)
        return job_id in flying, before in {FOUND, ARCHIVED}, before != DENIED, job_id

    likeliest = sorted(known, key=likelihood, reverse=True)
    _ask(ingestor, spread(likeliest, PROBES), answers, lambda: bool(answers.shown()))
    if not answers.shown():
        _ask(ingestor, (job_id for job_id in questions.first if job_id not in answers.by_job), answers)
    if not (shown := answers.shown()):
        answers.is_shown = False
        answers.is_trusted = bool(questions.first) and _is_empty(opened.api.page(opened.settings.page_size, 0))
        return answers
    answers.by_job = {job_id: answers.by_job[job_id] for job_id in shown}  # jobs denied before that are asked again
    if not _refuting(opened, questions, answers):
        _ask_all(
            ingestor,
            questions,
            answers,
            lambda: any(_look_up(ingestor, job_id) in {FOUND, ARCHIVED} for job_id in shown),
        )
    answers.in_flight = _refuting(opened, questions, answers)
    return answers


def spread(ids: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of these ids, in turn from the front and from all over the rest. Pure.

    Neither the newest jobs, which may all be deleted, nor a few jobs that never answer must stand for all.
    """
    front, rest = ids[: most // 2], ids[most // 2 :]
    others = rest[:: max(1, -(-len(rest) // (most - most // 2)))]
    return [job_id for pair in zip_longest(front, others) for job_id in pair if job_id is not None]


def _refuting(opened: Session, questions: Questions, answers: Answers) -> set[int]:
    """Jobs held as listed that answered as in flight by id; the history has only ended jobs."""
    found = {job_id for job_id in questions.listed if answers.answer(job_id) == FOUND}
    return found & _in_flight(opened) if found else found


def _in_flight(opened: Session) -> set[int]:
    return set(read(opened.engine, presence.in_flight_ids))


def _is_empty(page: Page) -> bool:
    """Whether a page is the whole of an empty list, by each of its signs."""
    return page.is_last and page.listing.count == len(page.listing) == 0


def _ask_all(ingestor: Ingestor, questions: Questions, answers: Answers, canaries_answer: Callable[[], bool]) -> None:
    """Ask for all jobs but those that have answered; a denial counts only if the canaries answer afterwards."""
    answers.is_trusted, answers.is_silent = True, False
    left = [job_id for job_id in questions.others if job_id not in answers.by_job]
    _ask(ingestor, (job_id for job_id in questions.first if job_id not in answers.by_job), answers)
    _ask(ingestor, left[:LOOKUPS], answers, lambda: answers.is_enough(questions))
    _ask(ingestor, questions.again, answers)
    if any(answer == DENIED for answer, _ in answers.by_job.values()) and not canaries_answer():
        answers.is_trusted, answers.is_silent = False, True


def probe_answers(ingestor: Ingestor, present: Collection[int], needed: int = 1) -> bool:
    """Whether the API still answers for so many of the newest jobs on the list, or for all of a shorter list."""
    tried = sorted(present, reverse=True)[: needed - 1 + PROBE_JOBS]
    answering = (job_id for job_id in tried if _look_up(ingestor, job_id) == FOUND)
    return len(list(islice(answering, needed))) == min(needed, len(present))


def _ask(
    ingestor: Ingestor, ids: Iterable[int], answers: Answers, is_enough: Callable[[], bool] = lambda: False
) -> None:
    """Ask one by one, until there are enough answers or the API stops answering."""
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
    """The API's answer for a job. Raises AuthenticationError: with a refused key no answer means anything."""
    try:
        if ingestor.job(job_id):
            return FOUND
        return ARCHIVED if ingestor.api.in_history(job_id) else DENIED
    except AuthenticationError:
        raise
    except ApiError:
        return UNANSWERED
