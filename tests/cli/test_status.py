"""``tpmirror status``: what is proven, how the last full sync and the last poll ended, and the colours of states."""

import io
import json
import re
import sys

import click
import pytest

from tests.support.account import postdate
from tpmirror.cli.colour import highlight
from tpmirror.simulator.http import Response
from tpmirror.simulator.world import World


@pytest.fixture
def world():
    return World(seed=4, jobs=30, in_flight=3, jobs_per_day=0)


def test_status_shows_the_mirror_at_a_glance(program, capsys):
    program.call(capsys, "sync")
    said, complained = program.call(capsys, "status")
    assert re.search(r"Certified +complete as of 20\d\d-", said)
    assert complained == ""
    shown = json.loads(program.call(capsys, "status", "--json")[0])
    assert sum(line["jobs"] for line in shown["by_status"]) == shown["jobs"]["listed"] == 30
    assert shown["last_run"]["outcome"] == "succeeded"


def test_status_says_that_a_proof_is_dated_in_the_future(tpmirror, mirrored):
    postdate(mirrored, 365)
    said = tpmirror("status")[0]
    assert re.search(r"Certified +complete as of .+ UTC, certified in the future by this clock\n", said)
    assert json.loads(tpmirror("status", "--json")[0])["age_s"] is None


def test_status_tells_the_last_poll_from_the_last_full_sync_and_says_why_it_failed(tpmirror, mirrored, sim):
    assert re.search(r"^Full sync  succeeded \d+ s ago, run 1, certified$", tpmirror("status")[0], re.MULTILINE)
    sim.respond = lambda _request: Response(404)
    tpmirror("poll", code=1)
    said = tpmirror("status")[0]
    assert re.search(r"^Full sync  succeeded \d+ s ago, run 1, certified$", said, re.MULTILINE)
    assert re.search(r"^Poll       failed \d+ s ago, run 2: .*404", said, re.MULTILINE)
    assert "why it failed" in said
    shown = json.loads(tpmirror("status", "--json")[0])
    assert (shown["last_full_sync"]["id"], shown["last_poll"]["outcome"]) == (1, "failed")
    assert "404" in shown["last_poll"]["error"]


def test_polls_do_not_push_full_syncs_out_of_sight(tpmirror, mirrored):
    for _ in range(5):
        tpmirror("poll")
    runs = re.findall(r"^ *(\d+)  (full|poll)  ", tpmirror("status")[0], re.MULTILINE)
    assert runs == [("6", "poll"), ("5", "poll"), ("4", "poll"), ("1", "full")]


def test_status_says_why_a_full_sync_proved_nothing(tpmirror, mirrored):
    tpmirror("sync", "--no-certify", code=3)
    assert re.search(
        r"^Full sync  succeeded .* run 2, not certified: not asked for$", tpmirror("status")[0], re.MULTILINE
    )


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


RED = click.style("failed", fg="red")


@pytest.mark.parametrize(
    ("stream", "variables", "shown"),
    [
        (Terminal(), {}, f"Poll  {RED}: it failed"),
        (Terminal(), {"NO_COLOR": "1"}, "Poll  failed: it failed"),
        (Terminal(), {"TERM": "dumb"}, "Poll  failed: it failed"),
        (io.StringIO(), {}, "Poll  failed: it failed"),
    ],
)
def test_states_have_colours_on_a_terminal_that_wants_them(monkeypatch, stream, variables, shown):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    assert highlight("Poll  failed: it failed", "failed") == shown


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["coloured", "NO_COLOR"])
def test_tables_of_status_have_the_colours_too(program, mirrored, monkeypatch, capsys, variables):
    program.variables |= {"TERM": "xterm-256color", **variables}
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    program.call(capsys, "status")
    said = shown.getvalue()
    assert ("\x1b[32mFinished" in said) == (not variables)
    assert ("\x1b[32mcomplete" in said) == (not variables)
    assert not re.search("…", said)
