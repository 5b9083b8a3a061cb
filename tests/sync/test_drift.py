"""A list that moves while it is read: a certificate is right or it is not given; and what a quiet list costs."""

import json
from math import ceil
from typing import Any

import pytest

from tests.support.account import KEY, mirror, pages, query
from tests.support.drifts import QUICK, SCENARIOS, Scenario
from tests.support.witness import Witness
from tpmirror.simulator.http import Request
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_mirror_of_a_list_that_moves_claims_nothing_that_is_not_so(mirror_url, scenario):
    wrong, _ = scenario.play(mirror_url, seed=1)
    assert wrong == []


def test_lists_that_move_are_certified_too(mirror_url):
    """Or the test above would prove nothing."""
    _, certified = Scenario("seldom", verbs=("submit",), every=9).play(mirror_url, seed=1)
    assert all(certified)


def test_a_job_that_slips_past_a_whole_pass_is_found_by_the_next(mirror_url):
    """Deleting what was read moves an unread job onto a page that was read: rows and counts alone look fine."""
    world = World(seed=2, jobs=30, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=10, drift=lambda world, _: world.delete(world.order("-id")[0])) as sim:
        witness = Witness(sim)
        sim.every = 1
        run = mirror(sim, mirror_url, **QUICK, page_size=10, concurrency=1)
        assert not run["certified"]
        sim.drift = None
        run = mirror(sim, mirror_url, **QUICK, page_size=10)
        assert run["certified"]
        assert witness.verdict(mirror_url, run) + witness.differences(mirror_url) == []


@pytest.mark.parametrize(
    ("jobs", "more", "numbers"),
    [
        (30, 1, "the API counts 31 jobs, 30 were shown: it counts too many"),
        (30, 15, "the API counts 45 jobs, 30 were shown: it counts too many"),
        (4, 1, "the API counts 5 jobs, 4 were shown: it counts too many"),
        (30, -2, "the API counts 28 jobs and shows 30: it counts too few"),
        (30, -10, "the API counts 20 jobs and shows 30: it counts too few"),
        (30, -30, "the API counts 0 jobs and shows 30: it counts too few"),
        (4, -1, "the API counts 3 jobs and shows 4: it counts too few"),
    ],
)
def test_a_count_that_is_always_wrong_is_named_and_fails_no_run(mirror_url, jobs, more, numbers):
    world = World(seed=2, jobs=jobs, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=10) as sim:
        pages(lambda page, _: page.update(count=page["count"] + more), sim)
        for _ in range(2):
            run = mirror(sim, mirror_url, **QUICK, page_size=10)
            assert (run["outcome"], run["certified"], run["jobs_seen"]) == ("succeeded", False, jobs)
            assert json.loads(run["certificate"])["reason"].startswith(numbers)
            assert run["pages"] < 60
    assert query(mirror_url, "SELECT DISTINCT presence FROM jobs") == [("listed",)]


def test_a_count_that_turns_wrong_takes_no_job_off_the_list(mirror_url):
    world = World(seed=2, jobs=30, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=10) as sim:
        assert mirror(sim, mirror_url, **QUICK, page_size=10)["certified"]
        for count in (20, 10, 0):

            def miscount(page: Any, _: Request, count: int = count) -> None:
                page.update(count=count)

            pages(miscount, sim)
            for concurrency in (1, 4):
                assert not mirror(sim, mirror_url, **QUICK, page_size=10, concurrency=concurrency)["certified"]
                assert query(mirror_url, "SELECT DISTINCT presence FROM jobs") == [("listed",)]


def test_pages_that_are_always_the_same_are_no_list_that_moved(mirror_url):
    """As from a cache that knows no queries, of a list whose links say nothing."""
    world = World(seed=2, jobs=30, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=10) as sim:
        first = json.loads(sim.answer(Request("GET", "/api/jobs/?limit=10", {"authorization": f"Token {KEY}"})).body)

        def repeat(page, request):
            is_far = int(request.query.get("offset", 0)) >= 30
            page |= {"results": [] if is_far else first["results"], "next": None, "previous": None}

        pages(repeat, sim)
        run = mirror(sim, mirror_url, **QUICK, page_size=10)
    assert json.loads(run["certificate"])["reason"].startswith("the API counts 30 jobs, 10 were shown: it counts too")


