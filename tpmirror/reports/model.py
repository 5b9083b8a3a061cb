"""What a report is: a title, columns, rows of plain data, and lines that say what the rows do not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from rich.filesize import decimal
from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select

from tpmirror import formatting
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.reports.period import Period, days_of
from tpmirror.store.prices import Prices


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table that people see: its heading, and how a row shows in it if not as its value is."""

    heading: str
    show: Callable[[Row], str] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An answer to show. People see ``columns``, programs all that is in ``rows``, and ``summary``."""

    title: str
    columns: dict[str, Column]
    rows: Sequence[Row]
    notes: list[str] = field(default_factory=list)
    """Sentences below the table."""
    summary: Row = field(default_factory=dict)
    """Figures of the whole, for programs."""
    whole: bool = False
    """Whether no column can be done without: where the width does not do, rows are stacked, and none is left out."""


def plain(**headings: str) -> dict[str, Column]:
    """Columns that show their values."""
    return {name: Column(heading) for name, heading in headings.items()}


AMOUNT: Final = {"amount": Column("amount", lambda row: formatting.money(row["amount"], row["currency"]))}
"""The column of what a row's Credits are in money."""


def percent(name: str, heading: str, *, signed: bool = False) -> dict[str, Column]:
    """A column of a ratio, as percents."""
    form = "{:+,.1%}" if signed else "{:,.1%}"
    return {name: Column(heading, lambda row: "-" if row[name] is None else form.format(row[name]))}


def money(prices: Prices) -> dict[str, Column]:
    """The column of amounts, if a price is known."""
    return AMOUNT if prices else {}


def in_money(worth: Row) -> str:
    """What Credits are in money, to stand behind them in a sentence; empty if no price is known."""
    return f", {formatting.money(**worth)}" if worth else ""


def partial(key: date | str, today: date) -> str:
    """What is said of a day, week or month whose row is not all of it: it is not over, or the period cuts it."""
    first, after = days_of(key)
    return "so far" if first <= today < after else "in part"


def marked(columns: dict[str, Column], by: str, today: date) -> dict[str, Column]:
    """The columns, whose figures say so in rows of months that are not ``complete``."""

    def mark(column: Column) -> Column:
        def show(row: Row) -> str:
            text = column.show(row) if column.show else ""
            return text if row["complete"] or row[by] is None else f"{text} {partial(row[by], today)}"

        return Column(column.heading, show)

    return {name: mark(column) for name, column in columns.items()}


def seconds(name: str, heading: str, *, signed: bool = False) -> dict[str, Column]:
    """A column of seconds, in the unit that suits."""

    def show(row: Row) -> str:
        value = row[name]
        if value is None:
            return "-"
        return ("+" if signed and value > 0 else "") + formatting.brief(value)

    return {name: Column(heading, show)}


def size(name: str, heading: str) -> dict[str, Column]:
    """A column of bytes, in powers of 1000."""
    return {name: Column(heading, lambda row: "-" if row[name] is None else decimal(row[name]))}


def oldest(conn: Connection, period: Period) -> int:
    """The smallest id of the jobs of a period.

    A number, which both databases carry into a view of single jobs: they work out those jobs, not all there are.
    """
    jobs = view("job_overview")
    return conn.execute(select(func.min(jobs.c.job_id)).where(*within(jobs, period))).scalar() or 0


def ends(conn: Connection, period: Period) -> tuple[int, int]:
    """The smallest and the largest id of the jobs of a period; see ``oldest``."""
    jobs = view("job_overview").c
    wanted = select(func.min(jobs.job_id), func.max(jobs.job_id)).where(*within(view("job_overview"), period))
    first, last = conn.execute(wanted).one()
    return first or 0, last or 0


def within(table: Table, period: Period, column: str = "day") -> list[ColumnElement[bool]]:
    """The conditions for rows of a view whose day lies in a period."""
    found: list[ColumnElement[bool]] = []
    if period.first is not None:
        found.append(table.c[column] >= period.first)
    if period.after is not None:
        found.append(table.c[column] < period.after)
    if found and table.name == "job_overview" and column == "day":
        found.append(_may_lie_within(table.c.finished, period))
    return found


def _may_lie_within(finished: ColumnElement[datetime], period: Period) -> ColumnElement[bool]:
    """What is true of each job whose day lies in a period; the index of ``finished`` serves it, the day has none."""
    bounds = [] if period.first is None else [finished >= start_of(period.first)]
    bounds += [] if period.after is None else [finished < start_of(period.after)]
    return or_(and_(*bounds), finished.is_(None))


def ratio(part: float | Decimal, whole: float | Decimal) -> float | None:
    """A share or a rate, four decimals; None of nothing."""
    return round(float(part) / float(whole), 4) if whole else None


def change(now: Decimal, before: Decimal | None) -> float | None:
    """By how much something grew, 0.1 for a tenth; None if there was nothing before."""
    return round(float(now / before) - 1, 4) if before else None


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that is not exceeded by ``share`` of them (nearest rank); None of none."""
    if not ordered:
        return None
    rank = -(-len(ordered) * share // 1)
    return ordered[max(int(rank), 1) - 1]
