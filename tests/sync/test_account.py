"""A mirror belongs to one account of one origin: nothing of another is ever written, wherever a full sync meets it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert

from tests.support.account import KEY, connected, dump, environ, mirror, pages, rows, settings
from tpmirror.config import load
from tpmirror.db import schema
from tpmirror.errors import ScopeError
from tpmirror.simulator.api import Backend
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync.account import Claim, news_of, origin_of, unvouched
from tpmirror.sync.full import sync
from tpmirror.sync.poll import poll
from tpmirror.sync.verify import preview, verify

SHIFT = 10**6
OTHERS = ("other@example.com", 815)
SCOPE = "mirror_scope"
NOT_FOUND = Response.detail(404, "Not found.")


@pytest.fixture
def stranger() -> World:
    """Another account: other owners, other ids."""
    world = World(seed=9, jobs=40, in_flight=3, owner=OTHERS, jobs_per_day=0)
    for job_id in world.ids():
        world.edit(job_id, {"id": SHIFT + job_id, "description": "of the other account"})
    return world


def answers_of(stranger: World) -> Callable[[Request], Response]:
    """What the same API says to the other account's key."""
    backend = Backend(stranger, token=KEY, page_cap=10)

    def answer(request: Request) -> Response:
        *_, kind, number, _ = request.path.split("/")
        if number.isdigit():
            request = replace(request, target=request.path.replace(f"{kind}/{number}", f"{kind}/{int(number) - SHIFT}"))
        return backend.handle(request)

    return answer


def switch(sim: Simulator, stranger: World, after: int) -> None:
    """After so many requests the key opens the other account."""
    sim.reset()
    answer = answers_of(stranger)
    sim.respond = lambda request: answer(request) if sim.count_requests() >= after else None


def assert_nothing_of_it(url: str) -> None:
    held = json.dumps(dump(url))
    assert OTHERS[0] not in held
    assert "of the other account" not in held
    assert not [job for job in rows(url, "jobs") if job["id"] > SHIFT]
    assert ("output_owner", str(OTHERS[1])) not in [(row["kind"], row["value"]) for row in rows(url, "mirror_scope")]


# The same account


def test_a_new_key_of_the_same_account_is_welcome(sim, mirrored):
    before = dump(mirrored)
    sim.token = "another-key"
    run = mirror(sim, mirrored)
    assert (run["outcome"], run["certified"]) == ("succeeded", True)
    assert dump(mirrored) == before


def test_pages_full_of_new_jobs_of_the_same_owner_are_welcome(sim, world, mirrored):
    for _ in range(25):
        world.submit()
    sim.reset()
    run = mirror(sim, mirrored)
    assert (run["certified"], run["jobs_inserted"]) == (True, 25)
    assert {seen.path for seen in sim.requests} == {"/api/jobs/"}, "the owner says it all"


def test_an_account_without_owners_is_known_by_its_jobs(sim, world, mirror_url):
    for job_id in world.ids():
        shown = world.job(job_id)
        world.edit(job_id, {name: {"owner": None} for name in ("input_video", "output_video") if shown[name]})
    mirror(sim, mirror_url)
    assert {row["kind"] for row in rows(mirror_url, "mirror_scope")} == {"origin"}
    assert mirror(sim, mirror_url)["certified"]


@pytest.mark.parametrize(
    "edit", [{"input_video": {"owner": None}}, {"input_video": {"owner": "colleague@example.com"}}]
)
def test_a_page_that_shows_nothing_known_is_the_accounts_if_known_jobs_answer_by_id(sim, world, mirrored, edit):
    for _ in range(12):
        world.edit(world.submit(), edit)
    run = mirror(sim, mirrored)
    assert (run["certified"], run["jobs_inserted"]) == (True, 12)