@pytest.mark.parametrize("limit", [5, 10])
def test_a_full_page_that_lost_its_last_row_to_a_new_one_is_not_certified_without_it(mirror_url, limit):
    """The rows were read after the count: ten are counted, the eleventh pushes the first one off the page."""
    world = World(seed=2, jobs=limit, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=limit) as sim:
        witness = Witness(sim)
        pending = [1]
        witness.between = lambda world: world.submit() if pending and pending.pop() else None
        run = mirror(sim, mirror_url, **QUICK, page_size=limit)
        assert witness.verdict(mirror_url, run) == []
        run = mirror(sim, mirror_url, **QUICK, page_size=limit)
        assert (run["certified"], run["jobs_seen"]) == (True, limit + 1)
        assert witness.verdict(mirror_url, run) + witness.differences(mirror_url) == []


@pytest.mark.parametrize(
    ("cap", "jobs"),
    [(5, jobs) for jobs in (0, 1, 4, 5, 6, 9, 10, 11, 29, 30, 31)] + [(20, jobs) for jobs in (39, 40, 41, 179, 200)],
)
def test_a_quiet_list_costs_its_pages_and_at_most_four_requests_more(lite_url, cap, jobs):
    with Simulator(World(seed=3, jobs=jobs, jobs_per_day=0), token=KEY, page_cap=cap) as sim:
        assert mirror(sim, lite_url, **QUICK)["certified"]
        sim.reset()
        run = mirror(sim, lite_url, **QUICK)
    assert run["certified"]
    assert (run["jobs_seen"], run["requests"]) == (jobs, sim.count_requests())
    assert run["requests"] <= ceil(jobs / cap) + 4


@pytest.mark.parametrize("jobs", [0, 1, 19, 20])
def test_a_known_list_that_fits_a_page_costs_one_request(lite_url, jobs):
    with Simulator(World(seed=3, jobs=jobs, jobs_per_day=0), token=KEY, page_cap=100) as sim:
        mirror(sim, lite_url, **QUICK, page_size=21)
        run = mirror(sim, lite_url, **QUICK, page_size=21)
    assert (run["certified"], run["requests"], json.loads(run["certificate"])["count"]) == (True, 1, jobs)


@pytest.mark.exhaustive
def test_ten_thousand_jobs_are_certified_with_104_requests(lite_url):
    with Simulator(World(seed=4, jobs=10_000, jobs_per_day=0), token=KEY, page_cap=6000) as sim:
        assert mirror(sim, lite_url, **QUICK, page_size=6000)["certified"]
        sim.page_cap = 100
        run = mirror(sim, lite_url, **QUICK)
    assert (run["certified"], run["jobs_seen"], run["jobs_unchanged"]) == (True, 10_000, 10_000)
    assert run["requests"] <= 104
    assert query(lite_url, "SELECT COUNT(*) FROM jobs") == [(10_000,)]


@pytest.mark.parametrize("ordering", ["-id", "id"])
def test_new_jobs_on_several_pages_cost_those_pages_once_more_and_no_second_pass(lite_url, ordering):
    world = World(seed=2, jobs=200, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=10, ordering=ordering) as sim:
        assert mirror(sim, lite_url, **QUICK, page_size=10)["certified"]
        for _ in range(45):
            world.submit()
        run = mirror(sim, lite_url, **QUICK, page_size=10)
    assert (run["certified"], run["jobs_inserted"], json.loads(run["certificate"])["passes"]) == (True, 45, 1)
    assert run["requests"] <= ceil(245 / 10) + ceil(45 / 10) + 5
