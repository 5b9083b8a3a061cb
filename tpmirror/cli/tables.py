"""Tables on a terminal, and the summary of a run."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
from rich.filesize import decimal

from tpmirror.cli.colour import STATES
from tpmirror.cli.layout import Extent, Layout, arrange, extent
from tpmirror.cli.options import is_quiet, print_json, summarize
from tpmirror.db.types import Row
from tpmirror.formatting import cell, count, duration, escape_terminal, hanging
from tpmirror.reports import formats
from tpmirror.reports.model import AMOUNT, Report, plain, seconds
from tpmirror.store import runs

MOST_ROWS: Final = 50
"""Most rows of a table that are shown."""
ENDLESS: Final = 2**20
"""Width in columns where stdout is no terminal."""
SHORT: Final = 20
"""Longest text, in characters, that stays in one line."""


def show_table(
    title: str, rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "none", whole: bool = False
) -> None:
    """A table of rows on stdout: a heading for each column shown, numbers to the right.

    Where the terminal is too narrow the last columns are left out, and named; ``whole``: the rows are stacked instead.
    """
    _show(Report(title, plain(**columns), rows, whole=whole), empty)


def _show(report: Report, empty: str = "none", most: int = MOST_ROWS) -> None:
    """The table of a report on stdout, with at most ``most`` rows, no wider than the terminal if there is one."""
    if not report.rows:
        click.echo(hanging("", f"{report.title}: {empty}"))
        return
    console = _console()
    console.print(report.title, style="bold", markup=False, emoji=False)
    lines = [formats.shown(report, row) for row in report.rows[:most]]
    width = console.width if sys.stdout.isatty() else None
    columns = _columns(report, lines)
    layout = arrange([column.extent for column in columns], width, whole=report.whole)
    headings = [column.heading for column in columns]
    if layout is None:
        for line in lines:
            show_record(zip(headings, line, strict=True))
    else:
        _print(_table(columns, lines, layout))
        _say_left_out(headings[len(layout.widths) :])
    if len(report.rows) > len(lines):
        click.echo(f"... and {len(report.rows) - len(lines):,} more; --json lists all")


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    is_right: bool
    extent: Extent


def _columns(report: Report, lines: Sequence[Sequence[str]]) -> list[_Column]:
    """The columns of a table; numbers, and texts without blanks, stay in one line."""
    right = formats.numeric(report)
    return [
        _Column(column.heading, name in right, extent(column.heading, cells, wraps=name not in right and _wraps(cells)))
        for (name, column), cells in zip(report.columns.items(), zip(*lines, strict=True), strict=True)
    ]


def _wraps(cells: Sequence[str]) -> bool:
    """Whether the texts of a column may stand in several lines: long ones, and words; a time may not."""
    return any(len(text) > SHORT or (" " in text and not text[:1].isdigit()) for text in cells)


def _table(columns: Sequence[_Column], lines: Sequence[Sequence[str]], layout: Layout) -> Any:
    """The table that rich draws, with fixed widths: rich would cut values to make columns fit."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    padding = (0, layout.gap - 1, 0, 0)  # the box itself has a blank between two columns
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    for column, width in zip(columns, layout.widths, strict=False):
        justify: Any = "right" if column.is_right else "left"
        table.add_column(Text(column.heading), justify=justify, width=width, overflow="fold")
    for line in lines:
        cells = zip(columns, line[: len(layout.widths)], strict=False)
        table.add_row(*(Text(text, _colour(column.heading, text)) for column, text in cells))
    return table


def _colour(heading: str, text: str) -> str:
    """The colour of a state, which may have marks after it; of anything else none."""
    return STATES.get(text.partition(",")[0], "") if heading in {"status", "outcome"} else ""