@pytest.mark.parametrize("run", [sync, poll])
def test_what_a_job_shows_while_it_vouches_for_the_account_is_history_too(sim, world, mirrored, run):
    world.finish(30)
    mirror(sim, mirrored)
    for _ in range(12):
        world.edit(world.submit(), {"input_video": {"owner": "colleague@example.com"}})
    sim.respond = lambda request: (
        Response.json(200, {**world.job(30), "status": -1}) if request.path == "/api/jobs/30/" else None
    )
    assert run(settings(sim, mirrored))["jobs_inserted"] == 12
    history = [row["to_status"] for row in rows(mirrored, "job_status_history", job_id=30)]
    assert history[-3:] == [2, -1, 2], "asked for by its id, and then on a page"


def test_a_known_job_that_was_deleted_does_not_make_the_account_another(sim, world, mirrored):
    for _ in range(12):
        world.edit(world.submit(), {"input_video": {"owner": None}})
    for job_id in (30, 29):
        world.delete(job_id)
    assert mirror(sim, mirrored)["jobs_inserted"] == 12


def test_jobs_whose_videos_are_all_deleted_are_known_by_their_ids(sim, world, mirrored):
    for job_id in world.ids():
        world.edit(job_id, {"input_video": None, "output_video": None})
    assert mirror(sim, mirrored)["certified"]


# Another account


def test_another_account_is_refused_at_its_first_page(sim, stranger, mirrored):
    before = dump(mirrored)
    switch(sim, stranger, after=0)
    for run in (sync, poll, preview, verify):
        with pytest.raises(ScopeError, match="another account"):
            run(settings(sim, mirrored))
        assert dump(mirrored) == before, run.__name__
    sim.respond = None
    assert mirror(sim, mirrored)["certified"]
    assert dump(mirrored) == before


def test_another_account_is_refused_also_where_its_key_may_not_ask_for_foreign_jobs(sim, stranger, mirrored):
    answer, denial = answers_of(stranger), Response.detail(403, "You do not have permission to perform this action.")
    sim.respond = lambda request: answer(request) if request.path == "/api/jobs/" else denial
    with pytest.raises(ScopeError, match="another account"):
        mirror(sim, mirrored)
    assert_nothing_of_it(mirrored)


def test_the_run_tells_why_it_failed_without_a_word_of_the_other_account(sim, stranger, mirrored):
    switch(sim, stranger, after=0)
    with pytest.raises(ScopeError):
        mirror(sim, mirrored)
    run = rows(mirrored, "sync_runs")[-1]
    assert (run["outcome"], run["certified"], run["jobs_seen"], run["jobs_inserted"]) == ("failed", False, 0, 0)
    assert "another account" in run["error"]
    assert OTHERS[0] not in json.dumps(run, default=str)


def test_another_account_in_the_middle_of_a_full_sync_is_refused(sim, world, stranger, mirrored):
    before = dump(mirrored)
    for after in (1, 2, 3, 4):
        world.edit(25, {"description": f"new {after}"})  # on the first page, which is still the account's own
        switch(sim, stranger, after=after)
        with pytest.raises(ScopeError):
            mirror(sim, mirrored)
        held = dump(mirrored)
        assert {name for name in before if before[name] != held[name]} == {"jobs", "field_changes"}
    assert_nothing_of_it(mirrored)
    assert not [job for job in rows(mirrored, "jobs") if job["presence"] != "listed"]


@pytest.mark.parametrize("after", [1, 4])
def test_another_account_in_the_middle_of_the_very_first_full_sync_is_refused(sim, stranger, mirror_url, after):
    switch(sim, stranger, after=after)
    with pytest.raises(ScopeError):
        mirror(sim, mirror_url, concurrency=1)
    assert_nothing_of_it(mirror_url)
    assert {job["id"] for job in rows(mirror_url, "jobs")} >= set(range(21, 31)), "its first page was its own"
    sim.respond = None
    assert mirror(sim, mirror_url)["certified"]


def test_another_account_in_the_middle_of_a_poll_is_not_written(sim, world, stranger, mirrored):
    for job_id in world.listed(active_only=True):
        world.hide(job_id)
    before = dump(mirrored)
    switch(sim, stranger, after=1)
    run = poll(settings(sim, mirrored))
    assert (run["outcome"], run["covered"]) == ("succeeded", False)
    assert dump(mirrored) == before


