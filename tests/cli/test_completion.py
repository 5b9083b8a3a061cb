"""Shell completion: what a line can go on with, as click offers it and as bash takes it."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from tests.support.account import query
from tests.support.program import ROOT
from tpmirror.cli.completion import NEWEST, SHELLS
from tpmirror.cli.main import cli
from tpmirror.reports.registry import REPORTS


@pytest.fixture
def complete(lived_mirror, dialect, monkeypatch, tmp_path):
    """The values that a line offers in the place of its last word."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TPMIRROR_DATABASE_URL", lived_mirror[dialect])

    def offered(*words):
        *before, last = words
        completer = ShellComplete(cli, {}, "tpmirror", "_TPMIRROR_COMPLETE")
        return [item.value for item in completer.get_completions(list(before), last)]

    return offered


@pytest.fixture
def url(lived_mirror, dialect):
    return lived_mirror[dialect]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("report", ""), list(REPORTS)),
        (("report", "fo"), ["forecast"]),
        (("report", "costs", "--by", ""), list(REPORTS["costs"].by)),
        (("report", "storage", "--by", "s"), [by for by in REPORTS["storage"].by if by.startswith("s")]),
        (("report", "costs", "--format", ""), ["table", "csv", "json", "markdown"]),
        (("report", "--from", "last"), ["last-month", "last-year"]),
        (("report", "statement", "--month", ""), ["last-month", "this-month"]),
        (("export", "--format", ""), ["parquet", "csv", "jsonl"]),
        (("jobs", "--status", "f"), ["Finished", "Failed"]),
        (("jobs", "--presence", ""), ["listed", "missing", "unlisted", "gone"]),
        (("jobs", "--resolution", "no"), ["No Resize"]),
        (("run", "--log-level", ""), ["debug", "info", "warning", "error"]),
        (("completion", ""), list(SHELLS)),
        (("gone", "c"), ["confirm"]),
    ],
    ids=" ".join,
)
def test_a_line_goes_on_with_what_there_is(complete, words, values):
    assert complete(*words) == values


@pytest.mark.parametrize("command", ["show", "history"])
def test_ids_of_jobs_come_from_the_mirror_newest_first(complete, url, command):
    ids = [str(row[0]) for row in query(url, "SELECT id FROM jobs ORDER BY id DESC")]
    assert complete(command, "") == ids[:NEWEST]
    assert complete(command, "3") == [found for found in ids if found.startswith("3")][:NEWEST]
    assert complete(command, "%") == []


def test_jobs_to_confirm_are_those_that_the_list_lacks(complete, url):
    absent = [str(row[0]) for row in query(url, "SELECT id FROM jobs WHERE presence <> 'listed' ORDER BY id DESC")]
    assert absent
    assert complete("gone", "confirm", "") == absent


def test_entries_of_the_quarantine_complete(complete, url):
    there = [str(row[0]) for row in query(url, "SELECT id FROM quarantined_jobs WHERE resolved_at IS NULL ORDER BY id")]
    assert sorted(complete("quarantine", "accept", ""), key=int) == there


@pytest.mark.parametrize("words", [("--env-file", "e.env"), ()], ids=["env file", "option"])
def test_the_mirror_is_the_one_that_the_line_names(complete, url, words, monkeypatch, tmp_path):
    monkeypatch.delenv("TPMIRROR_DATABASE_URL")
    (tmp_path / "e.env").write_text(f"TPMIRROR_DATABASE_URL='{url}'")
    option = () if words else ("--database-url", url)
    assert complete(*words, "show", *option, "3")


@pytest.mark.parametrize("name", ["sqlite:///none.db", "postgresql://me@127.0.0.1:9/none", "nothing"])
def test_a_mirror_that_cannot_be_read_offers_nothing_and_is_not_made(complete, name, capsys, tmp_path):
    assert complete("show", "--database-url", name, "3") == []
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


BASH = """
eval "$(tpmirror completion bash)"
COMP_WORDS=(tpmirror jobs --status "in"); COMP_CWORD=3
_tpmirror_completion tpmirror
printf '%s\n' "${COMPREPLY[@]}"
"""


def test_bash_keeps_a_value_with_a_blank_in_one_word(lived_mirror, tmp_path):
    program = tmp_path / "tpmirror"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tpmirror "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
             "TPMIRROR_DATABASE_URL": lived_mirror["sqlite"]},
    )  # fmt: skip
    assert done.stdout == "In\\ Queue\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script_that_calls_the_program(shell, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tpmirror", "completion", shell], cwd=tmp_path, capture_output=True, text=True,
        check=True, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert f"_TPMIRROR_COMPLETE={shell}_complete" in done.stdout
    assert done.stderr == ""
