"""The poll between full syncs: what is new or in flight, for as many requests as that takes, and no verdicts."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from math import ceil, inf
from threading import Event
from typing import Any

import pytest

from tests.support.account import KEY, dump, mirror, query, row, rows, settings
from tpmirror.config import Settings
from tpmirror.db.engine import open_engine
from tpmirror.errors import ApiError, AuthenticationError
from tpmirror.service.metrics import Metrics
from tpmirror.service.worker import Worker
from tpmirror.simulator.http import Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync import quarantine
from tpmirror.sync.full import sync
from tpmirror.sync.ingest import MAX_UNANSWERED
from tpmirror.sync.poll import poll
from tpmirror.sync.quarantine import Selection
from tpmirror.tensorpix.control import Control

PAGE = 10


@pytest.fixture
def world() -> World:
    return World(seed=5, jobs=60, in_flight=4, jobs_per_day=0)


def look(sim: Simulator, url: str, **options: object) -> dict[str, Any]:
    """One poll; the row of the run."""
    return poll(settings(sim, url, **options))


def by_id(sim: Simulator, answers: dict[int, Response]) -> None:
    """Answer for some jobs by id in the API's place."""
    paths = {f"/api/jobs/{job_id}/": answer for job_id, answer in answers.items()}
    sim.respond = lambda request: paths.get(request.path)


def in_flight(url: str) -> int:
    ((found,),) = query(url, "SELECT COUNT(*) FROM jobs WHERE status IN (0, 1) AND presence <> 'gone'")
    return int(found)


@pytest.mark.parametrize("ordering", ["-id", "id"])
def test_a_poll_costs_what_is_in_flight_and_new_and_two_requests(sim, world, mirror_url, ordering):
    sim.ordering = ordering
    mirror(sim, mirror_url)
    for new, hidden in ((0, 0), (0, 4), (3 * PAGE, 0), (2 * PAGE + 5, 3)):
        for _ in range(new):
            world.submit()
            world.advance(0.001)
        for job_id in world.listed(active_only=True)[:hidden]:
            world.hide(job_id)
        flying = in_flight(mirror_url)
        run = look(sim, mirror_url)
        told = f"{ordering}, {new} new, {hidden} hidden, {flying} in flight"
        assert run["requests"] <= flying + ceil(new / PAGE) + 2, told
        assert (run["jobs_inserted"], run["outcome"]) == (new, "succeeded"), told
        for job_id in world.listed(active_only=True)[4:]:
            world.finish(job_id)
        mirror(sim, mirror_url)


def test_a_poll_of_a_quiet_account_costs_one_request(sim, world, mirrored):
    before = dump(mirrored)
    run = look(sim, mirrored)
    assert (run["requests"], run["pages"], run["retries"]) == (1, 1, 0)
    assert dump(mirrored) == before


def test_the_cost_of_a_poll_does_not_grow_with_the_history(mirror_url):
    world = World(seed=5, jobs=300, in_flight=4, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=100) as sim:
        mirror(sim, mirror_url)
        assert look(sim, mirror_url)["requests"] <= 4 + 2


def test_jobs_in_flight_that_are_far_down_or_off_the_list_are_asked_for_by_id(sim, world, mirrored):
    active = world.listed(active_only=True)
    world.hide(active[0])
    for _ in range(15):
        world.submit()
    sim.reset()
    run = look(sim, mirrored)
    asked = {int(seen.path.split("/")[3]) for seen in sim.requests if seen.path != "/api/jobs/"}
    assert active[0] in asked
    assert asked <= set(active)
    assert run["covered"]


def test_what_a_poll_is_and_what_it_does_not_claim(sim, world, mirrored):
    world.submit()
    run = look(sim, mirrored)
    kept = rows(mirrored, "sync_runs")[-1]
    assert {name: kept[name] for name in run} == run
    claims = {"kind": "poll", "outcome": "succeeded", "certified": False, "certificate": None, "error": None}
    assert {name: run[name] for name in claims} == claims
    assert run["started_at"] <= run["finished_at"]
    assert (run["jobs_inserted"], run["upstream_count"]) == (1, 61)


def test_the_command_prints_the_run_and_is_done(sim, world, tpmirror, mirrored):
    world.finish(60)
    run = json.loads(tpmirror("poll", "--json")[0])
    assert (run["kind"], run["outcome"], run["transitions"], run["certificate"]) == ("poll", "succeeded", 1, None)
    assert tpmirror("poll")[0].startswith("Mirrored 10 jobs")
    sim.forbidden = True
    said, complained = tpmirror("poll", code=4)
    assert (said, complained.count("\n")) == ("", 1)


