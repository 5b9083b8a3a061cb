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
    """Newest pages until nothing is new, then every job in flight by id; the finished row of ``sync_runs``.

    Costs at most as many requests as there are jobs in flight and pages of news, and two. Keyed reads cannot drift, so
    each transition is seen as it is; that nothing else changed, only a full walk can prove.
    """
    with session(settings, "poll", progress, control) as opened:
        in_flight = read(opened.run.engine, store.in_flight_ids)
        _read_news(opened)
        unseen = [job_id for job_id in in_flight if not opened.intake.has_seen(job_id)]
        opened.intake.jobs(unseen, opened.executor)
        opened.run.result = {"covered": all(map(opened.intake.has_seen, in_flight))}
    return opened.run.row


def _read_news(opened: Session) -> None:
    """The newest pages, up to the first that shows nothing new; they are at the end of an ascending list."""
    page, size = opened.first, opened.settings.page_size
    if not page.is_last and ascends(page):
        _show(opened, page)
        page = opened.api.page(size, max(page.end, page.listing.count - len(page.listing)))
        while _show(opened, page) and page.offset > 0:
            page = opened.api.page(size, max(0, page.offset - len(page.listing)))
        return
    while _show(opened, page) and not page.is_last:
        page = opened.api.page(size, page.end)


def _show(opened: Session, page: Page) -> bool:
    """Mirror a page; whether it had anything new."""
    ids = set(ids_of(page))
    known = read(opened.run.engine, lambda conn: store.briefs(conn, ids)).keys()
    opened.intake.pages([page])
    return bool(ids - known)