def test_another_account_with_pages_of_news_between_is_refused_by_a_poll(sim, world, stranger, mirrored):
    for _ in range(25):
        world.submit()
    switch(sim, stranger, after=1)
    with pytest.raises(ScopeError):
        poll(settings(sim, mirrored))
    assert_nothing_of_it(mirrored)


def test_nothing_of_another_account_is_written_where_none_of_its_jobs_can_be_read(sim, stranger, mirrored):
    before = dump(mirrored)
    for job_id in stranger.ids():
        stranger.edit(job_id, {"status": "finished"})
    switch(sim, stranger, after=0)
    with pytest.raises(ScopeError):
        mirror(sim, mirrored)
    assert dump(mirrored) == before


def test_another_account_without_jobs_proves_and_changes_nothing(sim, mirrored):
    before = dump(mirrored)
    switch(sim, World(seed=9, jobs=0, owner=OTHERS, jobs_per_day=0), after=0)
    run = mirror(sim, mirrored)
    assert (run["certified"], "account not shown" in run["certificate"]) == (False, True)
    assert {**dump(mirrored), "job_absences": []} == before
    sim.respond = None
    assert mirror(sim, mirrored)["certified"]
    assert dump(mirrored) == before


@pytest.mark.parametrize("after", [1, 3])
def test_another_account_without_jobs_in_mid_full_sync_proves_and_changes_nothing(sim, mirrored, after):
    before = dump(mirrored)
    switch(sim, World(seed=9, jobs=0, owner=OTHERS, jobs_per_day=0), after=after)
    assert not mirror(sim, mirrored)["certified"]
    assert dump(mirrored) == before


def test_an_owner_is_remembered_only_with_the_page_that_showed_it(sim, mirror_url):
    def fail(page: dict[str, Any], request: Request) -> None:
        if int(request.query["offset"]) >= 10:
            page["results"] = "none"
        else:
            for job in page["results"]:
                if job["input_video"]:
                    job["input_video"]["owner"] = "first@example.com"

    pages(fail, sim)
    with pytest.raises(Exception, match="not a page of jobs"):
        mirror(sim, mirror_url, max_attempts=1)
    found = {(row["kind"], row["value"]) for row in rows(mirror_url, "mirror_scope")}
    assert found == {("origin", "loopback"), ("input_owner", "first@example.com"), ("output_owner", "4711")}


# Another account that shares a job, and owners who are new


def shared(sim: Simulator, stranger: World, job_id: int) -> None:
    """The key opens the other account, which shows one job of this one besides its own, on the same page."""
    ours = sim.world.job(job_id)

    def distort(page: dict[str, Any], _request: Request) -> None:
        foreign = [stranger.job(number) for number in reversed(stranger.ids())]
        page.update(count=len(foreign) + 1, next=None, previous=None, results=[*foreign, ours])

    sim.reset()
    pages(distort, sim)
    lists = sim.respond
    assert lists is not None

    def respond(request: Request) -> Response | None:
        listed = lists(request)
        return listed or (None if str(job_id) in request.path.split("/") else NOT_FOUND)

    sim.respond = respond


@pytest.mark.parametrize("owner", [OTHERS[0], None])
def test_one_shared_job_does_not_open_the_mirror_to_another_account(sim, mirrored, owner):
    stranger = World(seed=9, jobs=300, in_flight=3, owner=OTHERS, jobs_per_day=0)
    for job_id in stranger.ids():
        fields = {"id": SHIFT + job_id, "description": "of the other account", "output_video": None}
        stranger.edit(job_id, {**fields, "input_video": {"owner": owner}})
    before = dump(mirrored)
    shared(sim, stranger, 30)
    for run in (sync, poll, preview, verify):
        with pytest.raises(ScopeError, match="accept-owner"):
            run(settings(sim, mirrored, page_size=1000))
        assert dump(mirrored) == before, run.__name__
    assert_nothing_of_it(mirrored)
    asked = {seen.path for seen in sim.requests} - {"/api/jobs/"}
    assert {f"/api/jobs/{job_id}/" for job_id in range(10, 30)} <= asked, "the twenty newest but the shared one"


