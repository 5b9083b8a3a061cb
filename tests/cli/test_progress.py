"""The progress bar: how far a sync is, on a terminal alone."""

import io
import sys
from contextlib import contextmanager

import click
import pytest

from tests.support.account import environ
from tests.support.program import Program
from tpmirror.cli import progress
from tpmirror.simulator.world import World
from tpmirror.sync.ingest import PassProgress


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown_on(stream, monkeypatch, bar, *arguments, width=80):
    """What a bar writes to stderr that is called once."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    with bar as show:
        show(*arguments)
    return click.unstyle(stream.getvalue())


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_shows_how_far_a_sync_is_and_in_which_pass(monkeypatch, width):
    reached = PassProgress(number=2, passes=2, rows=12_300, expected=15_000)
    shown = shown_on(Terminal(), monkeypatch, progress.reading_bar(), reached, width=width)
    assert all(part in shown for part in ("pass 2 of 2", "12,300/15,000 jobs", "/s"))
    assert "…" not in shown


def test_a_single_pass_is_not_counted(monkeypatch):
    shown = shown_on(Terminal(), monkeypatch, progress.reading_bar(), PassProgress(1, 1, 300, 500))
    assert all(part in shown for part in ("reading", "300/500 jobs"))
    assert "pass" not in shown


def test_a_terminal_shows_which_relation_is_exported(monkeypatch):
    bar = progress.progress_bar("exporting", is_estimated=False)
    shown = shown_on(Terminal(), monkeypatch, bar, 3, 40, "4/40 jobs, 8,192 rows")
    assert all(part in shown for part in ("exporting", "4/40 jobs, 8,192 rows"))


def test_without_a_terminal_there_is_no_bar(monkeypatch):
    assert shown_on(io.StringIO(), monkeypatch, progress.reading_bar(), PassProgress(1, 1, 300, 500)) == ""


@pytest.fixture
def world():
    return World(seed=4, jobs=250, in_flight=3, jobs_per_day=0)


def test_a_first_sync_reads_the_list_twice_and_counts_each_pass_to_its_end(sim, tmp_path, capsys, monkeypatch):
    reached: list[PassProgress] = []
    program = Program(tmp_path, environ(sim.url))
    monkeypatch.setattr(progress, "reading_bar", lambda: _noting(reached))
    monkeypatch.setattr("tpmirror.cli.sync.reading_bar", progress.reading_bar)
    program.call(capsys, "sync")
    last = {one.number: one for one in reached}
    assert [(one.passes, one.rows, one.expected) for one in last.values()] == [(2, 250, 250)] * 2
    reached.clear()
    program.call(capsys, "sync")
    assert {one.passes for one in reached} == {1}


@contextmanager
def _noting(reached):
    yield reached.append
