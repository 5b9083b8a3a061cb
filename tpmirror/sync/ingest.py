"""From answers to batches: whose they are is checked, repeated jobs are resolved, what voids a proof is noted."""

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from datetime import datetime
from typing import Final, TypeAlias

from tpmirror.db.engine import read
from tpmirror.errors import AuthenticationError, JobUnavailable
from tpmirror.store.changes import Observation
from tpmirror.store.jobs import fingerprints, newest_listed
from tpmirror.sync.run import Run
from tpmirror.tensorpix.client import Api, ApiResponse
from tpmirror.tensorpix.decode import ParsedJob, ParseFailure, RawJob
from tpmirror.tensorpix.page import Page, ids_of

Found: TypeAlias = RawJob | ParsedJob | ParseFailure
"""An item as the mirror holds it; one that is new or changed; one that cannot be read."""
Progress: TypeAlias = Callable[[int, int], None]
"""Called after each batch: rows read so far, rows to read as far as known."""

MAX_UNANSWERED: Final = 10
"""Jobs in a row without an answer after which a poll asks for no more: fewer may be jobs that the API fails on."""


class Ingestor:
    """Everything that comes in from the API during a run passes here."""

    def __init__(self, api: Api, run: Run, progress: Progress) -> None:
        self.api = api
        self.run = run
        self.void_reasons: list[str] = []
        """What voids any proof of this run."""
        self.passes_ahead = 1
        """How often the whole list is going to be read, as far as known: what the progress is measured by."""
        self._progress = progress
        self._read = 0
        self._only_by_id: set[int] = set()
        """Readable jobs that answered when asked for by id, and that no page of this run showed."""
        self._listed_unread: set[int] = set()
        """Jobs that a page of this run showed in a way that cannot be read."""
        self._answered = run.tally.answered
        """Only an answer asked for after the one that is mirrored was complete may overwrite it: of two that were under
        way at once it is not known which is newer, and a guess could record a status change that never happened. The
        next observation settles it."""

    def has_seen(self, job_id: int, since: int = 0) -> bool:
        """Whether an answer of this run showed the job, one that was complete after the number ``since``."""
        return self._answered.get(job_id, 0) > since

    def lists(self, job_id: int) -> bool:
        """Whether a page of this run showed the job: an answer by id says that it is there, no more."""
        return job_id in self._listed_unread or (job_id in self._answered and job_id not in self._only_by_id)

    def seen(self) -> set[int]:
        """Every readable job that an answer of this run showed."""
        return set(self._answered)

    def pages(self, arrived: Sequence[Page]) -> None:
        """Mirror some pages. An answer overwrites another only if it was asked for after the other was complete.

        Raises ScopeError before anything of a page of another account is written.
        """
        known = self.run.fingerprints({job_id for page in arrived for job_id in ids_of(page)})
        observations: dict[int, Observation] = {}
        unreadable: list[tuple[ParseFailure, datetime]] = []
        for page in sorted(arrived, key=lambda page: page.sent):
            found = _decode(page, known)
            self._check_account(page, found)
            self._note(page, found)
            for item in found:
                if isinstance(item, ParseFailure):
                    unreadable.append((item, page.at))
                    continue
                job_id = item.id
                self._only_by_id.discard(job_id)
                if self._answered.get(job_id, -1) > page.sent:
                    continue
                self._answered[job_id] = page.received
                if isinstance(item, RawJob):
                    continue
                if job_id in observations and observations[job_id].item.fingerprint != item.fingerprint:
                    # Both were shown, one after the other: each is history.
                    self.run.store(list(observations.values()))
                    observations.clear()
                observations[job_id] = Observation(item, page.at, page.sent, page.received)
                known[job_id] = item.fingerprint
        self.run.store(list(observations.values()), unreadable)
        self._read += sum(len(page.listing) for page in arrived)
        self._progress(self._read, self.passes_ahead * max((page.listing.count for page in arrived), default=0))

    def job(self, job_id: int) -> bool:
        """Ask for a job by id and mirror the answer; False if the API says that there is none."""
        found, answer = self.api.job(job_id)
        self._mirror([(found, answer)])
        return found is not None

    def jobs(self, ids: Sequence[int], executor: Executor) -> None:
        """Ask for jobs by id, several at once, and mirror the answers together; those denied stay as they are.

        Raises the first ApiError but JobUnavailable, after all answers are mirrored. No more are asked for once the
        key is refused, or so many in a row had no answer that the others will have none either.
        """
        # In any order: those that the API fails on must not always come before the others.
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

    def _mirror(self, found: Sequence[tuple[ParsedJob | ParseFailure | None, ApiResponse]]) -> None:
        """Answers to requests for jobs by id."""
        shown = [(item, answer) for item, answer in found if isinstance(item, ParsedJob)]
        self._only_by_id |= {item.id for item, _ in shown} - self._answered.keys()
        self._answered.update({item.id: answer.received for item, answer in shown})
        known = self.run.fingerprints([item.id for item, _ in shown])
        news = [(item, answer) for item, answer in shown if known.get(item.id) != item.fingerprint]
        observations = [Observation(item, answer.at, answer.sent, answer.received) for item, answer in news]
        self.run.store(observations, [(item, answer.at) for item, answer in found if isinstance(item, ParseFailure)])

    def check_account(self, page: Page) -> None:
        """Let a page pass that is not going to be mirrored. Raises ScopeError for one of another account."""
        self._check_account(page, _decode(page, self.run.fingerprints(set(ids_of(page)))))

    def _check_account(self, page: Page, found: Sequence[Found]) -> None:
        has_known = any(isinstance(item, RawJob) for item in found)

        def known(ids: list[int]) -> list[int]:
            if ids and has_known:
                return ids
            return read(self.run.engine, lambda conn: list(fingerprints(conn, ids)) if ids else newest_listed(conn))

        items = [item for item in found if isinstance(item, ParsedJob)]
        self.run.scope.check_account(items, ids_of(page), known, self.api.shows)

    def _note(self, page: Page, found: Sequence[Found]) -> None:
        counts = self.run.tally.counts
        counts["pages"] += 1
        counts["upstream_count"] = page.listing.count
        self._listed_unread |= {item.id for item in found if isinstance(item, ParseFailure) and item.id is not None}
        unnamed = [item for item in found if isinstance(item, ParseFailure) and item.id is None]
        self.void_reasons += [f"an item's id cannot be read: {item.reason}" for item in unnamed]
        readable = [item for item in found if not isinstance(item, ParseFailure)]
        shown = {item.id: item.fingerprint for item in readable}
        if any(shown[item.id] != item.fingerprint for item in readable):
            self.void_reasons.append("a page shows a job twice, differently")


def _decode(page: Page, known: Mapping[int, str]) -> list[Found]:
    """The items of a page, those decoded that the mirror does not know just like that, or that the page repeats."""
    ids = ids_of(page)
    if len(set(ids)) < len(ids):
        known = {}
    return [
        item.decode() if isinstance(item, RawJob) and known.get(item.id) != item.fingerprint else item
        for item in page.listing.items
    ]
