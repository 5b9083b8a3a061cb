"""From answers to batches: checks the account, resolves repeated jobs, notes the reasons that void a proof.

The batches go to a sink: a run stores them, a dry run compares them.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from datetime import datetime
from typing import Final, NamedTuple, Protocol, TypeAlias

from sqlalchemy import Engine

from tpmirror.db.engine import read
from tpmirror.errors import AuthenticationError, JobUnavailable
from tpmirror.store import account
from tpmirror.store.account import Mark
from tpmirror.store.changes import Observation
from tpmirror.store.jobs import fingerprints
from tpmirror.sync.account import PROBES, Scope, claims_of, foreign_account, news_of, unvouched
from tpmirror.sync.stats import Reading
from tpmirror.tensorpix.client import Api, ApiResponse
from tpmirror.tensorpix.decode import ParsedJob, ParseFailure, RawJob
from tpmirror.tensorpix.page import Page, ids_of

Failures: TypeAlias = Sequence[tuple[ParseFailure, datetime]]
"""Items that cannot be read, each with the time of its answer."""


class PassProgress(NamedTuple):
    """How far the run has read the list."""

    number: int
    """The pass that is under way, from 1 on."""
    passes: int
    """Passes that the run takes, as far as known."""
    rows: int
    """Rows read in this pass."""
    expected: int
    """Rows that the pass has to read, as far as known."""


Progress: TypeAlias = Callable[[PassProgress], None]
"""Called after each batch."""

MAX_UNANSWERED: Final = 10
"""Jobs in a row without an answer after which a poll asks for no more: fewer may be jobs that the API fails on."""


class ShownPage(NamedTuple):
    """A page and its items; an item with a known fingerprint is not decoded."""

    page: Page
    readable: Sequence[RawJob | ParsedJob]
    """In order: items with a known fingerprint, not decoded, and those that are new or changed."""
    failures: Sequence[ParseFailure]
    """Items that cannot be read."""

    @property
    def ids(self) -> list[int]:
        """The jobs on the page; unlike ``ids_of`` without an id that its item states twice."""
        return [item.id for item in (*self.readable, *self.failures) if item.id is not None]

    @property
    def parsed(self) -> list[ParsedJob]:
        """Items that are new or changed."""
        return [item for item in self.readable if isinstance(item, ParsedJob)]


Found: TypeAlias = tuple[ParsedJob | ParseFailure | None, ApiResponse]
"""A job by its id, None if there is none, and the answer it came in."""


class Sink(Protocol):
    """Where batches go: ``run.Run`` stores them, ``dryrun.DryRun`` compares them."""

    def fingerprints(self, ids: Collection[int]) -> dict[int, str]:
        """By job, the fingerprint of its last payload; an item with the fingerprint of its job is not decoded."""

    def store(self, observations: Sequence[Observation], failures: Failures, reading: Reading) -> None:
        """Take a batch of distinct jobs, and what the run has read so far."""


class Ingestor:
    """Takes in every answer of the API during a run."""

    def __init__(self, api: Api, engine: Engine, scope: Scope, sink: Sink, progress: Progress) -> None:
        self.api, self.engine, self.scope, self.sink = api, engine, scope, sink
        self.answered: dict[int, int] = {}
        """By readable job that an answer showed, the number at which the answer that is mirrored was complete."""
        self._moments: dict[int, datetime] = {}
        """When an answer was complete, by that number."""
        self.unread: set[int] = set()
        """Jobs of which an item cannot be read."""
        self.void_reasons: list[str] = []
        """Reasons why this run can prove nothing."""
        self.passes_ahead = 1
        """Passes over the whole list that the run takes, as far as known; the progress is measured by them."""
        self._progress = progress
        self._pass = 1
        self._pass_rows = self._pages = 0
        self._upstream_count = 0
        self._where: dict[int, str] = {}
        """By job that an answer showed, readable or not: ``listed`` by a page, ``unlisted`` by an answer for its id."""

    def has_seen(self, job_id: int, since: int = 0) -> bool:
        """Whether an answer of this run, complete after the number ``since``, showed the job."""
        return self.answered.get(job_id, 0) > since

    def lists(self, job_id: int) -> bool:
        """Whether a page of this run showed the job: an answer by id does not show that it is listed."""
        return self._where.get(job_id) == "listed"

    def listed(self) -> set[int]:
        """Every job that a page of this run showed."""
        return {job_id for job_id, where in self._where.items() if where == "listed"}

    def begin_pass(self, number: int) -> None:
        """Begin the progress of another pass at row 0. The first page of the run belongs to the first pass."""
        if number > self._pass:
            self._pass, self._pass_rows = number, 0

    def pages(self, arrived: Sequence[Page]) -> None:
        """Mirror some pages. Raises ScopeError before anything of them is written, if one is of another account."""
        known = self.sink.fingerprints({job_id for page in arrived for job_id in ids_of(page)})
        shown = _decode(sorted(arrived, key=lambda page: page.sent), known)
        for each in shown:
            self._check_account(each)
            self._note(each)
        self._moments.update((page.received, page.at) for page in arrived)
        (*earlier, last), newest = latest(shown, self.answered, known, self._moments)
        self.answered.update(newest)
        for batch in earlier:
            self._store(batch)
        self._store(last, [(item, page.at) for page, _, failures in shown for item in failures])
        # Only after the store: a job that could not be stored as shown must not count as returned. Else earlier runs
        # that did not ask for it while it was away would vouch for its old status.
        for each in shown:
            self._where.update(dict.fromkeys(each.ids, "listed"))
        count = max((page.listing.count for page in arrived), default=0)
        self._pass_rows = min(count, self._pass_rows + sum(len(page.listing) for page in arrived))
        self._progress(PassProgress(self._pass, max(self._pass, self.passes_ahead), self._pass_rows, count))

    def job(self, job_id: int) -> bool:
        """Ask for a job by id and mirror the answer; False if the API says that there is none."""
        found, answer = self.api.job(job_id)
        self._mirror([(found, answer)])
        return found is not None

    def jobs(self, ids: Sequence[int], executor: Executor) -> None:
        """Ask for jobs by id, several at once, and mirror the answers together; denied jobs stay as they are.

        Raises the first ApiError but JobUnavailable, after all answers are mirrored. Asks for no more jobs once the key
        is refused, or once ``MAX_UNANSWERED`` in a row had no answer.
        """
        # Random order: jobs that the API fails on must not always come before the others.
        waiting = [executor.submit(self.api.job, job_id) for job_id in random.sample(ids, len(ids))]
        pending, failures = set(waiting), 0
        while pending and failures < MAX_UNANSWERED:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            errors = [
                error for future in done if (error := future.exception()) and not isinstance(error, JobUnavailable)
            ]
            failures = failures + len(errors) if len(errors) == len(done) else 0
            if any(isinstance(error, AuthenticationError) for error in errors):
                break
        wait([future for future in pending if not future.cancel()])
        asked = [future for future in waiting if not future.cancelled()]
        self._mirror([future.result() for future in asked if future.exception() is None])
        for future in asked:
            if not isinstance(future.exception(), JobUnavailable):
                future.result()

    def check_account(self, page: Page) -> None:
        """Check the account of a page that is not mirrored. Raises ScopeError if the page is of another account."""
        known = self.sink.fingerprints(set(ids_of(page)))
        for shown in _decode([page], known):
            self._check_account(shown)

    def _mirror(self, found: Sequence[Found]) -> None:
        """Mirror answers to requests for jobs by id."""
        shown = [(item, answer) for item, answer in found if isinstance(item, ParsedJob)]
        before = {item.id: self._moments.get(self.answered.get(item.id, -1)) for item, _ in shown}
        self._moments.update((answer.received, answer.at) for _, answer in shown)
        self.answered.update({item.id: answer.received for item, answer in shown})
        known = self.sink.fingerprints([item.id for item, _ in shown])
        changed = [(item, answer) for item, answer in shown if known.get(item.id) != item.fingerprint]
        observations = [
            Observation(item, answer.at, answer.sent, answer.received, before[item.id]) for item, answer in changed
        ]
        self._store(observations, [(item, answer.at) for item, answer in found if isinstance(item, ParseFailure)])
        for item, _ in found:  # as in ``pages``: once it is stored
            if item is not None and item.id is not None:
                self._where.setdefault(item.id, "unlisted")

    def _store(self, observations: Sequence[Observation], failures: Failures = ()) -> None:
        self.unread.update(item.id for item, _ in failures if item.id is not None)
        unread = len(self.unread - self.answered.keys())
        reading = Reading(self._pages, self._upstream_count, len(self.answered), unread, self._where)
        self.sink.store(observations, failures, reading)

    def _check_account(self, shown: ShownPage) -> None:
        """Learn the owners on a page of this account. Raises ScopeError if the page is of another account."""
        read_anew: list[ParsedJob | ParseFailure] = [*shown.parsed, *shown.failures]
        claims, known = claims_of(shown.parsed), self.scope.known
        owned = {claim.job_id for claim in claims if claim.owner in known}
        unknown = [claim for claim in claims if claim.owner not in known]
        held = (
            read(self.engine, lambda conn: account.owned(conn, [claim.video for claim in unknown])) if unknown else ()
        )
        news = news_of(unknown, known, held)
        strange = unvouched(claims, known, news)
        is_plain = not strange and all(item.id in owned for item in read_anew)
        if not (is_plain or self._is_proven(shown.page, owned, strange)):
            raise foreign_account({claim.owner for claim in unknown})
        self.scope.learn(news)

    def _is_proven(self, page: Page, owned: Collection[int], strange: Collection[Mark]) -> bool:
        """Whether a page with strange owners, or with jobs that are not ``owned`` by known ones, is this account's.

        Only known jobs vouch for the page: more than half of the jobs on it, all jobs of the mirror, or one that the
        page does not show and that answers by id. A strange owner needs two known jobs, on the page or by id: one may
        be shared. Jobs without an owner need no known job beside a new job of a known owner, and the first jobs of a
        mirror need none at all.
        """
        ids = set(ids_of(page))
        known = read(self.engine, lambda conn: fingerprints(conn, ids)).keys()
        if 2 * len(known) > len(ids) or (not strange and (not ids or (ids - known).intersection(owned))):
            return True
        needed = 2 if strange else 1
        others = read(self.engine, lambda conn: account.witnesses(conn, ids, PROBES))
        if not others:
            return len(known) >= needed or read(self.engine, account.is_empty)
        found: list[Found] = []
        answering = (job_id for job_id in others if self._vouches(job_id, found))
        is_proven = any(len(known) + number >= needed for number, _ in enumerate(answering, start=1))
        if is_proven:
            self._mirror(found)  # else a status that only these answers showed would be missing in the history
        return is_proven

    def _vouches(self, job_id: int, found: list[Found]) -> bool:
        """Whether the API shows a known job by its id, in flight or in its history; the answer joins ``found``."""
        try:
            found.append(self.api.job(job_id))
            return found[-1][0] is not None or self.api.in_history(job_id)
        except JobUnavailable:
            return False

    def _note(self, shown: ShownPage) -> None:
        self._pages += 1
        self._upstream_count = shown.page.listing.count
        fingerprints = {item.id: item.fingerprint for item in shown.readable}
        self.void_reasons += [
            f"an item's id cannot be read: {item.reason}" for item in shown.failures if item.id is None
        ]
        is_repeated = len(fingerprints) < len(shown.readable)
        if is_repeated and any(fingerprints[item.id] != item.fingerprint for item in shown.readable):
            self.void_reasons.append("a page shows a job twice, differently")


def latest(
    shown: Sequence[ShownPage], answered: Mapping[int, int], known: Mapping[int, str], moments: Mapping[int, datetime]
) -> tuple[list[list[Observation]], dict[int, int]]:
    """Batches of distinct jobs, to be stored one after the other, and by job when its answer was complete. Pure.

    ``shown`` is in order of sending. Only an answer asked for after the mirrored answer (``answered``) was complete may
    overwrite it: of two under way together either may be the newer, and a guess would record a status change that never
    was; the next answer decides. A job shown in two states, one after the other, is in two batches, because each state
    is history. A job whose fingerprint is ``known`` is in none. ``moments``: when an answer was complete, by its
    number.
    """
    newest, current = dict[int, int](), dict[int, str]()
    batches: list[dict[int, Observation]] = [{}]
    for page, readable, _ in shown:
        for item in readable:
            before = newest.get(item.id, answered.get(item.id, -1))
            if before > page.sent:
                continue
            newest[item.id] = page.received
            if isinstance(item, RawJob) or current.get(item.id, known.get(item.id)) == item.fingerprint:
                continue
            if item.id in batches[-1]:
                batches.append({})
            batches[-1][item.id] = Observation(item, page.at, page.sent, page.received, moments.get(before))
            current[item.id] = item.fingerprint
    return [list(batch.values()) for batch in batches], newest


def _decode(arrived: Sequence[Page], known: Mapping[int, str]) -> list[ShownPage]:
    """Each page with its items; an item with a known fingerprint that the pages do not repeat is not decoded."""
    ids = [job_id for page in arrived for job_id in ids_of(page)]
    repeated = {job_id for job_id, times in Counter(ids).items() if times > 1} if len(set(ids)) < len(ids) else set()

    def shown(page: Page) -> ShownPage:
        readable, failures = list[RawJob | ParsedJob](), list[ParseFailure]()
        for item in page.listing.items:
            is_known = item.id not in repeated and isinstance(item, RawJob) and known.get(item.id) == item.fingerprint
            found = item if is_known or isinstance(item, ParseFailure) else item.decode()
            if isinstance(found, ParseFailure):
                failures.append(found)
            else:
                readable.append(found)
        return ShownPage(page, readable, failures)

    return list(map(shown, arrived))
