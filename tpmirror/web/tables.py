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
"""By column: the address, below the dashboard's, that a cell of a row leads to; None for none."""
LONG: Final = frozenset({"proof", "reason", "error"})
"""Columns of sentences, which wrap."""
LABELS: Final = frozenset({"status_name", "outcome"})
"""Columns of what has a colour wherever it stands."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text or value, and how it stands in its row."""

    value: Any
    kind: str = "text"
    """``num``, ``long``, ``name`` (of upstream), ``status`` or ``text``."""
    link: str | None = None
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A report to show: headings, rows of cells, what stands below, and where else it is to be had."""

    title: str
    headings: list[Cell]
    rows: list[list[Cell]]
    notes: list[str]
    command: str
    """What prints the same on a terminal; empty if nothing does."""
    file: str
    """The address of its files without their ending, and the query of it; empty if there are none."""
    query: str = ""
    more: int = 0
    """Rows that are left out."""
    empty: str = ""
    """What stands in place of no rows."""


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

    ``asked`` are the words after ``tpmirror report``, and ``colours`` those of the values in the first column.
    ``limit`` is how many rows a page takes, and ``columns`` which it shows, in this order, if not all.
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
    """A cell: text of upstream as it is, which the page escapes in its own way; all else as a terminal has it."""
    value, link = row.get(name), links.get(name)
    kind = "num" if name in right else "text"
    if report.columns[name].show is not None or not isinstance(value, str):
        value = value if hasattr(value, "tzinfo") else NOTHING if text == "-" else text
    elif kind == "text":
        kind = "long" if name in LONG else "status" if name in LABELS else "name"
    return Cell(value, kind, link(row) if link else None)
