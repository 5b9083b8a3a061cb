"""A report as text: a table for people, CSV, JSON or Markdown for other programs."""

import csv
import io
import re
from decimal import Decimal
from typing import Final

from tpmirror import formatting
from tpmirror.db.types import Row
from tpmirror.reports.model import Report

_identifies: Final = re.compile(r"(?:.*_)?(?:id|entry)").fullmatch
"""Names of columns whose numbers identify a row: of a job, a video, a run, the quarantine, the history."""


def to_csv(_name: str, report: Report) -> str:
    """CSV by RFC 4180: every value of the rows, numbers as numbers, no text that is a formula in a spreadsheet."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    names = _names(report)
    writer.writerow(names)
    writer.writerows([formatting.csv_cell(row[name]) for name in names] for row in report.rows)
    return lines.getvalue()


def to_json(name: str, report: Report) -> str:
    """One document: title, summary, and the rows with all their values."""
    found = {"report": name, "title": report.title, "summary": report.summary, "rows": list(report.rows)}
    return formatting.to_json(found) + "\n"


def to_markdown(_name: str, report: Report) -> str:
    """A table as GitHub and others show it, with title and notes."""
    cells = [[_markdown(text) for text in shown(report, row)] for row in report.rows]
    right = numeric(report)
    head = [column.heading for column in report.columns.values()]
    rule = ["---:" if name in right else "---" for name in report.columns]
    table = [f"| {' | '.join(line)} |" for line in (head, rule, *cells)]
    return "\n\n".join([f"## {report.title}", "\n".join(table), *(_markdown(note) for note in report.notes)]) + "\n"


def shown(report: Report, row: Row) -> list[str]:
    """A row as people see it."""
    return [_shown(name, row) if column.show is None else column.show(row) for name, column in report.columns.items()]


def _shown(name: str, row: Row) -> str:
    """A value by its type; ids are plain digits, as commands accept them: 5031, not 5,031."""
    value = row[name]
    return str(value) if isinstance(value, int) and _identifies(name) else formatting.cell(value)


def numeric(report: Report) -> set[str]:
    """The columns that are aligned to the right: numbers, and texts made from numbers."""
    return {
        name
        for name, column in report.columns.items()
        if column.show is not None or _are_numbers([row[name] for row in report.rows if row[name] is not None])
    }


def _are_numbers(values: list[object]) -> bool:
    """Whether there are values and all are numbers; booleans are none."""
    return bool(values) and all(isinstance(one, int | float | Decimal) and not isinstance(one, bool) for one in values)


def _names(report: Report) -> list[str]:
    return list(report.rows[0]) if report.rows else list(report.columns)


def _markdown(text: str) -> str:
    return re.sub(r"[\\|*_`<[]", r"\\\g<0>", text)


TEXTS: Final = {"csv": to_csv, "json": to_json, "markdown": to_markdown}
"""The function that writes each format."""
