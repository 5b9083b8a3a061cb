"""Reports as tables of a page: the cells that ``tpmirror report`` prints, with links, colours and their files. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from tpmirror.db.types import Row
from tpmirror.reports.formats import numeric, shown
from tpmirror.reports.model import Report
from tpmirror.web.filters import NOTHING

Links = Mapping[str, Callable[[Row], str | None]]
"""By column: gives the link of a row's cell, as a path without the dashboard's prefix; None: no link."""
LONG: Final = frozenset({"proof", "reason", "error"})
"""Columns of sentences, which wrap."""
LABELS: Final = frozenset({"status_name", "outcome"})
"""Columns of statuses and outcomes, which are coloured labels on every page."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text or value, and how it is rendered."""

    value: Any
    kind: str = "text"
    """``num``, ``long``, ``name`` (of upstream), ``status`` or ``text``."""
    link: str | None = None
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A report to show: headings, rows of cells, notes below, and the command and the files with all its rows."""

    title: str
    headings: list[Cell]
    rows: list[list[Cell]]
    notes: list[str]
    command: str
    """The command that prints the report on a terminal; empty if there is none."""
    file: str
    """The path of its files without extension, to which ``query`` is the query string; empty without files."""
    query: str = ""
    more: int = 0
    """Number of rows left out."""
    empty: str = ""
    """The text shown if there are no rows."""


def table(
    report: Report,
    *asked: str,
    links: Links | None = None,
    colours: Mapping[Any, int] | None = None,
    limit: int | None = None,
    empty: str = "",
    columns: Sequence[str] = (),
) -> Table:
    """A report as a table.

    ``asked`` are the arguments of ``tpmirror report``, ``colours`` those of the values in the first column.
    ``limit`` is the most rows to show, ``columns`` are the columns to show, in this order; default: all.
    """
    right, rows = numeric(report), list(report.rows)[:limit]
    names = list(columns or report.columns)
    leads = {**({"job_id": _job, "input_name": _job} if "job_id" in report.columns else {}), **(links or {})}
    found = []
    for row in rows:
        texts = dict(zip(report.columns, shown(report, row), strict=True))
        cells = [_cell(report, row, name, texts[name], right, leads) for name in names]
        if colours is not None:
            cells[0] = Cell(cells[0].value, cells[0].kind, cells[0].link, colours.get(row[names[0]]))
        found.append(cells)
    options = dict(zip((word.removeprefix("--") for word in asked[1::2]), asked[2::2], strict=True)) if asked else {}
    return Table(
        report.title,
        [Cell(_heading(report.columns[name].heading), "num" if name in right else "text") for name in names],
        found,
        list(report.notes),
        f"tpmirror report {' '.join(asked)}" if asked else "",
        f"/report/{asked[0]}" if asked else "",
        f"?{urlencode(options)}" if options else "",
        len(report.rows) - len(rows),
        empty,
    )


def _heading(text: str) -> str:
    """A heading with a capital, unless it is the name of a percentile."""
    return text if text[1:].isdigit() else text[:1].upper() + text[1:]


def _job(row: Row) -> str | None:
    return None if row["job_id"] is None else f"/jobs/{row['job_id']}"


def _cell(report: Report, row: Row, name: str, text: str, right: set[str], links: Links) -> Cell:
    """A cell: upstream's text unchanged, which Jinja escapes; any other value as the terminal's table prints it."""
    value, link = row.get(name), links.get(name)
    kind = "num" if name in right else "text"
    if report.columns[name].show is not None or not isinstance(value, str):
        value = value if hasattr(value, "tzinfo") else NOTHING if text == "-" else text
    elif kind == "text":
        kind = "long" if name in LONG else "status" if name in LABELS else "name"
    return Cell(value, kind, link(row) if link else None)
