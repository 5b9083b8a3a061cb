"""Reports: stretches of time, status as of a moment, forecasts, formats, and every report by everything."""

import csv
import io
import json
import re
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from tests.support.account import connected, rows
from tpmirror.cli.main import cli
from tpmirror.cli.tables import show_report
from tpmirror.config import CreditPrice
from tpmirror.db.views import view
from tpmirror.errors import UsageError
from tpmirror.formatting import duration, to_json
from tpmirror.reports.as_of import known, possible
from tpmirror.reports.costs import growth, in_turn
from tpmirror.reports.forecast import backtest, forecast, outlook, seasonal_naive
from tpmirror.reports.formats import TEXTS
from tpmirror.reports.model import Report, percentile, plain
from tpmirror.reports.period import Period, instant, period
from tpmirror.reports.registry import REPORTS, ReportParams, run_report
from tpmirror.store.account import set_price
from tpmirror.store.prices import Prices
from tpmirror.store.queries import jobs_by_status
from tpmirror.web.pages.overview import _credits, _spent

TODAY = date(2026, 11, 25)
STRETCHES = {
    "2026-10-05": ("2026-10-05", "2026-10-06"),
    "2026-12": ("2026-12-01", "2027-01-01"),
    "2025": ("2025-01-01", "2026-01-01"),
    "yesterday": ("2026-11-24", "2026-11-25"),
    "last-month": ("2026-10-01", "2026-11-01"),
    "7d": ("2026-11-19", "2026-11-20"),
    "2m": ("2026-09-01", "2026-09-02"),
}


@pytest.mark.parametrize("text", STRETCHES)
def test_a_stretch_of_days_is_read(text):
    first, after = map(date.fromisoformat, STRETCHES[text])
    assert period(text, text, TODAY) == Period(first, after)


@pytest.mark.parametrize("text", ["", "x", "2026-13", "2026-1", "20261", "0000", "99999d", "9999-12", "7y", "٢٠٢٦"])
def test_what_is_no_stretch_is_refused_with_what_is_accepted(text):
    with pytest.raises(UsageError, match=r"--from is .*it accepts a day"):
        period(text, None, TODAY)


def test_the_stretch_before_whole_months_is_as_many_months():
    assert period("2026-03", "2026-03", TODAY).before() == Period(date(2026, 2, 1), date(2026, 3, 1))
    assert period("2026-03-10", "2026-03-11", TODAY).before() == Period(date(2026, 3, 8), date(2026, 3, 10))


def test_nothing_comes_before_the_calendar():
    assert period("1000", "2026", TODAY).before() is None
    assert period("0001-01-02", "2026-10-05", TODAY).before() is None


def test_a_moment_is_utc_unless_it_says_otherwise():
    assert instant("--as-of", "2026-10-05T14:30", TODAY) == datetime(2026, 10, 5, 14, 30, tzinfo=UTC)
    assert instant("--as-of", "2026-10-05T14:30+02:00", TODAY) == datetime(2026, 10, 5, 12, 30, tzinfo=UTC)
    assert instant("--as-of", "2026-10", TODAY) == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_is_none_in_utc_is_refused(text):
    with pytest.raises(UsageError, match="--as-of is"):
        instant("--as-of", text, TODAY)


def at(minute: float) -> datetime:
    return datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)


def change(to_status: int, observed: float, not_before: float | None = None, occurred: float | None = None):
    moments = {"not_before": not_before, "observed_at": observed, "occurred_at": occurred}
    return {"to_status": to_status, **{name: None if value is None else at(value) for name, value in moments.items()}}


WATCHED = [change(0, 5, occurred=0), change(1, 20, not_before=15), change(2, 40, not_before=35, occurred=38)]
"""Started at 0, seen at 5; processing began between 15 and 20; finished at 38, seen at 40."""


@pytest.mark.parametrize(
    ("minute", "seen", "true"),
    [
        (-1, None, []), (1, None, [0]), (5, 0, [0]), (14, 0, [0]), (17, 0, [0, 1]), (20, 1, [1]), (37, 1, [1]),
        (39, 1, [2]), (40, 2, [2]),
    ],
)  # fmt: skip
def test_as_of_tells_what_was_known_and_what_was_true(minute, seen, true):
    assert known(WATCHED, at(minute)) == seen
    assert possible(WATCHED, at(0), at(minute)) == true


def test_as_of_names_every_status_that_is_possible():
    late = [change(2, 60, occurred=30)]
    assert [possible(late, at(0), at(minute)) for minute in (-1, 10, 30)] == [[], [0, 1], [2]]
    skipped = [change(0, 5, occurred=0), change(2, 40, not_before=20, occurred=38)]
    assert [possible(skipped, at(0), at(minute)) for minute in (10, 30, 38)] == [[0], [0, 1], [2]]
    unstated = [change(1, 20)]
    assert possible(unstated, at(0), at(10)) == [0, 1]
    assert possible(unstated, None, at(10)) == []


