"""Is everything as it should be? Checks settings, key, API, database, clock and disk; changes nothing.

Each finding says what was seen and, where something is wrong, what to do next.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tpmirror.config import Settings, read_key
from tpmirror.db import revision
from tpmirror.db.engine import connected, display, file_of, reading
from tpmirror.errors import TpmirrorError, UsageError
from tpmirror.service.notifier import Notifier
from tpmirror.store.health import SKEW, problems_of_mirror
from tpmirror.store.status import read_status
from tpmirror.tensorpix.client import Api
from tpmirror.tensorpix.control import Control
from tpmirror.tensorpix.page import Page, ids_of

OK: Final = "ok"
WARNING: Final = "warning"
BAD: Final = "bad"
REQUEST_SECONDS: Final = 10.0
"""Seconds for the one request: a doctor does not wait long, also where the API asks for it."""
LOW: Final = 500 * 2**20
"""Bytes free on the disk that are little."""
NONE: Final = 50 * 2**20
"""Bytes free that are as good as none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check showed."""

    check: str
    state: str
    """ok, warning (works, but) or bad."""
    seen: str
    remedy: str | None = None
    exit_code: int = 0


def examine(settings: Settings) -> list[Finding]:
    """Run every check; one that fails does not stop the others."""
    return [
        *_guarded("key", lambda: _key(settings)),
        *_guarded("API", lambda: _api(settings)),
        *_guarded("database", lambda: _database(settings)),
        *_guarded("alerts", lambda: _alerts(settings)),
    ]


def exit_code(findings: list[Finding]) -> int:
    """That of the first finding that is bad: with a refused key nothing else matters much."""
    codes = [finding.exit_code for finding in findings if finding.state == BAD]
    return next((code for code in (4, 2, 1) if code in codes), 0)


def _guarded(check: str, find: Callable[[], Iterator[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(find())
    except UsageError as error:
        found.append(Finding(check, BAD, str(error), None, error.exit_code))
    except TpmirrorError as error:
        seen, _, remedy = str(error).partition("; ")
        found.append(Finding(check, BAD, seen, remedy or None, error.exit_code))
    return found


def _key(settings: Settings) -> Iterator[Finding]:
    read_key(settings)
    where = "TPMIRROR_API_KEY" if settings.api_key_file is None else f"TPMIRROR_API_KEY_FILE ({settings.api_key_file})"
    yield Finding("key", OK, f"from {where}")


def _api(settings: Settings) -> Iterator[Finding]:
    hurried = replace(settings, request_timeout=min(REQUEST_SECONDS, settings.request_timeout), max_attempts=1)
    control = Control()
    if settings.api_key is None and settings.api_key_file is None:
        return  # the check of the key has reported it
    with Api(hurried, control=control) as api:
        started = time.monotonic()
        page = api.page(settings.page_size, 0)
        seconds = time.monotonic() - started
    yield Finding("API", OK, f"{settings.api_url} takes the key and answers in {seconds:.2f} s")
    yield _list(page)
    yield _clock(control.skew)


def _list(page: Page) -> Finding:
    ids = list(ids_of(page))
    order = "newest first" if ids == sorted(ids, reverse=True) else "oldest first" if ids == sorted(ids) else "mixed"
    cap = page.served_limit
    seen = f"{page.listing.count:,} jobs, {order}, {cap} to a page"
    if order == "mixed":
        return Finding("list", WARNING, seen, "the order is not by id: full syncs may need more passes to be certified")
    if cap < page.limit:
        return Finding("list", WARNING, seen, f"the API gives fewer than TPMIRROR_PAGE_SIZE={page.limit} asks for")
    return Finding("list", OK, seen)


def _clock(skew: float | None) -> Finding:
    if skew is None:
        return Finding("clock", WARNING, "the API states no date to compare with")
    seen = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the API's"
    return (
        Finding("clock", OK, seen) if abs(skew) < SKEW else Finding("clock", WARNING, seen, "set the clock, with NTP")
    )


def _database(settings: Settings) -> Iterator[Finding]:
    with connected(settings.database_url) as engine:
        shown, found = display(engine.url), revision.current(engine)
        if file := file_of(engine):
            yield _disk(file.resolve().parent)
        if found is None:
            yield Finding("database", WARNING, f"{shown} holds no mirror yet", "run tpmirror sync")
            return
        if not revision.is_current(engine):
            yield Finding("database", WARNING, f"{shown} is at revision {found}", "run tpmirror db upgrade")
            return
        yield Finding("database", OK, f"{shown} is at revision {found}")
        with reading(engine) as conn:
            now = datetime.now(UTC)
            problems = problems_of_mirror(read_status(conn, now.date()), settings, now)
    yield from (Finding("mirror", WARNING, problem.message, problem.remedy) for problem in problems)
    if not problems:
        yield Finding("mirror", OK, "proven complete, and nothing waits for an operator")


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            "disk", BAD, f"{folder}: {error.strerror}", "create the folder, or correct TPMIRROR_DATABASE_URL", 1
        )
    seen = f"{free / 2**30:,.1f} GiB free in {folder}"
    if free >= LOW:
        return Finding("disk", OK, seen)
    return Finding("disk", WARNING if free >= NONE else BAD, seen, "free some space", 1)


def _alerts(settings: Settings) -> Iterator[Finding]:
    if settings.alert_urls:
        Notifier(settings.alert_urls)
        yield Finding("alerts", OK, f"{len(settings.alert_urls)} services; tpmirror alert test tries them")
