"""Jobs: filter, sort and page through all of them; the URL holds the state. Also as CSV and JSON."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NoReturn

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.privileges import readable
from tpmirror.db.types import CENT_OF_CENT
from tpmirror.db.views import view
from tpmirror.store.queries import PRESENCES, Cursor, JobFilter, job_choices, job_ids, labelled_jobs
from tpmirror.web import downloads, templating
from tpmirror.web.cache import remembered

PER_PAGE: Final = 50
SORTS: Final = {
    "job_id": "Job",
    "started": "Started",
    "finished": "Finished",
    "credits": "Credits",
    "turnaround_s": "Took",
}
"""Columns to sort by, with their headings; ``-`` before one means the largest first."""
FILTERS: Final = ("status", "model", "resolution", "presence", "from", "to", "owner", "q")


def page(request: Request) -> Response:
    """``/jobs``."""
    wanted = conditions(request)
    order = templating.choice(request, "sort", (*SORTS, *(f"-{name}" for name in SORTS)), "-job_id")
    place = _place(request.query_params.get("after", ""), order)
    state = {name: request.query_params.get(name, "") for name in FILTERS} | {
        "sort": request.query_params.get("sort", "")
    }
    asked = tuple(sorted(state.items()))
    with templating.snapshot(request) as conn:
        columns = _columns(request, conn)
        ids = remembered(request, conn, ("ids", asked, place), lambda: _ids_of_page(conn, wanted, order, place))
        found = labelled_jobs(conn, ids)
        whole = place is None and len(ids) <= PER_PAGE  # then the page itself says how many there are
        count = len(ids) if whole else remembered(request, conn, ("jobs", asked), lambda: _count(conn, wanted))
        choices = remembered(request, conn, "choices", lambda: job_choices(conn))
        prices = templating.prices(request, conn)
    more = found[PER_PAGE - 1] if len(found) > PER_PAGE else None
    return templating.page(
        request,
        "jobs.html",
        jobs=[{**job, **prices.worth(job["credits"], job["month"])} for job in found[:PER_PAGE]],
        prices=prices,
        count=count,
        choices=choices,
        state=state,
        order=order,
        headings=SORTS,
        has_owners=view("job_overview").c.input_owner in columns,
        after=more and _cursor_text(more[order.lstrip("-")], more["job_id"]),
        is_first=place is None,
    )


def csv(request: Request) -> Response:
    """``/jobs.csv``: every job that the filter lets through, all columns that the role may read."""
    with templating.snapshot(request) as conn:
        columns = _columns(request, conn)
    return downloads.csv(request, "jobs", [column.name for column in columns], _all(request))


def json(request: Request) -> Response:
    """``/jobs.json``: the same."""
    return downloads.json(request, "jobs", _all(request))


def _all(request: Request) -> Callable[[Connection], Select[Any]]:
    wanted, newest = conditions(request), view("job_overview").c.job_id.desc()
    return lambda conn: select(*_columns(request, conn)).where(*wanted).order_by(newest)


def _columns(request: Request, conn: Connection) -> list[Column[Any]]:
    """The columns of a job that the role may read. Raises HTTPException 400 for a filter by one that it may not."""
    jobs = view("job_overview")
    found = readable(conn, jobs)
    if request.query_params.get("owner") and jobs.c.input_owner not in found:
        raise HTTPException(400, "owner: the dashboard reads the mirror as a role that may not see owners")
    return found


def conditions(request: Request) -> list[ColumnElement[bool]]:
    """The filter of a request. Raises HTTPException 400 for a value that makes no sense."""
    status, model = templating.whole(request, "status"), templating.whole(request, "model")
    last = _day(request, "to")
    wanted = JobFilter(
        statuses=() if status is None else (status,),
        models=() if model is None else (model,),
        resolution=templating.query_text(request, "resolution"),
        presence=templating.choice(request, "presence", PRESENCES, ""),
        since=_day(request, "from"),
        before=last and last + timedelta(days=1),
        owner=templating.query_text(request, "owner"),
        text=templating.query_text(request, "q"),
    )
    return wanted.conditions


def _day(request: Request, name: str) -> datetime | None:
    value = request.query_params.get(name, "").strip()
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if 1900 <= day.year <= 9000 else _beyond(value)
    except ValueError:
        raise HTTPException(400, f"{name} is {value[:80]!r}; it accepts a day such as 2026-11-30") from None


def _beyond(value: str) -> NoReturn:
    raise ValueError(value)


def _ids_of_page(conn: Connection, wanted: list[ColumnElement[bool]], order: str, place: Cursor | None) -> list[int]:
    """The ids of a page, and one more. Null sorts last either way: rows with a value come first, then the others."""
    key = view("job_overview").c[order.lstrip("-")]
    ids: list[int] = []
    if place is None or place.value is not None:
        ids = job_ids(conn, [*wanted, key.is_not(None)], PER_PAGE + 1, order, place)
        place = None
    if len(ids) <= PER_PAGE and key.name != "job_id":
        ids += job_ids(conn, [*wanted, key.is_(None)], PER_PAGE + 1 - len(ids), place=place)
    return ids


def _cursor_text(value: Any, job_id: int) -> str:
    """A place as text for the URL."""
    return f"{value.isoformat() if isinstance(value, datetime) else '' if value is None else value}~{job_id}"


def _place(text: str, order: str) -> Cursor | None:
    """A place from the URL. Raises HTTPException 400."""
    if not text:
        return None
    value, _, job_id = text.rpartition("~")
    try:
        return Cursor(_parsed(value, order.lstrip("-")), _number(job_id, int))
    except (ValueError, ArithmeticError):
        raise HTTPException(400, "after is no place that a page of jobs ended at; begin with the first page") from None


def _parsed(value: str, name: str) -> Any:
    """A value of a sort column from its text."""
    if not value:
        return None
    if name in {"started", "finished"}:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else _beyond(value)
    kinds: dict[str, Callable[[str], Any]] = {"job_id": int, "credits": _money}
    return _number(value, kinds.get(name, float))


def _money(text: str) -> Decimal:
    return Decimal(text).quantize(CENT_OF_CENT)


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    """A number that a database can hold; NaN is not below anything."""
    number = kind(text)
    return number if abs(number) < 2**63 else _beyond(text)


def _count(conn: Connection, wanted: list[ColumnElement[bool]]) -> int:
    jobs = view("job_overview").c
    return conn.execute(select(func.count(jobs.job_id)).where(and_(True, *wanted))).scalar_one()