def show_record(fields: Iterable[tuple[str, str]]) -> None:
    """One row on stdout: a line for each field, its heading and its value, which wraps."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for heading, value in fields:
        table.add_row(heading, Text(value))
    _print(table)


def _print(table: Any) -> None:
    """A table and a blank line on stdout, without blanks at the ends of lines."""
    console = _console()
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def _console() -> Any:
    """The console that rich draws on: as wide as the terminal, elsewhere as wide as any table."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else ENDLESS)


def _say_left_out(headings: Sequence[str]) -> None:
    if headings:
        click.echo(hanging("", f"Too narrow for: {', '.join(headings)}. A wider terminal shows them, as does --json."))


def show_report(name: str, report: Report, form: str) -> None:
    """Print a report as a table with its notes, or in a format of ``formats.TEXTS``."""
    if form == "table":
        _show(report)
        for note in report.notes:
            click.echo(hanging("", note))
        return
    text = formats.TEXTS[form](name, report)
    if sys.stdout.isatty() and form != "json":  # a file gets the text as it is; JSON escapes control characters
        text = escape_terminal(text, keep_lines=True)
    click.echo(text, nl=False, color=True)  # without color, click strips from names what resembles a colour code


def show_jobs(rows: list[Row]) -> None:
    """Jobs, all that are given, with amounts if the rows have some."""
    columns = plain(job_id="job", state="status", started="started") | seconds("turnaround_s", "took")
    columns |= plain(credits="Credits") | (AMOUNT if rows and "amount" in rows[0] else {})
    columns |= plain(input_name="video", models="models", resolution="resolution", description="description")
    shown = [{**row, "state": _state(row)} for row in rows]
    _show(Report("Jobs, newest first (times in UTC)", columns, shown), most=len(rows))


def _state(row: Row) -> str:
    """A job's status, with its presence unless it is listed, and ``preview`` if it is one."""
    marks = [] if row["presence"] == "listed" else [row["presence"]]
    return ", ".join([row["status_name"], *marks, *(["preview"] if row["preview"] else [])])


_LABELLED: Final = frozenset({"id", "status", "output_resolution", "fingerprint"})
"""Columns of a job that labels replace, and the fingerprint, which says nothing to people."""


def show_job(row: Row, details: Mapping[str, Any]) -> None:
    """One job for people: labelled fields, then the other fields, videos and models."""
    labelled = {name: value for name, value in details["shown"].items() if name != "status"}
    rest = {name: value for name, value in row.items() if name not in {*labelled, *_LABELLED}}
    _show_fields(f"Job {row['id']} (times in UTC)", labelled | rest)
    for video in details["videos"]:
        gone = (
            "" if video["detached_at"] is None else f", detached upstream since {video['detached_at']:%Y-%m-%d %H:%M}"
        )
        fields = {field["name"]: field["value"] for field in video["fields"]}
        _show_fields(f"{video['kind'].capitalize()} video{gone}", fields)
    columns = {"name": "model", "task": "task", "cost_weight": "weight then", "credits": "Credits"}
    show_table("Models", details["models"], columns)


def _show_fields(title: str, fields: Mapping[str, Any]) -> None:
    _console().print(title, style="bold", markup=False, emoji=False)
    show_record((name.removesuffix("_s").replace("_", " "), field_text(name, value)) for name, value in fields.items())


def field_text(name: str, value: Any) -> str:
    """A field for people, by the name of its column: bytes and seconds in a fitting unit, other numbers as they are."""
    if value is None or isinstance(value, bool | str):
        return cell(value)
    if name == "size" or name.endswith("_size"):
        return decimal(value)
    if name.endswith("_s"):
        return f"{value:.1f} s" if 0 < value < 10 else duration(value)
    if name == "processing_progress":
        return f"{value:.0%}"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value) if isinstance(value, int) else cell(value)


def show_statuses(rows: list[Row]) -> None:
    """Jobs and Credits by status, and amounts if the rows have some."""
    columns = plain(name="status", jobs="jobs", credits="Credits")
    _show(Report("Jobs by status", columns | (AMOUNT if rows and "amount" in rows[0] else {}), rows))


