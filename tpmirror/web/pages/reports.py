"""The statement of a month as a page for print, and every report as a file: what ``tpmirror report`` prints."""

from datetime import UTC, datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db.types import Row
from tpmirror.months import add_months, days_of_month
from tpmirror.reports import statement as months
from tpmirror.reports.model import Report
from tpmirror.reports.registry import REPORTS, ReportParams, run_report
from tpmirror.reports.statement import EARLIER
from tpmirror.web import downloads, ranges, templating
from tpmirror.web.cache import remembered
from tpmirror.web.filters import query
from tpmirror.web.pages.costs import check_owner
from tpmirror.web.tables import table

CORRECTIONS: Final = 200
"""Corrections to earlier months on the page; the files have all."""
NAMES: Final = ("by", "from", "to", "as-of", "month")


def statement(request: Request) -> Response:
    """``/statement``; ``month`` as the command takes it, by default the last complete one."""
    templating.check_parameters(request, "month")
    today = datetime.now(UTC).date()
    with ranges.refusing():
        month = months.month_of(request.query_params.get("month") or None, today)
    with templating.snapshot(request) as conn:
        prices = templating.prices(request, conn)
        lines, corrections = (
            remembered(request, conn, (name, month, today, prices), report)
            for name, report in {
                "statement": lambda: months.statement(conn, month, today, prices),
                "earlier": lambda: months.earlier(conn, month, prices),
            }.items()
        )
    bar, first = _bar(*corrections.rows), days_of_month(month)[0]
    after = add_months(first, 1)
    named = ("statement", "--month", month)
    return templating.page(
        request,
        "statement.html",
        month=month,
        before=str(add_months(first, -1))[:7],
        after=str(after)[:7] if after <= today else None,
        lines=table(lines, *named, links={"line": lambda row: bar if row["line"] == EARLIER else None}),
        corrections=table(
            corrections, *named, "--by", "correction", links={"charged_in": _bar}, limit=CORRECTIONS,
            empty="No cost of an earlier month was corrected in it.",
        ),
    )  # fmt: skip


def csv(request: Request) -> Response:
    """``/report/NAME.csv``: what ``tpmirror report NAME --format csv`` prints."""
    return downloads.report_csv(request.path_params["name"], _asked(request))


def json(request: Request) -> Response:
    """``/report/NAME.json``: what ``tpmirror report NAME --format json`` prints."""
    return downloads.report_json(request.path_params["name"], _asked(request))


def _asked(request: Request) -> Report:
    """The report of a request. Raises HTTPException 400 and 404."""
    templating.check_parameters(request, *NAMES)
    name, given = request.path_params["name"], request.query_params
    if name not in REPORTS:
        raise HTTPException(404)
    settings = request.app.state.settings
    budget = None if settings.budget_monthly is None else float(settings.budget_monthly)
    params = ReportParams(
        datetime.now(UTC),
        start=given.get("from"),
        end=given.get("to"),
        by=given.get("by"),
        as_of=given.get("as-of"),
        month=given.get("month"),
        budget=budget,
        price=settings.credit_price,
    )
    with templating.snapshot(request) as conn, ranges.refusing():
        check_owner(conn, given.get("by", ""))
        return run_report(conn, name, params)


def _bar(*rows: Row) -> str | None:
    """The bar of the oldest month in which some jobs were charged, on a chart that begins with it."""
    charged = [row["charged_in"] for row in rows if row["charged_in"] is not None]
    return f"/costs{query({'per': 'month', 'from': min(charged)})}#costs-{min(charged)}" if charged else None