def test_a_shared_job_on_a_later_page_is_no_proof_either(sim, mirrored):
    stranger = World(seed=9, jobs=150, in_flight=0, owner=OTHERS, jobs_per_day=0)
    for job_id in stranger.ids():
        videos = {name: {"id": SHIFT + job_id} for name in ("input_video", "output_video")}
        stranger.edit(job_id, {"id": SHIFT + job_id, **videos})
    before = dump(mirrored)
    shared(sim, stranger, 30)
    whole = sim.respond

    def paged(request: Request) -> Response | None:
        answer = whole(request)
        if request.path != "/api/jobs/":
            return answer
        jobs, offset = json.loads(answer.body)["results"], int(request.query["offset"])
        shown = jobs[offset : offset + int(request.query["limit"])]
        return Response.json(200, {"count": len(jobs), "next": None, "previous": None, "results": shown})

    sim.respond = paged
    for run in (sync, poll):
        with pytest.raises(ScopeError, match="accept-owner"):
            run(settings(sim, mirrored))
        assert dump(mirrored) == before


def test_the_only_known_job_vouches_for_nobody_it_may_be_shared(world, sim, tpmirror, mirrored):
    for job_id in range(1, 30):
        world.delete(job_id)
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync")
    before = dump(mirrored)
    stranger = World(seed=9, jobs=5, in_flight=0, owner=OTHERS, jobs_per_day=0)
    for job_id in stranger.ids():
        videos = {name: {"id": SHIFT + job_id} for name in ("input_video", "output_video")}
        stranger.edit(job_id, {"id": SHIFT + job_id, **videos})
    shared(sim, stranger, 30)
    assert "accept-owner" in tpmirror("sync", code=1)[1]
    assert dump(mirrored) == before


def test_one_known_job_that_answers_is_enough_for_a_new_owner(sim, world, mirrored):
    new = world.submit()
    world.edit(new, {"input_video": {"owner": "colleague@example.com"}})
    for job_id in range(12, 31):
        world.delete(job_id)
    assert mirror(sim, mirrored, page_size=3, vanish_limit=100)["jobs_inserted"] == 1
    assert ("input_owner", "colleague@example.com") in [(row["kind"], row["value"]) for row in rows(mirrored, SCOPE)]


def test_a_new_owner_is_refused_where_no_known_job_answers_until_an_operator_accepts_it(sim, world, tpmirror, mirrored):
    colleague = World(seed=9, jobs=5, in_flight=0, owner=OTHERS, jobs_per_day=0)
    for job_id in colleague.ids():
        colleague.edit(job_id, {"id": SHIFT + job_id})
    switch(sim, colleague, after=0)
    _, complained = tpmirror("sync", code=1)
    assert "tpmirror db accept-owner VALUE" in complained
    assert str(OTHERS[1]) in complained
    assert_nothing_of_it(mirrored)
    tpmirror("db", "accept-owner", OTHERS[0])
    tpmirror("sync", code=3)  # thirty jobs vanished
    assert len(rows(mirrored, "jobs")) == 35


def test_known_jobs_that_live_in_the_history_vouch_for_a_new_owner(sim, world, mirrored):
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    sim.active_only = sim.archive = True
    world.edit(world.submit(), {"input_video": {"owner": "colleague@example.com"}})
    assert mirror(sim, mirrored)["jobs_inserted"] == 1


def test_a_small_account_all_of_which_is_shown_may_have_a_new_owner(sim, world, mirrored):
    world.edit(world.submit(), {"input_video": {"owner": "colleague@example.com"}})
    sim.page_cap, sim.respond = None, lambda request: None if request.path == "/api/jobs/" else NOT_FOUND
    assert mirror(sim, mirrored)["jobs_inserted"] == 1


def test_known_jobs_vouch_for_a_page_of_which_they_are_most(sim, world, mirrored):
    """The one known job that it does not show was deleted."""
    world.delete(7)
    world.edit(world.submit(), {"input_video": {"owner": "colleague@example.com"}})
    sim.page_cap = None
    assert mirror(sim, mirrored)["jobs_inserted"] == 1


