"""Tables on a terminal, and what commands that read the API print of a run."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from tpmirror.cli.options import print_json
from tpmirror.db.types import Row
from tpmirror.formatting import escape_terminal
from tpmirror.reports import formats
from tpmirror.reports.model import AMOUNT, Report, plain
from tpmirror.store import runs

MOST_ROWS: Final = 50
"""Rows of a table shown."""
SHORT: Final = 20
"""Characters up to which a text is not broken into lines."""


def show_table(title: str, rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "none") -> None:
    """A table of rows on stdout: a heading for each column shown, numbers to the right."""
    _show(Report(title, plain(**columns), rows), empty)


def _show(report: Report, empty: str = "none") -> None:
    """The table of a report on stdout. Long ones are cut."""
    from rich import box
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    lines, right = [formats.shown(report, row) for row in report.rows], formats.numeric(report)
    if not lines:
        console.print(Text(f"{report.title}: {empty}"))
        return
    console.print(Text(report.title, style="bold"))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, (name, column) in enumerate(report.columns.items()):
        free_text = name not in right and any(_breaks(line[place]) for line in lines)
        justify: JustifyMethod = "right" if name in right else "left"
        # A long heading over short numbers must not make rich cut other columns.
        heading = column.heading.replace(" ", "\n") if name in right else column.heading
        table.add_column(heading, justify=justify, no_wrap=not free_text, overflow="fold")
    for line in lines[:MOST_ROWS]:
        table.add_row(*map(Text, line))
    console.print(table)
    if len(lines) > MOST_ROWS:
        console.print(Text(f"... and {len(lines) - MOST_ROWS:,} more; --json lists all"))


def _breaks(text: str) -> bool:
    """Whether a text may stand in several lines: long ones, and words; a time may not."""
    return len(text) > SHORT or (" " in text and not text[:1].isdigit())


def show_report(name: str, report: Report, form: str) -> None:
    """Print a report as a table with its notes, or in a format of ``formats.TEXTS``."""
    if form == "table":
        _show(report)
        for note in report.notes:
            click.echo(escape_terminal(note))
        return
    text = formats.TEXTS[form](name, report)
    if sys.stdout.isatty() and form != "json":  # a file gets the text as it is; JSON escapes control characters
        text = escape_terminal(text, keep_lines=True)
    click.echo(text, nl=False, color=True)  # without color, click strips from names what resembles a colour code


def show_statuses(rows: list[Row]) -> None:
    """Jobs and Credits by status, and amounts if the rows have some."""
    columns = plain(name="status", jobs="jobs", credits="Credits")
    _show(Report("Jobs by status", columns | (AMOUNT if rows and "amount" in rows[0] else {}), rows))


def show_months(rows: list[Row]) -> None:
    """Credits by month."""
    show_table("Credits by month", rows, {"month": "month", "jobs": "jobs", "credits": "Credits"})


def show_runs(rows: list[Row]) -> None:
    """Runs of the syncer, newest first."""
    columns = {
        "id": "run",
        "kind": "kind",
        "outcome": "outcome",
        "certified": "certified",
        "started_at": "started",
        "jobs_inserted": "new",
        "jobs_updated": "changed",
        "transitions": "status changes",
    }
    show_table("Last runs (times in UTC)", rows, columns, empty="none yet; run tpmirror sync")


def show_history(job_id: int, found: dict[str, list[dict[str, Any]]]) -> None:
    """Every transition and change of a job."""
    columns = {"to_name": "status", "not_before": "not before", "observed_at": "observed", "occurred_at": "stated"}
    show_table(f"Status of job {job_id} (times in UTC)", found["status_changes"], columns)
    changes = [{**row, "what": _what(row)} for row in found["field_changes"]]
    columns = {"observed_at": "observed", "what": "field", "old_value": "before", "new_value": "after"}
    columns = {name: heading for name, heading in columns.items() if all(name in row for row in changes)}
    show_table(f"Other changes of job {job_id} and its videos (times in UTC)", changes, columns)


def _what(row: Row) -> str:
    return row["field"] if row["entity"] == "job" else f"{row['entity']}.{row['field']}"


def show_comparison(title: str, differences: list[Row], not_held: list[Row], *, as_json: bool) -> None:
    """Where the mirror and the API differ and what cannot be held, as tables or as JSON."""
    if as_json:
        print_json({"differences": differences, "not_held": not_held})
        return
    show_table(title, differences, {name: name for name in ("entity", "id", "field", "mirror", "upstream")})
    if not_held:
        columns = {"job_id": "job", "reason": "what and why", "accepted": "accepted"}
        show_table("Not held as the API shows it", not_held, columns)


def show_run(row: dict[str, Any], *, as_json: bool) -> None:
    """How a run ended, in a few lines or as JSON."""
    shown = runs.as_json(row)
    if as_json:
        print_json(shown)
    else:
        _summarize(row, shown["certificate"])


def _summarize(row: dict[str, Any], certificate: dict[str, Any] | None) -> None:
    seconds = (row["finished_at"] - row["started_at"]).total_seconds()
    click.echo(f"Mirrored {row['jobs_seen']:,} jobs in {seconds:.1f} s with {row['requests']:,} requests")
    counts = {"new": "jobs_inserted", "changed": "jobs_updated", "unchanged": "jobs_unchanged"}
    parts = [f"{row[column]:,} {word}" for word, column in counts.items()]
    click.echo(
        f"Jobs: {', '.join(parts)}; {row['transitions']:,} status changes, {row['field_changes']:,} other changes"
    )
    if row["quarantined"]:
        click.echo(f"Warning: {row['quarantined']:,} values or items could not be held: tpmirror quarantine list")
    if certificate is None:
        return
    if row["certified"]:
        count, when = f"{certificate['count']:,}", certificate["counted_at"]
        accepted = certificate["accepted"]
        faults = f", but for {accepted:,} whose faults an operator accepted" if accepted else ""
        click.echo(f"Certified: the mirror holds all {count} jobs that were listed at {when}{faults}")
    else:
        click.echo(f"Not certified: {escape_terminal(certificate['reason'])}")
