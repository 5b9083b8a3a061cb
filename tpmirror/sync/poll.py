"""The poll between full syncs: reads new jobs and jobs in flight. Its cost does not grow with the history."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.store import jobs, presence, quarantine
from tpmirror.sync.ingest import Progress
from tpmirror.sync.run import RunResult
from tpmirror.sync.session import Session, quiet, session
from tpmirror.tensorpix.control import Control
from tpmirror.tensorpix.page import Page, ascends, ids_of

Consume: TypeAlias = Callable[[Sequence[Page]], None]
"""Mirrors some pages."""


def poll(settings: Settings, progress: Progress = quiet, control: Control | None = None) -> Row:
    """Do one poll; the finished row of ``sync_runs``."""
    with session(settings, "poll", progress, control) as (opened, run):
        in_flight, is_covered = refresh(opened, opened.first, opened.ingestor.pages)
        # Includes the jobs that this poll found in flight, and unreadable jobs, because they may be in flight.
        found = read(opened.engine, lambda conn: {*presence.in_flight_ids(conn), *quarantine.unread_ids(conn)})
        return run.finish(RunResult(covered=is_covered, shown={*in_flight, *found}))


def refresh(opened: Session, first: Page, consume: Consume) -> tuple[list[int], bool]:
    """Read pages while they pay, then other jobs in flight by id; the jobs in flight, and whether all were seen.

    Costs at most as many requests as there are jobs in flight and pages of new jobs, and two. Reads by id cannot drift,
    so each transition is seen as it is; only a full sync can prove that nothing else changed.
    """
    in_flight = read(opened.engine, presence.in_flight_ids)
    _read_pages(opened, first, consume, set(in_flight))

    def is_seen(job_id: int) -> bool:
        return opened.ingestor.has_seen(job_id, first.sent)

    opened.ingestor.jobs([job_id for job_id in in_flight if not is_seen(job_id)], opened.executor)
    # A job whose item cannot be read counts as seen: the quarantine decides whether that is accepted.
    return in_flight, all(is_seen(job_id) or job_id in opened.ingestor.unread for job_id in in_flight)


def _read_pages(opened: Session, page: Page, consume: Consume, in_flight: set[int]) -> None:
    """The newest pages, as long as each is worth its request; they are at the end of an ascending list."""
    size = opened.settings.page_size
    if not page.is_last and ascends(page):
        _show(opened, page, consume, in_flight)
        page = newest = opened.api.page(size, max(page.end, page.listing.count - len(page.listing)))
        is_worth = _show(opened, page, consume, in_flight)
        # A job that is too large ends its page early: the newest jobs stand behind it.
        while newest.listing.items and newest.end < newest.listing.count:
            newest = opened.api.page(size, newest.end)
            _show(opened, newest, consume, in_flight)
        while is_worth and page.offset > 0:
            page = opened.api.page(size, max(0, page.offset - len(page.listing)))
            is_worth = _show(opened, page, consume, in_flight)
        return
    while _show(opened, page, consume, in_flight) and not page.is_last:
        page = opened.api.page(size, page.end)


def _show(opened: Session, page: Page, consume: Consume, in_flight: set[int]) -> bool:
    """Mirror a page; whether the next one is worth reading: this one showed a new job, or several jobs in flight.

    A page with several jobs in flight saves as many requests by id. The jobs it showed leave ``in_flight``.
    """
    ids = set(ids_of(page))
    shown = ids & in_flight
    in_flight -= shown
    known = read(opened.engine, lambda conn: jobs.fingerprints(conn, ids)).keys()
    consume([page])
    return bool(ids - known) or (len(shown) > 1 and len(in_flight) > 1)