def test_a_mirror_whose_jobs_are_all_gone_asks_before_it_takes_others(sim, world, tpmirror, mirrored):
    for job_id in world.ids():
        world.delete(job_id)
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync")
    world.submit()
    tpmirror("sync")
    world.delete(31)
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync")
    world.edit(world.submit(), {"input_video": {"owner": "colleague@example.com"}})
    assert "accept-owner" in tpmirror("sync", code=1)[1]


def test_a_wrong_owner_of_a_known_video_is_not_taken_for_the_accounts(sim, world, stranger, mirrored):
    world.edit(20, {"input_video": {"owner": OTHERS[0]}})
    world.edit(19, {"output_video": {"owner": OTHERS[1]}})
    assert mirror(sim, mirrored)["certified"]
    assert not {*OTHERS} & {row["value"] for row in rows(mirrored, SCOPE)}
    world.edit(20, {"input_video": {}})
    switch(sim, stranger, after=0)
    with pytest.raises(ScopeError):
        mirror(sim, mirrored)


def test_the_number_of_a_known_address_needs_nobody_to_vouch_and_an_address_does():
    def claims(address: str, number: int) -> list[Claim]:
        return [Claim(1, 7, ("input_owner", address)), Claim(1, 7, ("output_owner", str(number)))]

    known = {("input_owner", "me@example.com"), ("output_owner", "1")}
    for address, number, strange in (
        ("me@example.com", 2, set()),
        ("you@example.com", 1, {("input_owner", "you@example.com")}),
        ("you@example.com", 2, {("input_owner", "you@example.com"), ("output_owner", "2")}),
    ):
        shown = claims(address, number)
        assert unvouched(shown, known, news_of(shown, known, ())) == strange


@pytest.mark.parametrize("value", ["", "  ", "a" * 321])
def test_what_is_no_owner_is_not_accepted(tpmirror, mirrored, value):
    before = rows(mirrored, SCOPE)
    tpmirror("db", "accept-owner", value, code=2)
    assert rows(mirrored, SCOPE) == before


# Another origin


def test_another_origin_is_refused_before_the_key_is_sent(sim, mirrored):
    before = dump(mirrored)
    elsewhere = environ("https://backend.example.invalid", database_url=mirrored, max_attempts=1)
    for run in (sync, poll, preview, verify):
        with pytest.raises(ScopeError, match="belongs to loopback") as told:
            run(load(elsewhere))
        assert "https://backend.example.invalid" in str(told.value)
    assert dump(mirrored) == before


def test_a_mirror_of_the_true_api_refuses_a_simulator(sim, mirror_url):
    origin = {"kind": "origin", "value": "https://backend.tensorpix.ai", "first_seen_at": sim.world.now}
    with connected(mirror_url) as conn:
        conn.execute(insert(schema.mirror_scope), [origin])
        conn.commit()
    sim.reset()
    with pytest.raises(ScopeError, match=r"https://backend\.tensorpix\.ai"):
        mirror(sim, mirror_url)
    assert sim.count_requests() == 0
    assert not rows(mirror_url, "jobs")


def test_every_port_of_loopback_is_one_origin(sim, world, mirrored):
    with Simulator(world, token=KEY, page_cap=10) as other:
        assert other.port != sim.port
        assert mirror(other, mirrored)["certified"]
        named = environ(f"http://localhost:{other.port}", database_url=mirrored)
        assert sync(load(named))["certified"]


@pytest.mark.parametrize(
    "same",
    [
        "https://backend.tensorpix.ai/",
        "https://BACKEND.TensorPix.ai",
        "HTTPS://backend.tensorpix.ai",
        "https://backend.tensorpix.ai:443",
    ],
)
def test_one_origin_may_be_written_in_several_ways(same):
    assert origin_of(load({"TPMIRROR_API_URL": same}).api_url) == origin_of(load({}).api_url)


@pytest.mark.parametrize("other", ["https://backend.tensorpix.ai:8443", "https://api.tensorpix.ai"])
def test_another_host_or_port_is_another_origin(other):
    assert origin_of(load({"TPMIRROR_API_URL": other}).api_url) != origin_of(load({}).api_url)