def test_a_regular_account_is_forecast_without_error():
    days = {
        TODAY - timedelta(days=n): Decimal(10 if (TODAY - timedelta(days=n)).weekday() < 5 else 2) for n in range(400)
    }
    assert backtest(days, seasonal_naive, TODAY) == (0.0, 12)
    found = outlook(days, TODAY, budget=230)
    november = sum(10 if date(2026, 11, day).weekday() < 5 else 2 for day in range(1, 31))
    assert {row["method"]: row["forecast"] for row in found.rows}["seasonal naive"] == november
    assert "exceeded" in found.notes[-1]


def test_a_budget_of_nothing_is_a_budget():
    assert outlook({}, TODAY, 0).notes[-1] == "Budget: 0.00 Credits; both forecasts stay within it."
    assert outlook({TODAY: Decimal(1)}, TODAY, 0).notes[-1] == "Budget: 0.00 Credits; it is exceeded."


def test_an_account_without_a_past_has_a_forecast_too():
    assert [row["forecast"] for row in outlook({}, TODAY, None).rows] == [0, 0]


def test_a_day_that_has_cost_more_than_expected_takes_nothing_from_the_days_to_come():
    days = {TODAY - timedelta(days=n): Decimal(7) for n in range(1, 29)}
    before = outlook(days, TODAY, None).rows
    after = outlook({**days, TODAY: Decimal(107)}, TODAY, None).rows
    assert [late["forecast"] - early["forecast"] for early, late in zip(before, after, strict=True)] == [100, 100]


def test_the_dashboard_forecasts_what_the_report_does(lived_mirror, dialect):
    with connected(lived_mirror[dialect]) as conn:
        costs = view("daily_costs")
        days = {row.day: row.credits for row in conn.execute(select(costs.c.day, costs.c.credits)) if row.day}
        dearest = max(days, key=lambda day: days[day])
        for today in (max(days), dearest):
            told = {row["method"]: row["forecast"] for row in forecast(conn, today).rows}
            assert _credits(_spent(conn, today), today)["forecast"] == told["run rate"]


def test_previews_cost_nothing_by_status_either(lived_mirror, dialect):
    with connected(lived_mirror[dialect]) as conn:
        told = sum(row["credits"] for row in jobs_by_status(conn))
        priced = jobs_by_status(conn, Prices((("2026-01", EUR),)))
        assert priced == [{**row, **amount_of(row["credits"])} for row in jobs_by_status(conn)]
    jobs = rows(lived_mirror[dialect], "jobs")
    assert told == sum(job["cost_usd"] or 0 for job in jobs if not job["preview"])
    assert told != sum(job["cost_usd"] or 0 for job in jobs)


@pytest.mark.parametrize("terminal", [True, False])
def test_csv_keeps_a_name_as_it_is_and_lets_it_steer_no_terminal(terminal, monkeypatch, capsys):
    name = "clip\x1b]0;own\x07\x1b[31m\u202e"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    show_report("x", Report("", plain(name="name"), [{"name": name}]), "csv")
    said = capsys.readouterr().out
    assert (name in said) != terminal
    assert ("\x1b" in said or "\x07" in said or "\u202e" in said) != terminal


def test_json_lets_nothing_steer_a_terminal_and_loses_nothing():
    names = ["\x1b[31m", "\x9b31m", "\x7f", "\u202eexe.4pm", "\u2067", "日本"]
    told = to_json(names)
    assert json.loads(told) == names
    assert "日本" in told
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (-0.4, "0 s"), (-5, "-5 s"), (3 * 3600 + 20 * 60 + 5, "3 h 20 min"), (1e15, "11574074074 d 1 h")],
)
def test_any_length_of_time_can_be_shown(seconds, shown):
    assert duration(seconds) == shown


def test_a_percentile_is_one_of_the_values():
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.9, 1.0)] == [2.0, 4.0, 4.0]
    assert percentile([], 0.5) is None


def test_no_text_of_a_csv_begins_a_formula():
    report = Report("", plain(name="name", number="number"), [{"name": "=1+1", "number": -5}])
    assert list(csv.reader(io.StringIO(TEXTS["csv"]("x", report), newline="")))[1] == ["'=1+1", "-5"]


def test_markdown_keeps_its_table_whatever_a_name_holds():
    report = Report("t", plain(name="name"), [{"name": "a|b<c>`d`"}])
    assert TEXTS["markdown"]("x", report).splitlines()[-1] == r"| a\|b\<c>\`d\` |"