def test_transitions_are_bounded_by_the_poll_before(sim, world, mirrored):
    job_id = world.submit()
    first = look(sim, mirrored)
    world.start(job_id)
    second = look(sim, mirrored)
    third = look(sim, mirrored)
    world.finish(job_id)
    fourth = look(sim, mirrored)
    entries = rows(mirrored, "job_status_history", job_id=job_id)
    assert [(entry["from_status"], entry["to_status"]) for entry in entries] == [(None, 0), (0, 1), (1, 2)]
    assert [entry["sync_run_id"] for entry in entries] == [first["id"], second["id"], fourth["id"]]
    assert entries[0]["not_before"] is None
    for entry, before, run in ((entries[1], first, second), (entries[2], third, fourth)):
        assert before["started_at"] <= entry["not_before"] <= before["finished_at"]
        assert run["started_at"] <= entry["observed_at"] <= run["finished_at"]
    assert [run["transitions"] for run in (first, second, third, fourth)] == [0, 1, 0, 1]


def test_a_hidden_job_in_flight_is_seen_to_its_end(sim, world, mirrored):
    world.hide(60)
    world.finish(60)
    before = look(sim, mirrored)
    held = row(mirrored, "jobs", id=60)
    assert (held["status"], held["presence"], before["transitions"]) == (2, "listed", 1)
    assert row(mirrored, "output_videos", job_id=60)["id"] == held["output_video_id"]
    sim.reset()
    look(sim, mirrored)
    assert "/api/jobs/60/" not in [seen.path for seen in sim.requests], "a job that is over is not in flight"


def test_a_poll_vouches_only_for_the_jobs_it_looked_at(sim, world, mirror_url):
    job_id = world.submit()
    mirror(sim, mirror_url)
    world.delete(job_id)
    gone = mirror(sim, mirror_url)
    assert row(mirror_url, "jobs", id=job_id)["presence"] == "gone"
    assert look(sim, mirror_url)["covered"]
    world.restore(job_id)
    world.finish(job_id)
    mirror(sim, mirror_url)
    entry = rows(mirror_url, "job_status_history", job_id=job_id)[-1]
    assert (entry["from_status"], entry["to_status"]) == (0, 2)
    assert entry["not_before"] <= gone["finished_at"], "nobody saw it in the queue after that"


def test_a_poll_that_finds_a_job_in_flight_and_cannot_hold_it_covers_not_all(sim, world, mirrored):
    world.edit(world.submit(), {"started": "yesterday"})
    assert not poll(settings(sim, mirrored))["covered"]
    assert not poll(settings(sim, mirrored))["covered"]


def test_a_job_in_flight_that_is_denied_is_left_to_the_next_full_sync(sim, world, mirrored):
    world.delete(60)
    world.finish(59)
    run = look(sim, mirrored)
    assert (run["jobs_gone"], run["transitions"], run["covered"]) == (0, 1, False)
    assert query(mirrored, "SELECT DISTINCT presence FROM jobs") == [("listed",)]
    assert not rows(mirrored, "job_absences")
    assert not rows(mirrored, "field_changes", field="presence")
    assert mirror(sim, mirrored)["jobs_gone"] == 1


def test_a_poll_that_did_not_see_every_job_bounds_no_transition(sim, world, mirrored):
    first = look(sim, mirrored)
    world.delete(60)
    assert not look(sim, mirrored)["covered"]
    world.restore(60)
    world.finish(60)
    look(sim, mirrored)
    entry = rows(mirrored, "job_status_history", job_id=60)[-1]
    assert first["started_at"] <= entry["not_before"] <= first["finished_at"]


def test_a_job_gone_is_not_in_flight(sim, world, mirrored):
    world.delete(60)
    mirror(sim, mirrored)
    sim.reset()
    look(sim, mirrored)
    assert "/api/jobs/60/" not in [seen.path for seen in sim.requests]


def test_a_job_without_an_answer_does_not_keep_the_others_from_being_mirrored(sim, world, mirrored):
    for job_id in (59, 60):
        world.hide(job_id)
        world.finish(job_id)
    by_id(sim, {60: Response.detail(500, "A server error occurred.")})
    with pytest.raises(ApiError):
        look(sim, mirrored, max_attempts=2, retry_base=0.001)
    assert row(mirrored, "jobs", id=59)["status"] == 2
    assert rows(mirrored, "sync_runs")[-1]["outcome"] == "failed"


