"""Any life of an account, read while it goes on: what the mirror says was so, and in the end it says everything."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.account import KEY, mirror
from tests.support.account import settings as client
from tests.support.drifts import QUICK
from tests.support.mover import NUMBERS, ODD, VERBS, WHILE_READ, Mover
from tests.support.witness import Witness
from tpmirror.simulator.ordering import ORDERINGS
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync.poll import poll

pytestmark = pytest.mark.exhaustive

numbers = count(1)


@dataclass(frozen=True)
class Look:
    """What happens before a look at the account, and what while it is read, every so many pages."""

    before: list[tuple[str, int]]
    during: list[tuple[str, int]]
    every: int
    full: bool


@dataclass(frozen=True)
class Account:
    """An account and a client."""

    seed: int
    jobs: int
    in_flight: int
    jobs_per_day: int
    page_cap: int
    page_size: int
    ordering: str
    concurrency: int
    looks: list[Look]


def happenings(verbs: Sequence[str], most: int) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(verbs), st.integers(0, NUMBERS)), max_size=most)


looks = st.builds(
    Look,
    before=happenings((*VERBS, *ODD), 8),
    during=happenings((*WHILE_READ, *ODD), 10),
    every=st.integers(1, 5),
    full=st.sampled_from([True, True, False]),
)
accounts = st.builds(
    Account,
    seed=st.integers(0, 1000),
    jobs=st.integers(0, 24),
    in_flight=st.integers(0, 6),
    jobs_per_day=st.sampled_from([0, 0, 50]),
    page_cap=st.sampled_from([3, 5, 10, 30]),
    page_size=st.sampled_from([5, 20, 100]),
    ordering=st.sampled_from(ORDERINGS),
    concurrency=st.sampled_from([1, 1, 2, 4]),
    looks=st.lists(looks, min_size=1, max_size=4),
)


def bounded(examples: int) -> settings:
    """As many examples, always the same ones."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=slow)


def check(account: Account, url: str) -> None:
    """Look as often as the account says; then once more, when nothing moves."""
    world = World(account.seed, account.jobs, days=1, in_flight=account.in_flight, jobs_per_day=account.jobs_per_day)
    move = Mover(world)
    options: dict[str, Any] = {**QUICK, "page_size": account.page_size, "concurrency": account.concurrency}
    with Simulator(world, token=KEY, page_cap=account.page_cap, ordering=account.ordering) as sim:
        witness = Witness(sim, strict=account.concurrency == 1)
        for look in account.looks:
            for verb, number in look.before:
                move(verb, number)
            sim.every, sim.drift = look.every, move.does(look.during)
            run = mirror(sim, url, **options) if look.full else poll(client(sim, url, **options))
            assert witness.verdict(url, run) == []
        sim.drift, sim.ordering = None, "-id"
        for job_id in world.distorted():
            world.distort(job_id)
        run = mirror(sim, url, **options)
        assert run["certified"], run["certificate"]
        assert witness.verdict(url, run) + witness.differences(url) == []


@contextmanager
def lite(template: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{shutil.copyfile(template, Path(folder) / 'mirror.db')}"


@bounded(40)
@given(account=accounts)
def test_whatever_happens_a_mirror_says_only_what_was_so(account, migrated_file):
    with lite(migrated_file) as url:
        check(account, url)


@bounded(8)
@given(account=accounts)
def test_whatever_happens_a_mirror_on_postgresql_says_only_what_was_so(account, migrated_postgres):
    name = f"life_{next(numbers)}"
    migrated_postgres.create(name, "migrated")
    try:
        check(account, migrated_postgres.url(name))
    finally:
        migrated_postgres.drop(name)