SPLITS = [(name, by) for name, report in REPORTS.items() for by in (report.by or (None,))]


@pytest.mark.parametrize(("name", "by"), SPLITS)
def test_every_report_answers_by_everything_and_alike_on_both_databases(name, by, lived_mirror):
    now, found = datetime.now(UTC), []
    month = "this-month" if name == "statement" else None  # the mirror saw its corrections today
    for url in lived_mirror.values():
        with connected(url) as conn:
            found.append(run_report(conn, name, ReportParams(now, by=by, month=month)))
    assert found[0].rows
    assert all(set(found[0].columns) - {"p50", "p90", "p95", "max"} <= row.keys() for row in found[0].rows)
    assert len(found[0].rows) == len(found[1].rows)
    for form in TEXTS.values():
        assert form(name, found[0])


def test_only_whole_months_and_days_are_compared(lived_mirror, dialect):
    with connected(lived_mirror[dialect]) as conn:
        (newest, *_) = run_report(conn, "costs", ReportParams(datetime(2099, 1, 1, tzinfo=UTC), by="day")).rows
        for by, key in {"day": newest["day"], "month": f"{newest['day']:%Y-%m}"}.items():
            now = datetime.combine(newest["day"], datetime.min.time(), UTC)
            running, *over = run_report(conn, "costs", ReportParams(now, by=by)).rows
            assert (running[by], running["change"], running["complete"]) == (key, None, False)
            assert all(row["complete"] for row in over)
            later = run_report(conn, "costs", ReportParams(now + timedelta(days=31), by=by)).rows
            for found in (over, later):
                pairs = [(row, before) for row, before in pairwise(found) if before["credits"]]
                compared = [(row, before) for row, before in pairs if follows(row[by], before[by])]
                assert compared
                for row, before in compared:
                    assert row["change"] == round(float(row["credits"] / before["credits"]) - 1, 4)
                told = {row[by] for row, _ in compared}
                assert all(row["change"] is None for row in found if row[by] not in told)


def follows(key: Any, before: Any) -> bool:
    """Whether one day or month comes right after another."""
    if isinstance(key, str):
        return key == f"{date.fromisoformat(f'{before}-28') + timedelta(days=4):%Y-%m}"
    return key == before + timedelta(days=1)


def test_a_running_month_and_one_that_was_cut_say_so_and_are_not_compared():
    months = [{"key": f"2026-{month:02}", "credits": Decimal(month)} for month in (8, 9, 10, 11)]
    rows = in_turn([{"key": None, "credits": Decimal(1)}, *months], Period(date(2026, 8, 2)), TODAY)
    named = {row.pop("key"): row for row in rows}
    assert {key: (row["change"], row["complete"]) for key, row in named.items()} == {
        None: (None, False),
        "2026-11": (None, False),
        "2026-10": (0.1111, True),
        "2026-09": (None, True),
        "2026-08": (None, False),
    }
    gap = in_turn([months[0], months[2]], Period(), TODAY)
    assert [row["change"] for row in gap] == [None, None], "without a job in September there is nothing to compare with"
    (column,) = growth("month", TODAY).values()
    assert column.show
    shown = [column.show({"month": key, **row}) for key, row in named.items()]
    assert shown == ["-", "so far", "+11.1%", "-", "in part"]


@pytest.mark.parametrize("by", REPORTS["costs"].by)
def test_costs_by_anything_sum_to_what_the_jobs_cost(by, lived_mirror, dialect):
    with connected(lived_mirror[dialect]) as conn:
        found = run_report(conn, "costs", ReportParams(datetime.now(UTC), by=by))
    jobs = rows(lived_mirror[dialect], "jobs")
    truth = sum(job["cost_usd"] or 0 for job in jobs if not job["preview"])
    assert sum(row["credits"] for row in found.rows) == found.summary["credits"] == truth


@pytest.mark.parametrize("by", REPORTS["failures"].by)
def test_failures_by_anything_count_every_job_once(by, lived_mirror, dialect):
    with connected(lived_mirror[dialect]) as conn:
        found = run_report(conn, "failures", ReportParams(datetime.now(UTC), by=by)).rows
    jobs = rows(lived_mirror[dialect], "jobs")
    for name, codes in {"finished": {2}, "failures": {-1}, "cancellations": {-2}, "ended": {2, -1, -2}}.items():
        assert sum(row[name] for row in found) == sum(job["status"] in codes for job in jobs), name
    assert sum(row["jobs"] for row in found) == len(jobs)
    lost = sum(job["cost_usd"] or 0 for job in jobs if job["status"] == -1 and not job["preview"])
    assert sum(row["credits_failed"] for row in found) == lost
    assert all(row["failure_rate"] == round(row["failures"] / row["ended"], 4) for row in found if row["ended"])


