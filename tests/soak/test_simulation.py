"""Months of an account and its mirror, everything that can go wrong between them included; nothing is ever wrong.

``make soak`` lives on for years.
"""

from random import Random

import pytest

from tests.support.simulation import Figures, Universe, Violation
from tests.support.simulation.machine import Machine
from tpmirror.sync.diff import Differ

SEEDS = (0, 1, 2, 3, 4)
DAYS = 28
LEAST = Figures(
    days=28, crashes=250, faults=1250, transitions=40, gone=40, oddities=400, endpoints=200, unheld=150,
    accepted=40, mended=40, empty=1, foreign=1, shared=1, denied=1, partial=1, stale=1, revoked=1, archived=30,
    stored=30, rewinds=10, emptied=2,
)  # fmt: skip
"""What each of the seeds has to go through at least, or the test would prove less than it says."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_mirror_says_only_what_was_so_and_in_the_end_all_of_it(seed, tmp_path):
    with Universe(seed, tmp_path) as universe:
        figures = universe.live(DAYS)
    assert {name: value for name, value in vars(LEAST).items() if vars(figures)[name] < value} == {}


def test_time_goes_on_however_short_a_sleep_is_and_is_not_waited_for_in_vain():
    machine = Machine(Random(1), lambda _: None)

    def wait(seconds: float) -> None:
        start = machine.monotonic()
        while machine.monotonic() == start:
            machine.sleep(seconds)

    machine.start(lambda: wait(1e-13))
    machine.run()
    machine.start(lambda: wait(0))
    with pytest.raises(AssertionError, match="time stands still"):
        machine.run()


def test_the_same_seed_lives_the_same_life(tmp_path):
    lives = []
    told = "SELECT id, kind, outcome, certificate, started_at, finished_at, requests, jobs_seen FROM sync_runs"
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        with Universe(3, tmp_path / str(number)) as universe:
            universe.live(2)
            lives.append((universe.figures, universe.machine.micros, universe.mirror.query(told)))
    assert lives[0] == lives[1]


@pytest.mark.exhaustive
def test_a_bug_is_found_and_its_seed_finds_it_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Differ, "last_seen", lambda _self, _known, _changed, at: at)
    found = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        with Universe(3, tmp_path / str(number)) as universe, pytest.raises(Violation) as told:
            universe.live(DAYS)
        found.append(str(told.value))
    assert "python -m tests.support.simulation 3 " in found[0]
    assert found[0] == found[1]
