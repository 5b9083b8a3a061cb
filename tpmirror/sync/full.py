"""The full sync: fetch every page, mirror it as it arrives, and prove that nothing was missed.

The steps of the proof are those of ``certify``. Rows are committed as they arrive in every case; only "certified", and
what follows from a job's absence, wait for the verdict.
"""

import json
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import ApiError, AuthenticationError
from tpmirror.log import logger
from tpmirror.store import jobs, quarantine, runs
from tpmirror.sync import presence
from tpmirror.sync.certify import Count, SeenLog, Verdict, judge, judge_page
from tpmirror.sync.ingest import Progress
from tpmirror.sync.paging import Segment, affordable_overlap, pages, segments
from tpmirror.sync.poll import refresh
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


def sync(
    settings: Settings, *, certify: bool = True, progress: Progress = quiet, control: Control | None = None
) -> Row:
    """Do one full sync; the finished row of ``sync_runs``. Migrates the database if needed.

    Raises TpmirrorError; whatever arrived before that is mirrored, and the run is closed with the error.
    """
    with session(settings, "full", progress, control) as opened:
        FullSync(opened).finish(certify=certify)
        # By the API's clock: ours may be a year ahead for a moment, and what is removed does not come back.
        ahead = timedelta(seconds=max(0, opened.control.skew or 0))
        opened.run.prune(timedelta(days=settings.progress_retention) + ahead)
    return opened.run.row


