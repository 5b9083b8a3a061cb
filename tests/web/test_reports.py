"""Pages and reports are one: tables of pages have the cells that ``tpmirror report`` prints, and files its bytes."""

import csv
import html
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest
from sqlalchemy import select

from tests.support.account import connected, query
from tests.support.served import dashboard
from tpmirror.db import views
from tpmirror.formatting import escape_terminal
from tpmirror.months import add_months
from tpmirror.reports.formats import shown, to_csv, to_json
from tpmirror.reports.model import Report
from tpmirror.reports.registry import REPORTS, ReportParams, run_report
from tpmirror.web import charts
from tpmirror.web.filters import NOTHING
from tpmirror.web.pages.data import examples

_CELL = re.compile(r"<t[hd][ >].*?</t[hd]>", re.DOTALL)
_COLOURED = re.compile(r'class="swatch (c\d+)"></i>(?:<a[^>]*>)?<bdi[^>]*>([^<]*)')


def tables(page: str) -> list[list[list[str]]]:
    """The tables of a page, as the text of their cells; white space as a terminal has it."""
    return [
        [
            [escape_terminal(html.unescape(re.sub("<.*?>", "", cell))) for cell in _CELL.findall(row)]
            for row in re.findall("<tr.*?</tr>", table, re.DOTALL)
        ]
        for table in re.findall("<table.*?</table>", page, re.DOTALL)
    ]


def report(url: str, name: str, **asked: Any) -> Report:
    """A report as of now."""
    with connected(url) as conn:
        return run_report(conn, name, ReportParams(datetime.now(UTC), **asked))


def printed(found: Report, columns: tuple[str, ...] = (), limit: int | None = None) -> list[list[str]]:
    """The cells of a report as a terminal has them; a page has its own dash."""
    rows = [dict(zip(found.columns, shown(found, row), strict=True)) for row in list(found.rows)[:limit]]
    return [[NOTHING if row[name] == "-" else row[name] for name in columns or found.columns] for row in rows]


