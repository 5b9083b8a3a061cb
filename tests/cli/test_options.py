"""What the commands share: the progress bar, and features whose packages are not installed."""

import io
import os
import subprocess
import sys

import click

from tests.support.program import ROOT
from tpmirror.cli.options import progress_bar


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown_on(stream, monkeypatch, *arguments, **options):
    """What a bar writes to stderr that is called once."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar(**options) as progress:
        progress(*arguments)
    return stream.getvalue()


def test_a_terminal_shows_how_far_a_sync_is(monkeypatch):
    shown = click.unstyle(shown_on(Terminal(), monkeypatch, 300, 500))
    assert all(part in shown for part in ("reading", "300/500", "jobs/s"))


def test_a_terminal_shows_which_relation_is_exported(monkeypatch):
    shown = click.unstyle(shown_on(Terminal(), monkeypatch, 3, 40, "jobs 8,192", doing="exporting", estimated=False))
    assert all(part in shown for part in ("exporting", "3/40", "jobs 8,192"))
    assert "jobs/s" not in shown


def test_without_a_terminal_there_is_no_bar(monkeypatch):
    assert shown_on(io.StringIO(), monkeypatch, 300, 500) == ""


def test_a_feature_whose_package_is_missing_names_the_extra(tmp_path):
    start = "import sys; sys.modules['pyarrow'] = None; from tpmirror.__main__ import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", start, "export", "out"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.returncode == 2
    assert " needs pyarrow" in process.stderr
    assert "pip install 'tpmirror[export]'" in process.stderr
    assert process.stderr.count("\n") == 1


def test_a_command_on_sqlite_does_not_wait_for_another_dialect(tmp_path):
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TPMIRROR_DATABASE_URL": "sqlite:///mirror.db"}
    for command in (["db", "upgrade"], ["status"]):
        process = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "tpmirror", *command], cwd=tmp_path, capture_output=True,
            text=True, check=True, env=variables,
        )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert "sqlalchemy.dialects.postgresql" not in loaded
