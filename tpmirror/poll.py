"""The short look between walks: what is new, and what is in flight. Its cost does not grow with the history."""

from tpmirror import store
from tpmirror.api import Page
from tpmirror.config import Settings
from tpmirror.control import Control
from tpmirror.database import read
from tpmirror.intake import Progress, ascends, ids_of
from tpmirror.normalize import Row
from tpmirror.session import Session, quiet, session


def poll(settings: Settings, progress: Progress = quiet, control: Control | None = None) -> Row:
    """Newest pages while they pay, then every other job in flight by id; the finished row of ``sync_runs``.

    Costs at most as many requests as there are jobs in flight and pages of news, and two. Keyed reads cannot drift, so
    each transition is seen as it is; that nothing else changed, only a full walk can prove.
    """
    with session(settings, "poll", progress, control) as opened:
        in_flight = read(opened.run.engine, store.in_flight_ids)
        _read_pages(opened, set(in_flight))
        unseen = [job_id for job_id in in_flight if not opened.intake.has_seen(job_id)]
        opened.intake.jobs(unseen, opened.executor)
        opened.run.result = {"covered": all(map(opened.intake.has_seen, in_flight))}
    return opened.run.row


def _read_pages(opened: Session, in_flight: set[int]) -> None:
    """The newest pages, as long as each is worth its request; they are at the end of an ascending list."""
    page, size = opened.first, opened.settings.page_size
    if not page.is_last and ascends(page):
        _show(opened, page, in_flight)
        page = opened.api.page(size, max(page.end, page.listing.count - len(page.listing)))
        while _show(opened, page, in_flight) and page.offset > 0:
            page = opened.api.page(size, max(0, page.offset - len(page.listing)))
        return
    while _show(opened, page, in_flight) and not page.is_last:
        page = opened.api.page(size, page.end)


def _show(opened: Session, page: Page, in_flight: set[int]) -> bool:
    """Mirror a page; whether the next one is worth reading: this one had anything new, or several jobs in flight.

    One page then saves as many requests by id. The jobs it showed leave ``in_flight``.
    """
    ids = set(ids_of(page))
    shown = ids & in_flight
    in_flight -= shown
    known = read(opened.run.engine, lambda conn: store.briefs(conn, ids)).keys()
    opened.intake.pages([page])
    return bool(ids - known) or (len(shown) > 1 and len(in_flight) > 1)