def show_months(rows: list[Row]) -> None:
    """Credits by month."""
    show_table("Credits by month", rows, {"month": "month", "jobs": "jobs", "credits": "Credits"})


def show_runs(rows: Sequence[Row]) -> None:
    """Full syncs and polls, newest first, with the reasons of those that failed. Of polls none is certified."""
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
    if any(row["error"] for row in rows):
        columns["error"] = "why it failed"
    shown = [{**row, "certified": None} if row["kind"] == "poll" else row for row in rows]
    show_table("Last full syncs and polls (times in UTC)", shown, columns, empty="none yet; run tpmirror sync")


def show_history(job_id: int, found: dict[str, list[dict[str, Any]]]) -> None:
    """Every transition and change of a job."""
    columns = {"to_name": "status", "not_before": "not before", "observed_at": "observed", "occurred_at": "stated"}
    show_table(f"Status of job {job_id} (times in UTC)", found["status_changes"], columns)
    changes = [{**row, "what": _what(row)} for row in found["field_changes"]]
    columns = {"observed_at": "observed", "what": "field", "old_value": "before", "new_value": "after"}
    columns = {name: heading for name, heading in columns.items() if all(name in row for row in changes)}
    show_table(f"Other changes of job {job_id} and its videos (times in UTC)", changes, columns, whole=True)


def _what(row: Row) -> str:
    return row["field"] if row["entity"] == "job" else f"{row['entity']}.{row['field']}"


def show_comparison(title: str, differences: list[Row], not_held: list[Row], *, as_json: bool) -> None:
    """Differences between mirror and API, and values that cannot be held, as tables or as JSON."""
    if as_json:
        print_json({"differences": differences, "not_held": not_held})
        return
    if is_quiet() and not differences and not not_held:
        return
    shown = [{**row, "mirror": _exact(row["mirror"]), "upstream": _exact(row["upstream"])} for row in differences]
    show_table(title, shown, {name: name for name in ("entity", "id", "field", "mirror", "upstream")}, whole=True)
    if not_held:
        columns = {"job_id": "job", "reason": "what and why", "accepted": "accepted"}
        show_table("Not held as the API shows it", not_held, columns, whole=True)


def _exact(value: Any) -> str | None:
    """A value to the last digit: two that differ in it must look different."""
    return value if value is None or isinstance(value, str) else str(value)


def show_run(row: dict[str, Any], *, as_json: bool) -> None:
    """The summary of a run, in a few lines or as JSON."""
    shown = runs.as_json(row)
    if as_json:
        print_json(shown)
    else:
        _summarize(row, shown["certificate"])


def _summarize(row: dict[str, Any], certificate: dict[str, Any] | None) -> None:
    seconds = (row["finished_at"] - row["started_at"]).total_seconds()
    jobs, requests = count(row["jobs_seen"], "job"), count(row["requests"], "request")
    summarize(f"Mirrored {jobs} in {seconds:.1f} s with {requests}")
    counts = {"new": "jobs_inserted", "changed": "jobs_updated", "unchanged": "jobs_unchanged"}
    parts = [f"{row[column]:,} {word}" for word, column in counts.items()]
    transitions, others = count(row["transitions"], "status change"), count(row["field_changes"], "other change")
    summarize(f"Jobs: {', '.join(parts)}; {transitions}, {others}")
    if row["quarantined"]:
        faults = count(row["quarantined"], "value or item", "values or items")
        summarize(f"Warning: {faults} could not be held: tpmirror quarantine list", is_warning=True)
    if certificate is None:
        return
    if row["certified"]:
        listed, accepted = certificate["count"], certificate["accepted"]
        held = f"{count(listed, 'job')} that {'was' if listed == 1 else 'were'} listed at {certificate['counted_at']}"
        faults = f", but for {accepted:,} whose faults an operator accepted" if accepted else ""
        summarize(f"Certified: the mirror holds all {held}{faults}")
    else:
        summarize(f"Not certified: {escape_terminal(certificate['reason'])}", is_warning=True)
