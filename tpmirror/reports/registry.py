"""The named reports: what each one answers, by what it can be split, and which options it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final

from sqlalchemy import Connection

from tpmirror.config import CreditPrice
from tpmirror.errors import UsageError
from tpmirror.reports import as_of, costs, failures, forecast, statement, storage, turnaround
from tpmirror.reports import transitions as changes
from tpmirror.reports.eta import eta
from tpmirror.reports.model import Report, plain
from tpmirror.reports.period import Period, instant, period
from tpmirror.reports.reconcile import reconcile
from tpmirror.reports.runs import syncs
from tpmirror.store.prices import Prices, known


@dataclass(frozen=True, slots=True)
class ReportParams:
    """The options of the command, None where one was not given."""

    now: datetime
    start: str | None = None
    end: str | None = None
    by: str | None = None
    as_of: str | None = None
    month: str | None = None
    budget: float | None = None
    price: CreditPrice | None = None

    @property
    def period(self) -> Period:
        """The days asked for. Raises UsageError."""
        return period(self.start, self.end, self.now.date())

    @property
    def moment(self) -> datetime:
        """The moment asked for, else now. Raises UsageError."""
        return self.now if self.as_of is None else instant("--as-of", self.as_of, self.now.date())

    def prices(self, conn: Connection) -> Prices:
        """Prices of a Credit: those that the mirror noted, and from this month on the setting's."""
        return known(conn, self.price, self.now.date())


ReportFunc = Callable[[Connection, ReportParams, str], Report]
"""Makes a report; the text is the column to split by, empty if it cannot be split."""


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """A report to choose: what it answers, by what it can be split (the first is the default), its other options."""

    about: str
    run: ReportFunc
    by: tuple[str, ...] = ()
    options: frozenset[str] = frozenset()


PERIOD: Final = frozenset({"from", "to"})


def _statement(conn: Connection, asked: ReportParams, month: str, by: str) -> Report:
    if by == "correction":
        return statement.earlier(conn, month, asked.prices(conn))
    return statement.statement(conn, month, asked.now.date(), asked.prices(conn))


REPORTS: Final = {
    "costs": ReportSpec(
        "Credits spent, with share and change",
        lambda c, q, by: costs.costs(c, q.period, by, q.now.date(), q.prices(c)),
        costs.BY,
        PERIOD,
    ),
    "forecast": ReportSpec(
        "the month's Credits: to date, forecasts with their errors, budget",
        lambda c, q, _: forecast.forecast(c, q.now.date(), q.budget, q.prices(c)),
        options=frozenset({"budget"}),
    ),
    "statement": ReportSpec(
        "a month as it is billed: charges, corrections to earlier months, total",
        lambda c, q, by: _statement(c, q, statement.month_of(q.month, q.now.date()), by),
        statement.BY,
        options=frozenset({"month"}),
    ),
    "ledger": ReportSpec(
        "what was charged and corrected by month, or each correction",
        lambda c, q, by: (costs.corrections if by == "correction" else costs.ledger)(c, q.period, q.prices(c)),
        costs.LEDGER_BY,
        PERIOD,
    ),
    "reconcile": ReportSpec("whether all sums of money agree, to the last unit", lambda c, _, __: reconcile(c)),
    "turnaround": ReportSpec(
        "how long jobs wait and take: percentiles, with bounds",
        lambda c, q, by: turnaround.turnaround(c, q.period, by, q.now.date()),
        turnaround.BY,
        PERIOD,
    ),
    "failures": ReportSpec(
        "failures and cancellations",
        lambda c, q, by: failures.failures(c, q.period, by, q.now.date(), q.prices(c)),
        failures.BY,
        PERIOD,
    ),
    "eta": ReportSpec(
        "how far off upstream's ETA was, by model and progress", lambda c, q, _: eta(c, q.period), options=PERIOD
    ),
    "storage": ReportSpec(
        "outputs that take space upstream, and what deleting them would free",
        lambda c, q, by: storage.storage(c, by, q.now, q.period),
        storage.BY,
        PERIOD,
    ),
    "transitions": ReportSpec(
        "status changes that the mirror saw", lambda c, q, by: changes.transitions(c, q.period, by), changes.BY, PERIOD
    ),
    "history": ReportSpec(
        "each job's status at a moment, as known and as true then",
        lambda c, q, by: as_of.as_of(c, q.moment, by),
        as_of.BY,
        frozenset({"as-of"}),
    ),
    "sync": ReportSpec(
        "runs of the mirror, and whether it is proven complete", lambda c, q, _: syncs(c, q.period), options=PERIOD
    ),
}


def list_reports() -> Report:
    """The report that lists all reports."""
    rows = [
        {"report": name, "by": ", ".join(one.by), "options": ", ".join(sorted(one.options)), "about": one.about}
        for name, one in REPORTS.items()
    ]
    columns = plain(report="report", about="answers", by="--by")
    notes = ["The first of --by is what a report is split by if you do not say."]
    return Report("Reports: tpmirror report NAME", columns, rows, notes)


def run_report(conn: Connection, name: str, params: ReportParams) -> Report:
    """The report of that name. Raises UsageError for an unknown name, option or value."""
    chosen = REPORTS.get(name)
    if chosen is None:
        near = get_close_matches(name, REPORTS, 1)
        meant = f"did you mean {near[0]}? They are" if near else "it is one of"
        raise UsageError(f"there is no report {name[:40]!r}; {meant} {', '.join(REPORTS)}")
    for option, value in {"from": params.start, "to": params.end, "as-of": params.as_of, "month": params.month}.items():
        if value is not None and option not in chosen.options:
            takers = [other for other, report in REPORTS.items() if option in report.options]
            raise UsageError(f"report {name} takes no --{option}; it goes with {', '.join(takers)}")
    by = params.by or (chosen.by[0] if chosen.by else "")
    if by and by not in chosen.by:
        accepted = f"it accepts {', '.join(chosen.by)}" if chosen.by else "it cannot be split"
        raise UsageError(f"report {name} knows no --by {by[:40]!r}; {accepted}")
    return chosen.run(conn, params, by)
