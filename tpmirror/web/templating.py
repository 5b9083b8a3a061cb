"""Renders templates, opens a page's snapshot of the mirror and parses query parameters, for every page."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tpmirror import __version__
from tpmirror.db import engine
from tpmirror.errors import MirrorError
from tpmirror.store.prices import Prices, known
from tpmirror.web import filters
from tpmirror.web.cancellation import Query

FOLDER: Final = Path(__file__).parent
PAGES: Final = {
    "/": "Overview",
    "/jobs": "Jobs",
    "/costs": "Costs",
    "/operations": "Operations",
    "/sync": "Sync",
    "/data": "Data",
}
"""The menu."""
PAGE_SECONDS: Final = 60.0
"""Seconds that the queries of a page may take on SQLite; on PostgreSQL each has its ``statement_timeout``."""
LETTERS: Final = 1000
"""Most characters of a search text; SQLite rejects a LIKE pattern of more than 50,000 bytes."""


def as_json(value: Any) -> Markup:
    """JSON for a ``<script type="application/json">``, its HTML characters escaped: no value can end the element.

    Money becomes a double, which is what charts draw; tables and downloads show the exact value.
    """
    plain = json.dumps(value, default=float, separators=(",", ":"))
    for ch in "<>&'":
        plain = plain.replace(ch, f"\\u{ord(ch):04x}")
    return Markup(plain)  # noqa: S704 - every character that HTML knows was escaped above


@cache
def environment(begins: str) -> Environment:
    """The templates of a dashboard under the URL prefix ``begins``, which every link takes from ``prefix``."""
    env = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=filters.finish,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= filters.FILTERS | {"as_json": as_json}
    env.globals |= {"menu": PAGES, "prefix": begins, "query": filters.query, "version": __version__}
    return env


@contextmanager
def snapshot(request: Request, seconds: float = PAGE_SECONDS) -> Iterator[Connection]:
    """A read-only connection on which all queries of a page see one snapshot of the mirror.

    Its queries end with a MirrorError when the client disconnects, on SQLite with HTTPException 503 after ``seconds``.
    """
    query: Query = request.state.query
    try:
        with engine.reading(request.app.state.engine) as conn, query.on(conn, seconds):
            yield conn
    except MirrorError:
        if query.timed_out:
            text = f"This takes longer than {seconds:g} seconds. Ask for less, or ask the database itself, with SQL."
            raise HTTPException(503, text) from None
        raise


def prices(request: Request, conn: Connection) -> Prices:
    """The price of Credits: the mirror's stored prices, and from this month on the setting's."""
    return known(conn, request.app.state.settings.credit_price, datetime.now(UTC).date())


def prefix(request: Request) -> str:
    """The URL prefix under which a proxy serves the dashboard; empty without one."""
    return request.app.state.settings.http_prefix or ""


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page from its template."""
    begins = prefix(request)
    shown = {"path": request.scope["path"].removeprefix(begins), "now": datetime.now(UTC), **context}
    return HTMLResponse(environment(begins).get_template(template).render(shown), status)


def check_parameters(request: Request, *names: str) -> None:
    """Raise HTTPException 400 for an unknown parameter: ignoring a mistyped filter would show unfiltered rows."""
    for name in request.query_params:
        if name not in names:
            near = get_close_matches(name, names, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            accepted = ", ".join(names) or "none"
            raise HTTPException(400, f"{name[:80]!r} is no parameter of this page; it accepts {accepted}.{meant}")


def choice(request: Request, name: str, values: Mapping[str, Any] | tuple[str, ...], default: str) -> str:
    """A parameter that is one of some values. Raises HTTPException 400 for any other."""
    value = request.query_params.get(name) or default
    if value != default and value not in values:
        raise HTTPException(400, f"{name} is {value[:80]!r}; it accepts {', '.join(map(str, values))}")
    return value


def query_text(request: Request, name: str) -> str:
    """A text parameter. Raises HTTPException 400 above ``LETTERS``, and for a NUL, which PostgreSQL rejects."""
    value = request.query_params.get(name, "").strip()
    if len(value) > LETTERS or "\0" in value:
        raise HTTPException(400, f"{name} is {value[:80]!r}; it accepts up to {LETTERS:,} letters, and no NUL")
    return value


def whole(request: Request, name: str) -> int | None:
    """An integer parameter, None if absent. Raises HTTPException 400 above 18 digits, which a BIGINT may not hold."""
    value = request.query_params.get(name, "").strip()
    if not value:
        return None
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise HTTPException(400, f"{name} is {value[:80]!r}; it accepts a whole number")
    return int(value)