PAGES: dict[str, list[tuple[str, dict[str, Any], tuple[str, ...], int | None]]] = {
    "/costs?from=all&per=month": [
        ("costs", {"by": "month", "end": "today"}, (), None),
        ("costs", {"by": "model", "end": "today"}, (), None),
        ("costs", {"by": "job", "end": "today"}, (), 25),
        ("ledger", {"end": "today"}, (), None),
        ("ledger", {"by": "correction", "end": "today"}, (), 25),
    ],
    "/costs?from=90d&per=week&by=owner": [
        ("costs", {"by": "week", "start": "90d", "end": "today"}, (), None),
        ("costs", {"by": "owner", "start": "90d", "end": "today"}, (), 25),
    ],
    "/operations?from=90d": [
        ("turnaround", {"by": "all", "start": "90d", "end": "today"}, (), None),
        ("turnaround", {"by": "resolution", "start": "90d", "end": "today"}, (), 25),
        ("failures", {"by": "month", "start": "90d", "end": "today"}, (), None),
        ("failures", {"by": "model", "start": "90d", "end": "today"}, (), 25),
        ("storage", {"by": "age", "start": "90d", "end": "today"}, (), None),
        ("storage", {"by": "output", "start": "90d", "end": "today"}, (), 25),
    ],
    "/statement?month=this-month": [
        ("statement", {"month": "this-month"}, (), None),
        ("statement", {"month": "this-month", "by": "correction"}, (), None),
    ],
    "/sync": [("sync", {}, ("id", "kind", "outcome", "started_at", "seconds", "proof", "jobs_seen"), 50)],
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_what_the_reports_print(path, lived_mirror, dialect):
    def reports() -> list[list[list[str]]]:
        url = lived_mirror[dialect]
        return [printed(report(url, name, **asked), columns, limit) for name, asked, columns, limit in PAGES[path]]

    before = reports()
    with dashboard(lived_mirror[dialect]) as client:
        page = tables(client.get(path).text)
    # An output may become a day older in between: what the page shows was true before it, or is after it.
    for (name, asked, columns, _), *wanted in zip(PAGES[path], before, reports(), strict=True):
        assert all(wanted)
        width = len(wanted[0][0]) if columns else None
        shown_ = [[row[:width] for row in table[1:]] for table in page]
        assert any(one in shown_ for one in wanted), (name, asked)


@pytest.mark.parametrize("name", REPORTS)
def test_a_file_of_a_report_is_what_the_command_prints(name, lived_mirror, dialect):
    asked = {"by": REPORTS[name].by[-1]} if REPORTS[name].by else {}
    # The made-up account's jobs go on by the second, and the report of a moment follows them: both are asked for one.
    moment = {"as-of": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"} if "as-of" in REPORTS[name].options else {}
    before = report(lived_mirror[dialect], name, **asked, as_of=moment.get("as-of"))
    with dashboard(lived_mirror[dialect]) as client:
        as_csv, as_json = (client.get(f"/report/{name}.{form}", params=asked | moment) for form in ("csv", "json"))
    found = report(lived_mirror[dialect], name, **asked, as_of=moment.get("as-of"))
    if name not in {"sync", "forecast"}:  # which say how old something is, by the second; others by the day
        assert as_csv.text in {to_csv(name, one) for one in (before, found)}
        assert as_json.text in {to_json(name, one) for one in (before, found)}
    assert as_csv.headers["content-disposition"] == f'attachment; filename="tpmirror-{name}.csv"'
    assert as_json.json()["report"] == name


def test_the_statement_of_last_month_is_the_ledger_to_the_last_unit(lived_mirror, dialect):
    url = lived_mirror[dialect]
    last = f"{add_months(datetime.now(UTC).date(), -1):%Y-%m}"
    ledger = views.view("cost_ledger")
    with connected(url) as conn:
        entries = conn.execute(select(ledger.c.month, ledger.c.kind, ledger.c.credits)).all()
    booked = [row for row in entries if row.month == last]
    assert booked
    with dashboard(url) as client:
        (lines, *_) = tables(client.get("/statement").text)
        file = list(csv.DictReader(io.StringIO(client.get("/report/statement.csv").text, newline="")))
        costs = [row for table in tables(client.get("/costs").text) for row in table if row[0] == last]
    total = sum(row.credits for row in booked)
    sums = {"total": total, "opening": sum((row.credits for row in entries if row.month < last), Decimal(0))}
    sums["charges"] = sum(row.credits for row in booked if row.kind == "charge")
    sums["closing"] = sums["opening"] + total
    page = {row[0]: row[2] for row in lines[1:]}
    assert {name: page[name] for name in sums} == {name: f"{value:,.4f}" for name, value in sums.items()}
    of_file = {row["line"]: Decimal(row["credits"]) for row in file}
    assert {name: of_file[name] for name in sums} == sums
    assert f"{total:,.4f}" in [row[3] for row in costs if len(row) == 4], "the ledger of the page of costs"


def test_the_line_of_corrections_to_earlier_months_leads_to_the_bar(lived_mirror, dialect):
    corrections = report(lived_mirror[dialect], "statement", month="this-month", by="correction").rows
    oldest = min(row["charged_in"] for row in corrections)
    with dashboard(lived_mirror[dialect]) as client:
        page = client.get("/statement?month=this-month").text
        (href,) = map(html.unescape, re.findall(r'<a href="([^"]*)"><bdi[^>]*>corrections to earlier months', page))
        chart = client.get(href.partition("#")[0]).text
    oldest = min(
        row["charged_in"]
        for row in report(lived_mirror[dialect], "statement", month="this-month", by="correction").rows
    )
    assert href.endswith(f"#costs-{oldest}")
    assert f'<tr id="costs-{oldest}">' in chart


def test_a_model_has_one_colour_on_every_page_and_in_every_time(lived_mirror, dialect):
    paths = ["/costs", "/costs?from=7d", "/costs?per=week&from=all", "/operations", "/operations?from=all"]
    seen: dict[str, set[str]] = {}
    with dashboard(lived_mirror[dialect]) as client:
        for path in paths:
            for colour, name in _COLOURED.findall(client.get(path).text):
                seen.setdefault(name, set()).add(colour)
    models = {name for (name,) in query(lived_mirror[dialect], "SELECT name FROM ml_models")}
    assert len(models & seen.keys()) > 8
    assert {name: seen[name] for name in models & seen.keys() if len(seen[name]) > 1} == {}
    assert len({min(seen[name]) for name in models & seen.keys()}) == len(models & seen.keys())


def test_jobs_behind_a_bar_and_of_a_model_are_those_that_it_sums_up(lived_mirror, dialect):
    url = lived_mirror[dialect]
    (month, credits_), *_ = query(
        url, "SELECT month, SUM(credits) FROM cost_by_model GROUP BY month ORDER BY month DESC"
    )
    (model, part), *_ = query(
        url, f"SELECT model, SUM(credits) FROM cost_by_model WHERE month = '{month}' GROUP BY model ORDER BY 2 DESC"
    )
    with dashboard(url) as client:
        whole = client.get("/costs", params={"from": month, "to": month}).text
        one = client.get("/costs", params={"from": month, "to": month, "of": model}).text
    assert f"jobs, {Decimal(str(credits_)).quantize(Decimal('0.0001')):,} Credits in all" in whole
    assert f"jobs, {Decimal(str(part)).quantize(Decimal('0.0001')):,} Credits in all" in one


def test_a_chart_has_no_more_bars_than_can_be_told_apart(lived_mirror, dialect):
    with dashboard(lived_mirror[dialect]) as client:
        for path in (
            "/costs?from=all&per=day",
            "/costs?from=1900-01-01&per=day",
            "/costs?from=all",
            "/costs?per=day&from=90d",
        ):
            assert 1 <= client.get(path).text.count('<tr id="costs-') <= 120, path
    assert charts.span("week", date(2026, 1, 1), date(2026, 1, 5)) == ["2026-W01", "2026-W02"]


def test_a_month_of_the_page_that_is_not_over_says_so(lived_mirror, dialect):
    now = datetime.now(UTC)
    with dashboard(lived_mirror[dialect]) as client:
        for path in ("/costs", "/operations?from=90d"):
            page = client.get(path).text
            assert re.search(rf"{now:%Y-%m}(</a>)? so far</th>", page), path


def test_each_view_has_three_questions_that_have_an_answer(lived_mirror, dialect):
    assert examples().keys() == views.sources("sqlite").keys()
    for name, some in examples().items():
        assert len(some) == 3, name
        for one in some:
            query(lived_mirror[dialect], one["sql"].rstrip(";"))
    assert query(lived_mirror[dialect], examples()["job_durations"][0]["sql"].rstrip(";"))


def test_each_view_is_a_file_of_three_kinds(lived_mirror, dialect):
    url = lived_mirror[dialect]
    with dashboard(url, TPMIRROR_CREDIT_PRICE="0.1 EUR") as client:
        for name in views.sources("sqlite"):
            (count,) = query(url, f"SELECT COUNT(*) FROM {name}")[0]
            columns = [column.name for column in views.view_columns(name)]
            table = list(csv.reader(io.StringIO(client.get(f"/data/{name}.csv").text, newline="")))
            parquet = pyarrow.parquet.read_table(io.BytesIO(client.get(f"/data/{name}.parquet").content))
            assert (table[0], len(table) - 1) == (columns, count), name
            assert (parquet.column_names, parquet.num_rows) == (columns, count), name
            assert len(client.get(f"/data/{name}.json").json()) == count, name


def test_the_dictionary_is_searched(lived_mirror, dialect):
    with dashboard(lived_mirror[dialect]) as client:
        found = client.get("/data", params={"q": "STABILIZATION"}).text
        assert "stabilization_smoothing" in found
        assert "sync_runs" not in found
        assert "Nothing has this word" in client.get("/data", params={"q": "zebra"}).text
        columns = {row[0]: row[1:3] for table in tables(client.get("/data/job_overview").text) for row in table[1:]}
    assert columns["preview"] == ["boolean", "integer"]
    assert columns["started"] == ["timestamp with time zone", "text"]