@pytest.mark.parametrize("answer", [Response.detail(500, "Later."), Response.detail(401, "Invalid token.")])
def test_an_api_that_answers_for_no_job_is_not_asked_for_all_of_them(mirror_url, answer):
    world = World(seed=5, jobs=420, in_flight=400, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=100) as sim:
        mirror(sim, mirror_url)
        for job_id in world.listed(active_only=True):
            world.hide(job_id)
        sim.respond = lambda request: None if request.path == "/api/jobs/" else answer
        sim.reset()
        with pytest.raises(ApiError):
            look(sim, mirror_url, max_attempts=1, concurrency=2)
        assert 1 < sum(request.path != "/api/jobs/" for request in sim.requests) < 200


def test_jobs_that_the_api_fails_on_do_not_keep_those_after_them_from_being_asked_for(mirror_url):
    random.seed(1)
    world = World(seed=5, jobs=60, in_flight=40, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=PAGE) as sim:
        mirror(sim, mirror_url)
        hidden = world.listed(active_only=True)
        for job_id in hidden:
            world.hide(job_id)
            world.finish(job_id)
        failing = sorted(hidden)[: MAX_UNANSWERED + 2]
        by_id(sim, dict.fromkeys(failing, Response.detail(500, "A server error occurred.")))
        with pytest.raises(ApiError):
            look(sim, mirror_url, max_attempts=1, concurrency=1)
    assert {job["id"] for job in rows(mirror_url, "jobs") if job["status"] in {0, 1}} == set(failing)


def test_a_job_that_may_not_be_asked_for_fails_neither_poll_nor_full_sync(sim, world, mirrored):
    refused = min(world.listed(active_only=True))
    world.hide(refused)
    by_id(sim, {refused: Response.detail(403, "You do not have permission to perform this action.")})
    run = look(sim, mirrored, max_attempts=1)
    assert (run["outcome"], run["covered"]) == ("succeeded", False)
    by_id(sim, {refused: Response(302, {"Location": "https://elsewhere.example/"})})
    with pytest.raises(ApiError, match="redirects"):
        look(sim, mirrored, max_attempts=1)
    by_id(sim, {refused: Response.detail(500, "Later.")})
    run = full_sync(sim, mirrored, max_attempts=1)
    assert (run["outcome"], run["certified"]) == ("succeeded", True)


def test_an_answer_that_is_no_job_is_not_taken_for_one(sim, world, mirrored):
    world.hide(60)
    before = dump(mirrored)
    for answer in (Response.detail(410, "Gone."), Response.detail(400, "Bad request."), Response.json(200, {})):
        by_id(sim, {60: answer})
        try:
            covered = look(sim, mirrored, max_attempts=2, retry_base=0.001)["covered"]
        except ApiError:
            covered = False
        assert not covered
        assert dump(mirrored) == before


def test_a_refused_key_changes_nothing(sim, world, mirrored):
    before = dump(mirrored)
    sim.token = "replaced"
    with pytest.raises(AuthenticationError):
        poll(settings(sim, mirrored, api_key=KEY))
    assert dump(mirrored) == before
    assert rows(mirrored, "sync_runs")[-1]["outcome"] == "failed"


def test_the_first_poll_mirrors_everything_and_proves_nothing(sim, world, database_url):
    run = look(sim, database_url)
    assert (run["kind"], run["certified"], run["jobs_inserted"]) == ("poll", False, 60)
    assert [job["id"] for job in rows(database_url, "jobs")] == world.listed()
    assert run["requests"] <= 6 + 2


def test_a_poll_of_an_account_without_jobs_does_nothing(mirror_url):
    with Simulator(World(seed=1, jobs=0, jobs_per_day=0), token=KEY) as sim:
        run = look(sim, mirror_url)
    assert (run["outcome"], run["requests"], run["jobs_seen"]) == ("succeeded", 1, 0)


def test_a_poll_and_a_full_sync_leave_the_same_mirror(sim, world, mirror_url, tmp_path):
    other = f"sqlite:///{tmp_path / 'other.db'}"
    for url in (mirror_url, other):
        mirror(sim, url)
    world.finish(58)
    world.cancel(59)
    for _ in range(12):
        world.submit()
    look(sim, mirror_url)
    mirror(sim, other)
    for table in ("jobs", "input_videos", "output_videos", "ml_models", "job_ml_models"):
        ours, theirs = (
            [{name: value for name, value in found.items() if not name.endswith("_at")} for found in rows(url, table)]
            for url in (mirror_url, other)
        )
        assert ours == theirs, table
    again = mirror(sim, mirror_url)
    assert (again["jobs_inserted"], again["jobs_updated"], again["certified"]) == (0, 0, True)


