"""Tables: whatever the width, a value is whole, or its column is named as left out."""

import io
import re
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.support.program import Program
from tpmirror.cli import tables
from tpmirror.cli.layout import Layout, arrange, extent
from tpmirror.db.engine import connected, reading
from tpmirror.reports import formats
from tpmirror.reports.model import Report, plain
from tpmirror.reports.registry import REPORTS, ReportParams, run_report

WIDTHS = range(40, 201)
SOME = (40, 53, 60, 80, 120, 200)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@contextmanager
def terminal(width, stream=None):
    """Stdout as a terminal of so many columns; a stream that is none knows no width."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream or Terminal())
        patch.setenv("COLUMNS", str(width))
        patch.setenv("TERM", "xterm")
        yield sys.stdout


def drawn(report, width, stream=None):
    """The lines that a report shows."""
    with terminal(width, stream) as shown:
        tables.show_report("name", report, "table")
    return click.unstyle(shown.getvalue()).split("\n")


def body_of(lines):
    """The lines of the values, and whether they are stacked."""
    rules = [place for place, line in enumerate(lines) if line.startswith("───")]
    if not rules:
        return [line for line in lines if line], True
    rest = lines[rules[0] + 1 :]
    return rest[: rest.index("")], False


def left_out(lines):
    """The headings of the columns that the line below the table names."""
    text = re.search(r"Too narrow for: (.*?)\. A wider", " ".join(" ".join(lines).split()))
    return text[1].split(", ") if text else []


def check(report, width):
    """Every character of every value is there, numbers and times in one piece, and no line is too long."""
    report = Report(report.title, report.columns, report.rows[:6], whole=report.whole)
    lines = drawn(report, width)
    assert max(map(cell_len, lines)) <= width
    title_lines = next(n for n in range(1, 9) if "".join("".join(lines[:n]).split()) == "".join(report.title.split()))
    headings = [column.heading for column in report.columns.values()]
    missing = left_out(lines)
    shown = len(headings) - len(missing)
    assert headings[shown:] == missing
    assert not (missing and report.whole)
    body, is_stacked = body_of(lines[title_lines:])
    values = [formats.shown(report, row)[:shown] for row in report.rows]
    expected = ["".join(line) for line in values] + (headings * len(values) if is_stacked else [])
    assert letters(body) == letters(expected)
    for place, name in enumerate(list(report.columns)[:shown]):
        whole = [line[place] for line in values if name in formats.numeric(report) or line[place][:4].isdigit()]
        assert all(re.search(rf"(?<!\S){re.escape(value)}(?!\S)", "\n".join(body)) for value in whole if value)


def letters(lines):
    return Counter("".join("".join(lines).split()))


@pytest.fixture(scope="module")
def reports(lived_mirror):
    """Every report of a lived-in mirror, split in every way."""
    now = datetime.now(UTC)
    with connected(lived_mirror["sqlite"], read_only=True) as engine, reading(engine) as conn:
        return [
            run_report(conn, name, ReportParams(now, budget=100.0, by=by))
            for name, spec in REPORTS.items()
            for by in spec.by or (None,)
        ]


def test_every_report_is_whole_at_every_width(reports):
    for report in filter(lambda report: report.rows, reports):
        for width in SOME:
            check(report, width)


def test_every_report_has_a_layout_at_every_width(reports):
    """The same by figures, for all widths: what is shown has room."""
    for report in reports:
        lines = [formats.shown(report, row) for row in report.rows[:50]]
        columns = tables._columns(report, lines) if lines else []
        for width in WIDTHS:
            layout = arrange([column.extent for column in columns], width, whole=report.whole)
            if layout is not None:
                assert sum(layout.widths) + layout.gap * (len(layout.widths) - 1) <= width
                assert all(w >= one.extent.least for w, one in zip(layout.widths, columns, strict=False))


numbers = st.integers(-(10**12), 10**12) | st.decimals(-(10**6), 10**6, places=4) | st.none()
names = st.text("abé字🎬 -_.", min_size=1, max_size=90).map(str.strip).filter(bool)
rows_of = st.lists(st.tuples(names, numbers, st.datetimes(), names, numbers, st.booleans()), min_size=1, max_size=5)


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(rows_of, st.integers(40, 200), st.booleans())
def test_no_table_cuts_a_value(rows, width, whole):
    columns = plain(name="name", total="some total", at="seen at", other="other name", job_id="job", done="done")
    check(Report("Any table", columns, [dict(zip(columns, row, strict=True)) for row in rows], whole=whole), width)


WIDE = Report(
    "Runs",
    plain(run_id="run", kind="kind", started="started", cost="Credits", name="name"),
    [{"run_id": 1_234_567, "kind": "full", "started": datetime(2026, 11, 30, tzinfo=UTC),
      "cost": Decimal("1234567.8901"), "name": "a name " * 40}],
)  # fmt: skip


def test_without_a_terminal_the_width_is_without_limit():
    lines = drawn(WIDE, 40, io.StringIO())
    assert lines[3] == "1234567  full  2026-11-30 00:00:00  1,234,567.8901  " + ("a name " * 40).strip()
    assert all(line == line.rstrip() for line in lines)


def test_ids_are_plain_digits_in_every_table_and_counts_are_not():
    row = {"job_id": 5031, "entry": 6004, "jobs": 7005}
    report = Report("t", plain(job_id="job", entry="entry", jobs="jobs"), [row])
    assert drawn(report, 80)[3].split() == ["5031", "6004", "7,005"]
    assert "| 5031 | 6004 | 7,005 |" in formats.to_markdown("t", report)


def test_names_wrap_before_a_column_is_left_out():
    lines = drawn(WIDE, 80)
    assert left_out(lines) == []
    assert "1,234,567.8901" in lines[3]
    assert left_out(drawn(WIDE, 50)) == ["name"]


def test_a_table_that_no_column_may_leave_is_stacked():
    lines = drawn(Report(WIDE.title, WIDE.columns, WIDE.rows, whole=True), 40)[1:5]
    assert lines == ["run      1234567", "kind     full", "started  2026-11-30 00:00:00", "Credits  1,234,567.8901"]


def test_a_broken_heading_over_numbers_takes_no_more_than_it_needs():
    extents = [extent("status changes", ["1"], wraps=False), extent("started", ["2026-11-30 13:02:14"], wraps=False)]
    assert arrange(extents, 34) == Layout([7, 19], 2)


COMMANDS = (
    ["status"], ["jobs"], ["show", "35"], ["history", "35"], ["quarantine", "list"], ["gone", "list"], ["audit"],
    ["report"], ["report", "sync"],
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_writes_beyond_the_edge_of_the_terminal(words, lived_mirror, tmp_path, capsys):
    for width in (40, 60, 80, 200):
        variables = {"TPMIRROR_DATABASE_URL": lived_mirror["sqlite"], "COLUMNS": str(width), "TERM": "xterm"}
        program = Program(tmp_path, variables)
        with terminal(width) as shown:
            program.call(capsys, *words)
        said = click.unstyle(shown.getvalue())
        assert "…" not in said
        assert max(cell_len(line) for line in said.split("\n") if lived_mirror["sqlite"] not in line) <= width


RUN = {
    "id": 1_234_567, "kind": "full", "outcome": "failed", "certified": False, "jobs_inserted": 12_345_678,
    "started_at": datetime(2026, 11, 30, tzinfo=UTC), "jobs_updated": 3, "transitions": 4, "error": "cannot reach " * 9,
}  # fmt: skip
DIFFERENCE = {"entity": "output_video", "id": 5031, "field": "job.cost_usd", "mirror": "1" * 70, "upstream": None}
NOT_HELD = {"job_id": 5031, "reason": "out of range " * 9, "accepted": False}


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_tables_of_runs_and_comparisons_are_whole_too(width):
    """What ``status``, ``sync --dry-run`` and ``verify`` show, which takes an API that differs."""
    with terminal(width) as shown:
        tables.show_runs([RUN])
        tables.show_comparison("Differences", [DIFFERENCE], [NOT_HELD], as_json=False)
    lines = click.unstyle(shown.getvalue()).split("\n")
    assert max(map(cell_len, lines)) <= width
    text = letters(lines)
    for part in ("1234567", "2026-11-30", "1" * 70, "5031", "out of range " * 9):
        assert text >= letters([part])
    words = set(" ".join(lines).split())
    assert "1234567" in words
    assert "12,345,678" in words or "new" in left_out(lines)
    assert "…" not in text
