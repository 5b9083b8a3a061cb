"""The command that answers named questions."""

from typing import Any, Final

import click

from tpmirror.cli import completion
from tpmirror.cli.options import EXIT_STATUS, Command, as_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention

STRETCH: Final = "a day, 2026-10, 2026, last-month, this-month, 7d, 4w, 6m"
WHEN: Final = completion.one_of("today", "yesterday", "this-month", "last-month", "this-year", "last-year")
MONTHS: Final = completion.one_of("last-month", "this-month")
FORMATS: Final = click.Choice(("table", "csv", "json", "markdown"))


class _ReportCommand(Command):
    """The command, whose help names the reports; they are loaded only for that."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the reports by name, with what each answers."""
        from tpmirror.reports.registry import REPORTS

        with formatter.section("Reports"):
            formatter.write_dl([(name, report.about) for name, report in REPORTS.items()])
        super().format_epilog(ctx, formatter)


@click.command(cls=_ReportCommand, epilog=EXIT_STATUS)
@click.argument("name", required=False, shell_complete=completion.reports)
@with_settings("budget_monthly", "credit_price")
@click.option("--from", "start", metavar="WHEN", shell_complete=WHEN, help=f"First day, UTC: {STRETCH}.")
@click.option("--to", "end", metavar="WHEN", shell_complete=WHEN, help="Last day, UTC, included; the same forms.")
@click.option(
    "--by",
    metavar="COLUMN",
    shell_complete=completion.splits,
    help="Split by this; tpmirror report lists the columns.",
)
@click.option("--as-of", metavar="TIME", help="For history: a moment in ISO 8601, or a day or month, at whose end.")
@click.option(
    "--month",
    metavar="MONTH",
    shell_complete=MONTHS,
    help="For statement: 2026-10, this-month or last-month, the default.",
)
@click.option("--format", "form", type=FORMATS, metavar="FORM", default="table", help="table, csv, json or markdown.")
@as_json
def report(settings: Settings, *, name: str | None, form: str, as_json: bool, **options: Any) -> None:
    """Answer a question about costs, times, failures or storage; without NAME list the reports there are.

    Exit status 3: report reconcile found sums that do not agree.
    """
    from datetime import UTC, datetime

    from tpmirror.cli.tables import show_report
    from tpmirror.reports.registry import ReportParams, list_reports, run_report

    form = "json" if as_json else form
    if name is None:
        show_report("reports", list_reports(), form)
        return
    budget = None if settings.budget_monthly is None else float(settings.budget_monthly)
    params = ReportParams(datetime.now(UTC), budget=budget, price=settings.credit_price, **options)
    with snapshot(settings) as conn:
        found = run_report(conn, name, params)
    show_report(name, found, form)
    if found.summary.get("agrees") is False:
        raise NeedsAttention