class FullSync:
    """One full sync under way."""

    def __init__(self, opened: Session) -> None:
        self.opened, self.control = opened, opened.control
        self.settings, self.api, self.executor = opened.settings, opened.api, opened.executor
        self.run, self.ingestor, self.first = opened.run, opened.ingestor, opened.first
        listed, unread, certified_at = read(
            self.run.engine, lambda conn: (jobs.listed_ids(conn), quarantine.unread_ids(conn), runs.certified_at(conn))
        )
        self.listed = set(listed)
        self.recent = (certified_at or datetime.min.replace(tzinfo=UTC)) > datetime.now(UTC) - RECENT
        self.seen_log = SeenLog(self.listed | unread)
        self.passes = 0
        self.largest = len(opened.first.listing)
        """Jobs on the fullest page so far."""
        self.count = opened.first.listing.count
        """How many jobs the newest answer counts."""

    def finish(self, *, certify: bool) -> None:
        """Read the list, prove it, and put the result into the run."""
        first = self.first
        fits = first.is_last and self.fits_a_page()
        self.consume([first])
        if fits:
            verdict, certificate = self.judge_page()
        elif certify:
            verdict, certificate = self.prove()
        else:
            self.pass_over(self.rest_of(first))
            verdict, certificate = Verdict(False, "not asked for", count_of(first), 0), {"method": "none"}
        limit = self.settings.vanish_limit
        self.run.presence = presence.resolve_presence(self.ingestor, limit, self.absent(verdict), verdict.present)
        if verdict.certified:
            self.close_quarantine(verdict.present)
        self.run.result = {
            "certified": verdict.certified,
            "certificate": json.dumps({**certificate, **({"reason": verdict.reason} if verdict.reason else {})}),
            "covered": verdict.certified or all(map(self.ingestor.has_seen, self.listed)),
        }

    def close_quarantine(self, present: Collection[int]) -> None:
        """Every item of the list could be read: what lies in quarantine and is not on it will not come again."""
        self.run.resolve(read(self.run.engine, lambda conn: quarantine.obsolete_entries(conn, present)))

    def absent(self, verdict: Verdict) -> frozenset[int] | None:
        """Jobs that the proof shows to be off the list; None without a proof."""
        return verdict.absent & (self.listed | self.ingestor.seen()) if verdict.certified else None

    def fits_a_page(self) -> bool:
        """Whether the first page is the whole list, and consistent: else the count between two passes has to decide.

        A page as long as the server's limit may have been cut: a row that came between the count and the rows pushes
        another off the end. Where all jobs are known that cannot matter: they were there before, and are as many as
        counted. Otherwise one more request learns the limit, which a second page always states.
        """
        ids = set(ids_of(self.first))
        if not len(ids) == len(self.first.listing) == self.first.listing.count:
            return False
        return self.seen_log.has_seen(ids) or len(ids) < self.api.page(self.settings.page_size, 1).served_limit

    def judge_page(self) -> tuple[Verdict, dict[str, Any]]:
        """The list fits a page: one statement on their side, so one instant, proves itself."""
        count = count_of(self.first)
        verdict = judge_page(self.listed, set(ids_of(self.first)), count, self.void_reasons())
        return verdict, {"method": "single page", **certificate_fields(count)}

    def void_reasons(self) -> list[str]:
        """What voids any proof. An empty list does, if the mirror holds listed jobs."""
        if self.count == 0 and self.listed:
            empty = f"the API lists no jobs at all, the mirror holds {len(self.listed)}; nothing was marked"
            return [*self.ingestor.void_reasons, empty]
        return self.ingestor.void_reasons

    def prove(self) -> tuple[Verdict, dict[str, Any]]:
        """Passes over the list, until one of its counts and what was seen on both sides of it agree."""
        self.ingestor.passes_ahead = 1 if self.recent else 2
        if not self.recent:
            self.pass_over(self.rest_of(self.first))
        while True:
            count, size = self.take_count(), self.page_size()
            overlap = affordable_overlap(count, size) if self.passes <= 1 else size // 20
            self.pass_over(segments(0, count, size, overlap))
            verdict = judge(self.seen_log, self.void_reasons())
            if verdict.certified or self.ingestor.void_reasons or self.passes >= PASSES:
                break
        seen = {"proven": verdict.proven, "newer": verdict.newer, "passes": self.passes, "page_size": size}
        return verdict, {"method": "count between passes", **certificate_fields(verdict.count), **seen}

    def take_count(self) -> int:
        """Read both ends of the list, where new jobs appear, then the count; again if it counts more than was seen.

        A job that appeared between that read and the count would void the proof a whole pass later; this costs little.
        """
        size, count = self.settings.page_size, self.count
        ends = [max(0, count - self.page_size())] if self.passes == 0 and self.recent else []
        for turn in range(MAX_COUNTS):
            for offset in ends:
                self.consume([self.api.page(size, offset)])
            sample = self.api.page(1, max(0, self.count - 1) if ascends(self.first) else 0)
            self.ingestor.check_account(sample)
            self.seen_log.counted(count_of(sample))
            # Hints only, no part of the proof: a newest job that nobody saw, or fewer jobs seen than there are.
            if self.seen_log.has_seen(ids_of(sample)) and self.seen_log.known >= sample.listing.count:
                break
            # Alternate, so that a periodic submitter cannot stay in lockstep.
            head, tail = 0, max(0, sample.listing.count - self.page_size())
            ends = [head] if turn % 2 else [tail, head]
        return sample.listing.count

    def rest_of(self, first: Page) -> list[Segment]:
        """The list after its first page."""
        return [] if first.is_last else segments(first.end, first.listing.count, self.page_size())

    def page_size(self) -> int:
        """The page size in force: what the API states, until a pass has shown whether it gives fewer.

        Pages without a job show nothing of it: the account was emptied between the first count and its rows.
        """
        shown = self.largest if self.passes and not self.first.is_last else 0
        return shown or self.first.served_limit

    def pass_over(self, todo: list[Segment]) -> None:
        """Fetch and mirror the pages of some segments."""
        self.passes += 1
        size = self.settings.page_size
        for arrived in pages(
            lambda offset: self.api.page(size, offset), todo, self.executor, self.settings.concurrency
        ):
            self.consume(arrived)
            self.poll_if_due()

    def poll_if_due(self) -> None:
        """Do the poll that falls due during the full sync: no job in flight waits for the end of a long one.

        No other process could, there is one writer. What it shows is as good for the proof as any other page.
        """
        if time.monotonic() >= self.control.poll_at:
            try:
                refresh(self.opened, self.api.page(self.settings.page_size, 0), self.consume)
            except AuthenticationError:
                raise
            except ApiError as error:  # of requests that the full sync itself can do without
                log.warning("no poll during the full sync", error=str(error))
            # From its end: a poll that takes longer than its interval must not stop the full sync.
            self.control.poll_at = time.monotonic() + self.settings.poll_interval

    def consume(self, arrived: Sequence[Page]) -> None:
        """Mirror some pages, and remember for the proof what they showed."""
        self.ingestor.pages(arrived)
        self.count = max(arrived, key=lambda page: page.sent).listing.count
        self.largest = max(self.largest, *(len(page.listing) for page in arrived))
        for page in arrived:
            self.seen_log.saw(ids_of(page), page.sent, page.received)
            self.seen_log.counted(count_of(page))


def count_of(page: Page) -> Count:
    """How many jobs a page counts, and between which numbers."""
    at, asked = page.at.isoformat().replace("+00:00", "Z"), f"limit={page.limit}&offset={page.offset}"
    return Count(page.listing.count, page.sent, page.received, at, asked)


def certificate_fields(count: Count) -> dict[str, Any]:
    """A count as the certificate has it."""
    return {"count": count.jobs, "counted_at": count.at, "counted_by": count.asked}
