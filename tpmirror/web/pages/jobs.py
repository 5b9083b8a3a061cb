"""Jobs: filter, sort and page through all of them; the URL holds the state. Also as CSV and JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.privileges import readable
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.store import queries
from tpmirror.store.queries import JobFilter
from tpmirror.web import downloads, templating
from tpmirror.web.cache import remembered

PER_PAGE: Final = 50
SORTS: Final = {
    "job_id": "Job",
    "status": "Status",
    "started": "Started",
    "finished": "Finished",
    "turnaround_s": "Took",
    "credits": "Credits",
}
"""Columns to sort by, with their headings."""
ORDERS: Final = {
    "-job_id": "newest first",
    "job_id": "oldest first",
    "-status": "finished first",
    "status": "canceled and failed first",
    "-started": "last started first",
    "started": "first started first",
    "-finished": "last finished first",
    "finished": "first finished first",
    "-turnaround_s": "longest first",
    "turnaround_s": "shortest first",
    "-credits": "dearest first",
    "credits": "cheapest first",
}
"""The values of ``sort``, with their labels."""
NEWEST: Final = "-job_id"
FILTERS: Final = {
    "q": "Name, text or number",
    "status": "Status",
    "model": "Model",
    "resolution": "Resolution",
    "presence": "Presence",
    "from": "From",
    "to": "Until",
    "input": "Input video",
    "owner": "Owner",
}
"""The parameters that filter the list, with their labels."""
IN_FLIGHT: Final = "in flight"
"""The value of ``status`` that selects every status that is not terminal."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of a request."""

    state: dict[str, str]
    """Every filter parameter as given, empty if absent."""
    wanted: JobFilter
    chosen: dict[str, list[Any]]
    """By filter with a list of choices: the values that the request selects."""
    choices: dict[str, list[Row]]

    @property
    def chips(self) -> list[dict[str, str]]:
        """The filters in force: the parameter of each, its label and its value."""
        set_ = [name for name in FILTERS if self.state[name]]
        return [{"key": name, "name": FILTERS[name], "value": self._label(name)} for name in set_]

    def _label(self, name: str) -> str:
        """The value of a filter, by the name of its choice."""
        chosen = self.chosen.get(name)
        names = {one["value"]: one["name"] for one in self.choices.get(name, ())}
        return str(names[chosen[0]] or chosen[0]) if chosen else self.state[name]


def page(request: Request) -> Response:
    """``/jobs``."""
    templating.check_parameters(request, *FILTERS, "sort", "page")
    order = templating.choice(request, "sort", ORDERS, NEWEST)
    number = _page_number(request)
    with templating.snapshot(request) as conn:
        columns = _columns(request, conn)
        asked = _asked(request, conn)
        key, conditions = tuple(asked.state.items()), asked.wanted.conditions
        offset = PER_PAGE * (number - 1)
        count = remembered(request, conn, ("jobs", key), lambda: queries.count_jobs(conn, conditions))
        pages = max(1, -(-count // PER_PAGE))
        if number > pages:
            raise HTTPException(400, f"page is {str(number)!r}; it accepts 1 to {pages:,}, as many as there are now")
        place = (conditions, PER_PAGE, order, offset)
        ids = remembered(request, conn, ("ids", key, order, number), lambda: queries.job_ids(conn, *place))
        found = queries.labelled_jobs(conn, ids)
        prices = templating.prices(request, conn)
    return templating.page(
        request,
        "jobs.html",
        jobs=[{**job, **prices.worth(job["credits"], job["month"])} for job in found],
        prices=prices,
        count=count,
        first=offset + 1,
        number=number,
        pages=pager(number, pages),
        asked=asked,
        state={**asked.state, "sort": "" if order == NEWEST else order},
        order=order,
        orders=ORDERS,
        headings=SORTS,
        has_owners=view("job_overview").c.input_owner in columns,
    )


def csv(request: Request) -> Response:
    """``/jobs.csv``: every job that the filter lets through, all columns that the role may read."""
    with templating.snapshot(request) as conn:
        columns = _columns(request, conn)
    return downloads.csv(request, "jobs", [column.name for column in columns], _all(request))


def json(request: Request) -> Response:
    """``/jobs.json``: every job that the filter lets through, as JSON."""
    return downloads.json(request, "jobs", _all(request))


def pager(number: int, pages: int, around: int = 2) -> list[int | None]:
    """The pages to link to: the first, the last, and those around this one; None where some are left out. Pure."""
    near = range(max(1, number - around), min(pages, number + around) + 1)
    shown = sorted({1, *near, pages})
    linked: list[int | None] = []
    for page_ in shown:
        if linked and page_ - (linked[-1] or 0) == 2:
            linked.append(page_ - 1)
        elif linked and page_ - (linked[-1] or 0) > 2:
            linked.append(None)
        linked.append(page_)
    return linked


def _all(request: Request) -> Callable[[Connection], Select[Any]]:
    templating.check_parameters(request, *FILTERS)
    newest = view("job_overview").c.job_id.desc()

    def wanted(conn: Connection) -> Select[Any]:
        conditions = _asked(request, conn).wanted.conditions
        return select(*_columns(request, conn)).where(*conditions).order_by(newest)

    return wanted


def _columns(request: Request, conn: Connection) -> list[Column[Any]]:
    """The columns of a job that the role may read. Raises HTTPException 400 for a filter by one that it may not."""
    jobs = view("job_overview")
    found = readable(conn, jobs)
    if request.query_params.get("owner") and jobs.c.input_owner not in found:
        raise HTTPException(400, "owner: the dashboard reads the mirror as a role that may not see owners")
    return found


def _asked(request: Request, conn: Connection) -> Asked:
    """The filter of a request. Raises HTTPException 400 for an invalid value."""
    state = {name: templating.query_text(request, name) for name in FILTERS}
    choices = remembered(request, conn, "choices", lambda: queries.job_choices(conn))
    in_flight = state["status"].casefold().replace("-", " ") == IN_FLIGHT
    chosen = {
        name: [] if name == "status" and in_flight else _chosen(name, state[name], choices)
        for name in ("status", "model", "resolution", "presence")
    }
    wanted = JobFilter(
        statuses=chosen["status"],
        in_flight=in_flight,
        models=chosen["model"],
        resolution="".join(chosen["resolution"]),
        presence="".join(chosen["presence"]),
        first=_day("from", state["from"]),
        last=_day("to", state["to"]),
        input_video=templating.whole(request, "input"),
        owner=state["owner"],
        text=state["q"],
    )
    return Asked(state, wanted, chosen, choices)


def _chosen(name: str, text: str, choices: Mapping[str, list[Row]]) -> list[Any]:
    """The choices of a filter that match a text by name or value. Raises HTTPException 400."""
    if not text:
        return []
    found = queries.choose(choices[name], text)
    if not found:
        also = f"{IN_FLIGHT}, " if name == "status" else ""
        raise HTTPException(400, f"{name} is {text[:80]!r}; it accepts {also}{queries.accepted(choices[name])}")
    return found


def _day(name: str, text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.max
    if day is not None and not 1900 <= day.year <= 9000:
        raise HTTPException(400, f"{name} is {text[:80]!r}; it accepts a day such as 2026-11-30")
    return day


def _page_number(request: Request) -> int:
    number = templating.whole(request, "page")
    if number is not None and number < 1:
        raise HTTPException(400, f"page is {str(number)!r}; it accepts 1 and more")
    return number or 1
