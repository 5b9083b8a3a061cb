"""Tables on a terminal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tpmirror.db.types import Row
from tpmirror.formatting import cell

MOST_ROWS: Final = 50
"""Rows of a table shown."""
SHORT: Final = 20
"""Characters up to which a text is not broken into lines."""


def show_table(title: str, rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "none") -> None:
    """A table of rows on stdout: a heading for each column shown, numbers to the right."""
    lines = [[cell(row[name]) for name in columns] for row in rows]
    numbers = [all(isinstance(row[name], int | float | Decimal | None) for row in rows) for name in columns]
    show_lines(title, list(zip(columns.values(), numbers, strict=True)), lines, empty=empty)


def show_lines(
    title: str, headings: Sequence[tuple[str, bool]], lines: Sequence[Sequence[str]], *, empty: str = "none"
) -> None:
    """A table of texts on stdout. A heading says whether its column stands right. Long tables are cut."""
    from rich import box  # noqa: PLC0415 - commands that print no table need not wait for rich
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    if not lines:
        console.print(Text(f"{title}: {empty}"))
        return
    console.print(Text(title, style="bold"))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, (heading, right) in enumerate(headings):
        free_text = not right and any(_breaks(line[place]) for line in lines)
        table.add_column(heading, justify="right" if right else "left", no_wrap=not free_text, overflow="fold")
    for line in lines[:MOST_ROWS]:
        table.add_row(*map(Text, line))
    console.print(table)
    if len(lines) > MOST_ROWS:
        console.print(Text(f"... and {len(lines) - MOST_ROWS:,} more; --json lists all"))


def _breaks(text: str) -> bool:
    """Whether a text may stand in several lines: long ones, and words; a time may not."""
    return len(text) > SHORT or (" " in text and not text[:1].isdigit())


def show_statuses(rows: list[Row]) -> None:
    """Jobs and Credits by status."""
    show_table("Jobs by status", rows, {"name": "status", "jobs": "jobs", "credits": "Credits"})


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
        "transitions": "moved",
    }
    show_table("Last runs (times in UTC)", rows, columns, empty="none yet; run tpmirror sync")


def show_history(job_id: int, found: dict[str, list[dict[str, Any]]]) -> None:
    """Every transition and change of a job."""
    columns = {"to_name": "status", "not_before": "not before", "observed_at": "observed", "occurred_at": "stated"}
    show_table(f"Status of job {job_id} (times in UTC)", found["status_changes"], columns)
    changes = [{**row, "what": _what(row)} for row in found["field_changes"]]
    columns = {"observed_at": "observed", "what": "field", "old_value": "before", "new_value": "after"}
    show_table(f"Other changes of job {job_id} and its videos (times in UTC)", changes, columns)


def _what(row: Row) -> str:
    return row["field"] if row["entity"] == "job" else f"{row['entity']}.{row['field']}"
