"""The full sync: fetch every page, mirror it as it arrives, and prove that nothing was missed.

``full_sync`` is the algorithm. ``ListReader`` reads the list, mirrors it and records when each job was seen;
``certify`` has the argument of the proof. Rows are committed as they arrive in every case; only "certified", and the
presence of absent jobs, wait for the verdict.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import ApiError, AuthenticationError
from tpmirror.log import logger
from tpmirror.store import jobs, quarantine, runs
from tpmirror.sync.certify import Count, SeenLog, Verdict, doubted, judge, judge_page, proof_of
from tpmirror.sync.ingest import Progress
from tpmirror.sync.paging import Segment, affordable_overlap, pages, segments
from tpmirror.sync.poll import refresh
from tpmirror.sync.presence import resolve_presence
from tpmirror.sync.retention import remove_old
from tpmirror.sync.run import RunResult
from tpmirror.sync.session import Session, quiet, session
from tpmirror.tensorpix.control import Control
from tpmirror.tensorpix.page import Page, ascends, ids_of

log: Final = logger(__name__)
RECENT: Final = timedelta(days=1)
"""How old the last certified full sync may be for the mirror to stand for the first pass."""
PASSES: Final = 8
"""Passes over the list after which a run gives up on the proof until the next one."""
MAX_COUNTS: Final = 6
"""How often to re-read the count before starting another pass anyway."""
MAX_NEWS: Final = 10
"""Pages to read one after the other in search of new jobs before a pass."""


def sync(
    settings: Settings, *, certify: bool = True, progress: Progress = quiet, control: Control | None = None
) -> Row:
    """Do one full sync; the finished row of ``sync_runs``. Migrates the database if needed.

    Raises TpmirrorError; whatever arrived before that is mirrored, and the run is closed with the error.
    """
    with session(settings, "full", progress, control) as (opened, run):
        row = run.finish(full_sync(opened, certify=certify))
        remove_old(opened.engine, settings, max(0, opened.control.skew or 0), opened.control.stop)
        return row


def full_sync(opened: Session, *, certify: bool) -> RunResult:
    """Read the list, prove it, and resolve the presence of the jobs that it lacks."""
    first, held = opened.first, read(opened.engine, read_listed)
    reader = ListReader(opened, held)
    atomic = reader.fits_a_page()
    reader.consume([first])
    if atomic:  # the API reads a page in one statement, so at one instant
        verdict = judge_page(held.listed, set(ids_of(first)), count_of(first), opened.ingestor.void_reasons)
        proof: dict[str, Any] = {"method": "single page"}
    elif not certify:
        reader.read_rest()
        verdict, proof = Verdict(False, "not asked for", count_of(first), 0), {"method": "none"}
    else:
        opened.ingestor.passes_ahead = 1 if held.is_recent else 2
        if not held.is_recent:  # pass A; else what the mirror holds as listed is pass A
            reader.read_rest()
        verdict = prove(reader)
        seen = {"proven": verdict.proven, "newer": verdict.newer, "passes": reader.passes}
        proof = {"method": "count between passes", **seen, "page_size": reader.page_size()}
    # A job without a row has no presence to write.
    absent = read(opened.engine, lambda conn: jobs.fingerprints(conn, verdict.absent)).keys() if verdict.holds else None
    presence, doubt = resolve_presence(opened, absent, verdict.present)
    verdict = doubted(verdict, doubt)
    looked_at = [] if verdict.holds else [job_id for job_id in held.listed if opened.ingestor.has_seen(job_id)]
    return RunResult(
        proof=proof_of(verdict, proof),
        covered=verdict.holds or len(looked_at) == len(held.listed),
        presence=presence,
        present=verdict.present if verdict.holds else None,
        shown=verdict.present if verdict.holds else opened.ingestor.listed().union(looked_at),
    )


def prove(reader: "ListReader") -> Verdict:
    """Read passes over the list until a count and the number of jobs seen on both sides of it agree.

    Stops when two passes in a row show the same wrong count: else a long list would be read eight times in every run.
    """
    before: Verdict | None = None
    while True:
        count, size = reader.take_count(), reader.page_size()
        overlap = affordable_overlap(count, size) if reader.passes <= 1 else size // 20
        reader.read(segments(0, count, size, overlap))
        verdict = judge(reader.seen_log, reader.void_reasons())
        is_stuck = before is not None and verdict.is_steady and verdict.reason == before.reason
        if verdict.holds or reader.is_void or is_stuck or reader.passes >= PASSES:
            return verdict
        before = verdict


@dataclass(frozen=True, slots=True)
class Listed:
    """The listed jobs of the mirror before a full sync."""

    listed: set[int]
    """Jobs that it holds as listed."""
    unread: set[int]
    """Jobs that were listed and could not be read."""
    is_recent: bool
    """Whether the last certified full sync is recent enough to stand for a pass."""


def read_listed(conn: Connection) -> Listed:
    """Read the jobs that the mirror holds as listed, and whether their proof is recent."""
    proven_at = runs.proven_at(conn)
    age = runs.proof_age(proven_at, datetime.now(UTC)) if proven_at else None
    is_recent = age is not None and age < RECENT.total_seconds()
    return Listed(set(jobs.listed_ids(conn)), quarantine.unread_ids(conn), is_recent)


class ListReader:
    """Reads the list page by page, mirrors it, and records for the proof when each job was seen."""

    def __init__(self, opened: Session, held: Listed) -> None:
        self.opened, self.control, self.first = opened, opened.control, opened.first
        self.settings, self.api, self.ingestor = opened.settings, opened.api, opened.ingestor
        self.held = held
        self.seen_log = SeenLog(held.listed | held.unread)
        self.first_is_news = not self.seen_log.has_seen(ids_of(self.first))
        self.passes = 0
        self.largest = len(self.first.listing)
        """Jobs on the fullest page so far."""
        self.count = self.first.listing.count
        """How many jobs the newest answer counts."""

    def fits_a_page(self) -> bool:
        """Whether the first page is the whole list, and consistent: else the count between two passes has to decide.

        A page as long as the server's limit may have been cut: a row inserted between the count and the rows pushes
        another row off the end. If all jobs are known that cannot matter: they were there before, and are as many as
        counted. Otherwise one more request learns the limit, which a second page always states.
        """
        ids = set(ids_of(self.first))
        if not self.first.is_last or not len(ids) == len(self.first.listing) == self.first.listing.count:
            return False
        return self.seen_log.has_seen(ids) or len(ids) < self.api.page(self.settings.page_size, 1).served_limit

    @property
    def is_void(self) -> bool:
        """Whether an answer of this run voids any proof, however many passes follow."""
        return bool(self.ingestor.void_reasons)

    def void_reasons(self) -> list[str]:
        """Reasons why no proof can hold, for example that the list turned empty while the mirror holds jobs."""
        if self.count == 0 and self.held.listed and not self.seen_log.beyond:
            empty = f"the API lists no jobs at all, the mirror holds {len(self.held.listed)}; nothing was marked"
            return [*self.ingestor.void_reasons, empty]
        return self.ingestor.void_reasons

    def take_count(self) -> int:
        """Read both ends of the list, as far as they show new jobs, then the count; again if it counts more than seen.

        A job that appears between that read and the count would void the proof a whole pass later; reading an end costs
        little.
        """
        ends = [max(0, self.count - self.page_size())] if self.passes == 0 and self.held.is_recent else []
        if ends and self.first_is_news and not self.first.is_last:
            self.read_news(self.first.end)
        for turn in range(MAX_COUNTS):
            for offset in ends:
                self.read_news(offset, backwards=offset > 0)
            sample = self.api.page(1, max(0, self.count - 1) if ascends(self.first) else 0)
            self.ingestor.check_account(sample)
            self.seen_log.counted(count_of(sample))
            # Hints only, no part of the proof: a newest job that this run has not seen, or fewer jobs than counted.
            if self.seen_log.has_seen(ids_of(sample)) and self.seen_log.known >= sample.listing.count:
                break
            # Alternate, so that a periodic submitter cannot stay in lockstep.
            head, tail = 0, max(0, sample.listing.count - self.page_size())
            ends = [head] if turn % 2 else [tail, head]
        return sample.listing.count

    def read_news(self, offset: int, *, backwards: bool = False) -> None:
        """Read pages from one end of the list towards the other, until one shows nothing new.

        New jobs may fill several pages. More than ``MAX_NEWS`` pages are left to a pass, which reads several at once.
        """
        for _ in range(MAX_NEWS):
            page = self.api.page(self.settings.page_size, offset)
            is_news = not self.seen_log.has_seen(ids_of(page))
            self.consume([page])
            if not is_news or (page.offset == 0 if backwards else page.is_last):
                return
            offset = max(0, offset - len(page.listing)) if backwards else page.end

    def page_size(self) -> int:
        """The page size in force: the limit that the API states, until a pass has shown whether pages are smaller.

        Pages without a job do not show the size: the account was emptied between the first count and its rows. Nor does
        a first page that was requested with a lower limit because of one large job; if all jobs are large,
        ``api.page_size`` is low.
        """
        shown = self.largest if self.passes and not self.first.is_last else 0
        is_reduced = self.first.limit < self.settings.page_size
        stated = self.settings.page_size if is_reduced else self.first.served_limit
        return min(shown or stated, self.api.page_size)

    def read_rest(self) -> None:
        """Read the list after its first page."""
        first = self.first
        self.read([] if first.is_last else segments(first.end, first.listing.count, self.page_size()))

    def read(self, todo: list[Segment]) -> None:
        """Fetch and mirror the pages of some segments: one pass, or a part of one."""
        self.passes += 1
        self.ingestor.begin_pass(self.passes)
        self.seen_log.begin_pass()

        def fetch(offset: int) -> Page:
            return self.api.page(self.settings.page_size, offset)

        for arrived in pages(fetch, todo, self.opened.executor, self.settings.concurrency):
            self.consume(arrived)
            self.poll_if_due()

    def poll_if_due(self) -> None:
        """Do the poll that falls due during the full sync, so that no job in flight waits for the end of a long one.

        No other process could do it, because there is one writer. Its pages count for the proof like all others.
        """
        if time.monotonic() >= self.control.poll_at:
            try:
                refresh(self.opened, self.api.page(self.settings.page_size, 0), self.consume)
            except AuthenticationError:
                raise
            except ApiError as error:  # the full sync can do without the poll's requests
                log.warning("no poll during the full sync", error=str(error))
            # Counted from the poll's end: a poll that takes longer than its interval must not stop the full sync.
            self.control.poll_at = time.monotonic() + self.settings.poll_interval

    def consume(self, arrived: Sequence[Page]) -> None:
        """Mirror some pages, and record their jobs and counts for the proof."""
        self.ingestor.pages(arrived)
        self.count = max(arrived, key=lambda page: page.sent).listing.count
        self.largest = max(self.largest, *(len(page.listing) for page in arrived))
        for page in arrived:
            self.seen_log.saw(ids_of(page), page.sent, page.received)
            self.seen_log.counted(count_of(page), page.end if page.listing else 0)


def count_of(page: Page) -> Count:
    """How many jobs a page counts, between the numbers of its request and of its complete answer."""
    at, asked = page.at.isoformat().replace("+00:00", "Z"), f"limit={page.limit}&offset={page.offset}"
    return Count(page.listing.count, page.sent, page.received, at, asked)