def full_sync(sim: Simulator, url: str, poll_at: float = 0.0, **options: object) -> dict[str, Any]:
    """One full sync in which a poll falls due; the row of the run."""
    return sync(settings(sim, url, **options), control=Control(poll_at=poll_at))


@contextmanager
def working(options: Settings) -> Iterator[Worker]:
    """A worker of the service, with a full sync to do."""
    engine = open_engine(options.database_url)
    worker = Worker(options, engine, Metrics())
    worker.forced = True
    yield worker
    engine.dispose()


def at_the_end(sim: Simulator, act: Callable[[], object]) -> None:
    """Act once, while the full sync asks for the last page: after the count, those before it were served."""
    todo, counted = [act], Event()

    def respond(request: Any) -> None:
        if request.query.get("limit") == "1":
            counted.set()
        elif counted.is_set() and int(request.query["offset"]) >= 5 * PAGE - 5 and todo:
            todo.pop()()

    sim.respond = respond


def shows(answer: Response, job_id: int) -> bool:
    """Whether a page of the list shows a job."""
    return any(item["id"] == job_id for item in json.loads(answer.body)["results"])


def statuses(url: str, job_id: int) -> list[int]:
    return [entry["to_status"] for entry in rows(url, "job_status_history", job_id=job_id)]


@pytest.mark.parametrize("is_first", [False, True])
def test_a_change_behind_a_full_sync_is_seen_before_the_walk_ends(sim, world, mirror_url, is_first, monkeypatch):
    monkeypatch.setattr("tpmirror.service.due.IDLE", 10**9)  # the first full sync finds the jobs in flight only now
    if not is_first:
        mirror(sim, mirror_url)
    before = world.status(60)
    at_the_end(sim, lambda: world.finish(60))
    with working(replace(settings(sim, mirror_url, concurrency=1), poll_interval=0.001)) as worker:
        worker.forced = True
        worker.tick()
    run = rows(mirror_url, "sync_runs", kind="full")[-1]
    assert (statuses(mirror_url, 60)[-2:], run["certified"], run["transitions"]) == ([before, 2], True, 1)


def test_a_full_sync_in_which_no_poll_falls_due_does_none(sim, world, mirrored):
    alone, polling = (full_sync(sim, mirrored, poll_at)["requests"] for poll_at in (inf, 0.0))
    assert alone <= ceil(60 / PAGE) + 4
    assert alone < polling <= alone + in_flight(mirrored) + 2


def test_an_answer_by_id_during_a_full_sync_does_not_say_that_the_job_is_listed(sim, world, mirrored):
    world.hide(60)
    assert mirror(sim, mirrored)["certified"]
    world.finish(60)
    run = full_sync(sim, mirrored)
    assert (run["certified"], run["transitions"], run["jobs_returned"]) == (True, 1, 0)
    assert row(mirrored, "jobs", id=60)["presence"] == "unlisted"


def test_a_page_asked_for_before_an_answer_by_id_does_not_take_it_back(sim, world, mirror_url):
    world.start(25)  # in flight, in the middle of the list
    mirror(sim, mirror_url)
    old_served, new_served = Event(), Event()

    def respond(request: Any) -> Response | None:
        if request.path == "/api/jobs/25/":
            assert old_served.wait(25)
            world.finish(25)
            new_served.set()
        elif not old_served.is_set() and shows(answer := sim.answer(request), 25):
            old_served.set()
            assert new_served.wait(25)
            return answer
        return None

    sim.respond = respond
    assert full_sync(sim, mirror_url, concurrency=2)["certified"]
    assert statuses(mirror_url, 25)[-2:] == [1, 2]


@pytest.mark.parametrize("interval", [30.0, 3600.0])
def test_two_polls_are_never_farther_apart_than_the_interval(sim, mirrored, interval):
    with working(settings(sim, mirrored, poll_interval=interval, sync_interval=interval * 100)) as worker:
        worker.forced = True
        worker.tick()
        started = worker.status().succeeded_at
        assert started is not None
        last_chance = started + timedelta(seconds=interval - worker.every)
        assert worker._poll.due(worker.status(), worker._poll.interval, last_chance) <= last_chance


def test_a_job_in_flight_that_cannot_be_read_is_covered_once_that_is_accepted(sim, world, mirrored, engine):
    job_id = world.submit()
    look(sim, mirrored)
    world.raw(job_id, b'{"id":%d,"status":0,"status":1}' % job_id)
    assert not look(sim, mirrored)["covered"]
    quarantine.accept(engine, Selection())
    assert look(sim, mirrored)["covered"]
