"""``tpmirror doctor``: checks of everything that a sync needs. Each check imports its modules when it runs.

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
from tpmirror.cli.colour import highlight
from tpmirror.cli.options import EXIT_STATUS, RUN_SETTINGS, Command, as_given, as_json, print_json, with_settings
from tpmirror.config import Settings, read_key, read_owners_key
from tpmirror.errors import TpmirrorError, UsageError

OK: Final = "ok"
WARNING: Final = "warning"
BAD: Final = "bad"
REQUEST_SECONDS: Final = 10.0
"""Seconds for the one request: doctor reports a slow API instead of waiting for it."""
LOW: Final = 500 * 2**20
"""Bytes free on the disk below which there is a warning."""
NONE: Final = 50 * 2**20
"""Bytes free below which the disk counts as full."""
FEW: Final = 5
"""Connections left on the server below which there is a warning: ``tpmirror run`` uses several at a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check showed."""

    check: str
    state: str
    """ok, warning (works, but) or bad."""
    seen: str
    remedy: str | None = None
    exit_code: int = 0


@click.command(cls=Command, epilog=EXIT_STATUS)
@with_settings(*RUN_SETTINGS)
@as_json
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Check settings, key, API, clock, disk, database, mirror and dashboard; say what to do. Changes nothing.

    Exit status 0: works, perhaps with warnings; 4: the API refuses the key; 1 or 2: another fault.
    """
    checks = {
        "key": _key,
        "TLS": _certificates,
        "API": _api,
        "database": _database,
        "web": _dashboard,
        "alerts": _alerts,
    }
    findings = [finding for name, check in checks.items() for finding in _guarded(name, check, settings)]
    code = exit_code(findings)
    if as_json:
        shown = [{"check": one.check, "state": one.state, "seen": one.seen, "remedy": one.remedy} for one in findings]
        print_json({"healthy": code == 0, "findings": shown})
    else:
        for one in findings:
            line = formatting.hanging(f"{one.state:7}  {one.check:8}  ", as_given(one.seen))
            click.echo(highlight(line, one.state))
            if one.remedy:
                click.echo(formatting.hanging(f"{'':19}-> ", as_given(one.remedy)))
    sys.exit(code)


def exit_code(findings: list[Finding]) -> int:
    """The exit status of the worst bad finding; a refused key comes first, since no sync can succeed with it."""
    codes = [finding.exit_code for finding in findings if finding.state == BAD]
    return next((code for code in (4, 2, 1) if code in codes), 0)


def _guarded(name: str, check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """The findings of a check; an error that it raises becomes a finding, so that the other checks run."""
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
        jobs = formatting.count(settings.page_size, "job")
        seen = f"an answer of {jobs} is larger than is read, so fewer are asked for"
        yield Finding(
            "pages", WARNING, seen, f"where all jobs are large, TPMIRROR_PAGE_SIZE={page.limit} saves requests"
        )
    yield _clock(control.skew)


def _list(ids: list[int], count: int, limit: int, cap: int) -> Finding:
    order = "newest first" if ids == sorted(ids, reverse=True) else "oldest first" if ids == sorted(ids) else "mixed"
    seen = f"{formatting.count(count, 'job')}, {order}, {cap} to a page"
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
    from tpmirror.db.dictionary import altered
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
            yield from _file(file)
        else:
            yield from _server(engine)
        if not revision.is_current(engine):
            yield from _outdated(engine, found)
            return
        yield Finding("database", OK, f"{shown} is at revision {found}")
        with reading(engine) as conn:
            for seen, _, remedy in (one.finding.partition(": ") for one in altered(conn)):
                yield Finding("views", WARNING, seen, remedy)
            check_owners(account.marks(conn), pseudonyms(settings))
            now = datetime.now(UTC)
            problems = problems_of_mirror(read_status(conn, now.date()), settings, now)
    yield from (Finding("mirror", WARNING, problem.message, problem.remedy) for problem in problems)
    if not problems:
        yield Finding("mirror", OK, "proven complete, and nothing waits for an operator")


def _outdated(engine: Any, found: str | None) -> Iterator[Finding]:
    """Findings on a mirror that has to be created or migrated, and on obstacles to that."""
    from tpmirror.db.engine import display, reading
    from tpmirror.db.migrate import built_on_views
    from tpmirror.db.server import may_migrate

    if found is None:
        yield Finding("database", WARNING, f"{display(engine)} holds no mirror yet", "run tpmirror sync")
    else:
        yield Finding("database", WARNING, f"{display(engine)} is at revision {found}", "run tpmirror db upgrade")
    if engine.dialect.name == "sqlite":
        return
    with reading(engine) as conn:
        if not may_migrate(conn):
            seen = f"the role {engine.url.username} may not make or migrate the mirror's tables"
            remedy = "see docs/postgresql.md for what a role needs; migrations run as the tables' owner"
            yield Finding("role", WARNING, seen, remedy)
        if found and (built := built_on_views(conn)):
            seen = f"built on the mirror's views: {', '.join(built[:3])}{', ...' if built[3:] else ''}"
            remedy = "if db upgrade refuses to drop one, drop these, upgrade, and make them anew"
            yield Finding("views", WARNING, seen, remedy)


def _file(file: Path) -> Iterator[Finding]:
    from tpmirror.db.sqlite import is_writable

    if file.exists() and not is_writable(file):
        seen = f"this user may not write {file}, or its folder: it can be read, and not synced"
        yield Finding("file", WARNING, seen, "check the permissions of the file and its folder")


def _server(engine: Any) -> Iterator[Finding]:
    from tpmirror.db.engine import reading
    from tpmirror.db.server import connections_left, is_pooled, refuse_encoding

    with reading(engine) as conn:
        refuse_encoding(conn)
        if is_pooled(conn):
            works = "transaction and session mode work alike, for nothing is left in a session"
            yield Finding("pooler", OK, f"one stands before the server; {works}")
        elif (left := connections_left(conn)) < FEW:
            remedy = "let the server, the database or the role have more connections"
            yield Finding("server", WARNING, f"it has {left} more connections for this role", remedy)


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


def _dashboard(settings: Settings) -> Iterator[Finding]:
    from tpmirror.web.app import check_prefix
    from tpmirror.web.security import check_exposure, way_in

    check_exposure(settings)
    check_prefix(settings.http_prefix)
    way = way_in(settings)
    if way is None:
        yield Finding("web", OK, "this machine alone can reach it")
    elif settings.http_token is not None:
        yield Finding("web", OK, f"{way}, with a password")
    else:
        seen = f"{way}, without a password: TPMIRROR_HTTP_OPEN is 'yes'"
        yield Finding("web", WARNING, seen, "see that a firewall or proxy keeps strangers out")


def _alerts(settings: Settings) -> Iterator[Finding]:
    from tpmirror.service.notifier import Notifier

    if settings.alert_urls:
        Notifier(settings.alert_urls)
        services = formatting.count(len(settings.alert_urls), "service")
        yield Finding("alerts", OK, f"{services}; tpmirror alert test tries them")
