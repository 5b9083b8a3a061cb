"""``tpmirror doctor``: is everything as it should be? What a check needs is imported when it runs.

Each finding says what was seen and, where something is wrong, what to do next.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from tpmirror import formatting
from tpmirror.cli.options import EXIT_STATUS, RUN_SETTINGS, as_json, print_json, with_settings
from tpmirror.config import Settings, read_key, read_owners_key
from tpmirror.errors import TpmirrorError, UsageError

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


@click.command(epilog=EXIT_STATUS)
@with_settings(*RUN_SETTINGS)
@as_json
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Check settings, key, API, database, clock, disk and the mirror; say what to do. Changes nothing.

    Exit status 0: works, though there may be warnings; 4: the key is refused; else the first failure's.
    """
    checks = {"key": _key, "TLS": _certificates, "API": _api, "database": _database, "alerts": _alerts}
    findings = [finding for name, check in checks.items() for finding in _guarded(name, check, settings)]
    code = exit_code(findings)
    if as_json:
        shown = [{"check": one.check, "state": one.state, "seen": one.seen, "remedy": one.remedy} for one in findings]
        print_json({"healthy": code == 0, "findings": shown})
    else:
        for one in findings:
            click.echo(formatting.hanging(f"{one.state:4}  {one.check:8}  ", one.seen))
            if one.remedy:
                click.echo(formatting.hanging(f"{'':16}-> ", one.remedy))
    sys.exit(code)


def exit_code(findings: list[Finding]) -> int:
    """That of the worst finding that is bad: with a refused key nothing else matters much."""
    codes = [finding.exit_code for finding in findings if finding.state == BAD]
    return next((code for code in (4, 2, 1) if code in codes), 0)


def _guarded(name: str, check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """What a check finds; one that fails does not stop the others."""
    try:
        yield from check(settings)
    except UsageError as error:
        yield Finding(name, BAD, str(error), None, error.exit_code)
    except TpmirrorError as error:
        seen, _, remedy = str(error).partition("; ")
        yield Finding(name, BAD, seen, remedy or None, error.exit_code)


def _key(settings: Settings) -> Iterator[Finding]:
    read_key(settings)
    where = "TPMIRROR_API_KEY" if settings.api_key_file is None else f"TPMIRROR_API_KEY_FILE ({settings.api_key_file})"
    yield Finding("key", OK, f"from {where}")
    if read_owners_key(settings):
        yield Finding("owners", OK, f"hashed by the key in TPMIRROR_OWNERS_KEY_FILE ({settings.owners_key_file})")


def _certificates(settings: Settings) -> Iterator[Finding]:
    from tpmirror.tensorpix import tls

    if settings.api_url.startswith("https:") or settings.ca_file is not None:
        yield Finding("TLS", OK, f"trusted certificates: {tls.describe(settings.ca_file)}")


def _api(settings: Settings) -> Iterator[Finding]:
    from tpmirror.tensorpix.client import Api
    from tpmirror.tensorpix.control import Control
    from tpmirror.tensorpix.page import ids_of

    if settings.api_key is None and settings.api_key_file is None:
        return  # the check of the key has reported it
    hurried = replace(settings, request_timeout=min(REQUEST_SECONDS, settings.request_timeout), max_attempts=1)
    control = Control()
    with Api(hurried, control=control) as api:
        started = time.monotonic()
        page = api.page(settings.page_size, 0)
        seconds = time.monotonic() - started
    yield Finding("API", OK, f"{settings.api_url} takes the key and answers in {seconds:.2f} s")
    yield _list(list(ids_of(page)), page.listing.count, page.limit, page.served_limit)
    if page.limit < settings.page_size:
        seen = f"an answer of {settings.page_size} jobs is larger than is read, so fewer are asked for"
        yield Finding(
            "pages", WARNING, seen, f"where all jobs are large, TPMIRROR_PAGE_SIZE={page.limit} saves requests"
        )
    yield _clock(control.skew)


def _list(ids: list[int], count: int, limit: int, cap: int) -> Finding:
    order = "newest first" if ids == sorted(ids, reverse=True) else "oldest first" if ids == sorted(ids) else "mixed"
    seen = f"{count:,} jobs, {order}, {cap} to a page"
    if order == "mixed":
        return Finding("list", WARNING, seen, "the order is not by id: full syncs may need more passes to be certified")
    if cap < limit:
        return Finding("list", WARNING, seen, f"the API gives fewer than TPMIRROR_PAGE_SIZE={limit} asks for")
    return Finding("list", OK, seen)


def _clock(skew: float | None) -> Finding:
    from tpmirror.store.runs import SKEW

    if skew is None:
        return Finding("clock", WARNING, "the API states no date to compare with")
    seen = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the API's"
    if abs(skew) < SKEW:
        return Finding("clock", OK, seen)
    return Finding("clock", WARNING, seen, "set the clock, with NTP")


def _database(settings: Settings) -> Iterator[Finding]:
    from tpmirror.db import revision
    from tpmirror.db.engine import connected, display, file_of, reading
    from tpmirror.store import account
    from tpmirror.store.health import problems_of_mirror
    from tpmirror.store.status import read_status
    from tpmirror.sync.account import check_owners
    from tpmirror.sync.owners import pseudonyms

    with connected(settings.database, read_only=True) as engine:
        shown, found = display(engine), revision.current(engine)
        if file := file_of(engine):
            yield _disk(file.resolve().parent)
        else:
            yield from _server(engine)
        if found is None:
            yield Finding("database", WARNING, f"{shown} holds no mirror yet", "run tpmirror sync")
            return
        if not revision.is_current(engine):
            yield Finding("database", WARNING, f"{shown} is at revision {found}", "run tpmirror db upgrade")
            return
        yield Finding("database", OK, f"{shown} is at revision {found}")
        with reading(engine) as conn:
            check_owners(account.marks(conn), pseudonyms(settings))
            now = datetime.now(UTC)
            problems = problems_of_mirror(read_status(conn, now.date()), settings, now)
    yield from (Finding("mirror", WARNING, problem.message, problem.remedy) for problem in problems)
    if not problems:
        yield Finding("mirror", OK, "proven complete, and nothing waits for an operator")


def _server(engine: Any) -> Iterator[Finding]:
    from tpmirror.db.engine import reading
    from tpmirror.db.server import is_pooled, refuse_encoding

    with reading(engine) as conn:
        refuse_encoding(conn)
        if is_pooled(conn):
            works = "transaction and session mode work alike, for nothing is left in a session"
            yield Finding("pooler", OK, f"one stands before the server; {works}")


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "create the folder, or correct TPMIRROR_DATABASE_URL"
        return Finding("disk", BAD, f"{folder}: {error.strerror}", remedy, 1)
    seen = f"{free / 2**30:,.1f} GiB free in {folder}"
    if free >= LOW:
        return Finding("disk", OK, seen)
    return Finding("disk", WARNING if free >= NONE else BAD, seen, "free some space", 1)


def _alerts(settings: Settings) -> Iterator[Finding]:
    from tpmirror.service.notifier import Notifier

    if settings.alert_urls:
        Notifier(settings.alert_urls)
        yield Finding("alerts", OK, f"{len(settings.alert_urls)} services; tpmirror alert test tries them")