REFUSED = {
    "nix": "there is no report 'nix'",
    "costs --by foo": "it accepts month, day",
    "eta --by foo": "it cannot be split",
    "costs --as-of 2026": "it goes with history",
    "forecast --from 7d": "it goes with costs",
    "costs --format xml": "is not one of 'table', 'csv', 'json', 'markdown'",
    "costs --from 2026-12 --to 2026-11": "is after --to",
    "history --as-of soon": "or a time",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_answered_is_refused_in_one_line(words, lived_mirror):
    with pytest.raises((UsageError, click.UsageError), match=REFUSED[words]) as caught:
        cli.main(["report", *words.split(), "--database-url", lived_mirror["sqlite"]], standalone_mode=False)
    assert "\n" not in str(caught.value)


def test_json_is_one_document_with_exact_money(lived_mirror):
    words = ["report", "costs", "--json", "--database-url", lived_mirror["sqlite"]]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    document = json.loads(done.stdout)
    assert document["report"] == "costs"
    assert sum(Decimal(row["credits"]) for row in document["rows"]) == Decimal(document["summary"]["credits"])


EUR = CreditPrice(Decimal("0.123457"), "EUR")
PRICED = {"costs": "credits", "failures": "credits_failed", "forecast": "forecast", "statement": "credits"}
"""Reports with amounts, and the column of Credits that these stand beside."""


def amount_of(credits_: Decimal) -> dict[str, Any]:
    return {"amount": credits_ * EUR.amount, "currency": "EUR"}


@pytest.mark.parametrize("name", PRICED)
def test_amounts_stand_beside_credits_if_a_price_is_known_and_change_nothing_else(name, lived_mirror, dialect):
    now, column = datetime.now(UTC), PRICED[name]
    month = f"{now:%Y-%m}" if name == "statement" else None
    with connected(lived_mirror[dialect]) as conn:
        plain_, priced = (run_report(conn, name, ReportParams(now, month=month, price=one)) for one in (None, EUR))
    assert [{**row, **amount_of(row[column])} for row in plain_.rows] == priced.rows
    assert plain_.summary == {key: priced.summary[key] for key in plain_.summary}
    assert "amount" in priced.columns
    assert "amount" not in plain_.columns


@pytest.mark.parametrize("by", ["model", "codec"])
def test_what_crosses_months_of_several_prices_is_summed_by_month(by, lived_mirror, dialect):
    now, dear = datetime.now(UTC), CreditPrice(Decimal("0.200000"), "EUR")
    asked = [("costs", "month"), ("costs", by), ("failures", by)]
    with connected(lived_mirror[dialect]) as conn:
        unpriced = [run_report(conn, name, ReportParams(now, by=key)) for name, key in asked]
        months = sorted(row["month"] for row in unpriced[0].rows)
        set_price(conn, EUR, months[0])
        set_price(conn, dear, months[6])
        priced = [run_report(conn, name, ReportParams(now, by=key)) for name, key in asked]
        mixed = run_report(conn, "costs", ReportParams(now, by=by, price=CreditPrice(dear.amount, "USD")))
        conn.rollback()
    price_of = {month: (dear if month >= months[6] else EUR).amount for month in months}
    assert {row["month"]: row["amount"] for row in priced[0].rows} == {
        row["month"]: row["credits"] * price_of[row["month"]] for row in unpriced[0].rows
    }
    assert priced[0].summary == priced[1].summary
    assert sum(row["amount"] for row in priced[1].rows) == priced[1].summary["amount"]
    for with_, without in zip(priced, unpriced, strict=True):
        assert [{name: row[name] for name in row.keys() - {"amount", "currency"}} for row in with_.rows] == without.rows
    assert (mixed.summary["amount"], mixed.summary["currency"]) == (None, None)
    assert None in {row["currency"] for row in mixed.rows}


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_each_format_has_the_amounts(form, lived_mirror):
    words = ["report", "costs", "--by", "task", "--format", form, "--database-url", lived_mirror["sqlite"]]
    done = CliRunner().invoke(cli, [*words, "--credit-price", "12.5 EUR"], catch_exceptions=False)
    with connected(lived_mirror["sqlite"]) as conn:
        found = run_report(conn, "costs", ReportParams(datetime.now(UTC), by="task")).rows
    for row in found:
        amount = row["credits"] * Decimal("12.500000")
        assert (f"{amount:,.2f} EUR" if form in {"table", "markdown"} else str(amount)) in done.stdout
