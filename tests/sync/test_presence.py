"""Jobs that the list lacks: gone only if the API itself says so by id, within a limit, and never for ever."""

import json
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.support.account import KEY, connected, dump, mirror, pages, query, row, rows, settings, tamper
from tests.support.notes import DETAIL, LIST
from tpmirror.config import load
from tpmirror.db import lease, schema
from tpmirror.db.engine import write
from tpmirror.errors import ApiError, MirrorError, TransientDatabaseError
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.status import read_status
from tpmirror.sync import gone, quarantine
from tpmirror.sync.absence import is_due
from tpmirror.sync.poll import poll
from tpmirror.sync.presence import PROBE_JOBS, UNLISTED_LOOKUPS, spread

HTML = {"Content-Type": "text/html"}
NOT_FOUND = Response.detail(404, "Not found.")
HASTY: dict[str, Any] = {"retry_base": 0.001, "max_attempts": 2}


@pytest.fixture
def world() -> World:
    return World(seed=3, jobs=40, in_flight=2, jobs_per_day=0)


@pytest.fixture
def sim(world: World) -> Iterator[Simulator]:
    with Simulator(world, token=KEY, page_cap=50) as simulator:
        yield simulator


def where(url: str) -> dict[int, str]:
    """Where each job is, of those that are not listed."""
    return dict(query(url, "SELECT id, presence FROM jobs WHERE presence <> 'listed' ORDER BY id"))


def moves(url: str, job_id: int) -> list[tuple[Any, ...]]:
    """Each recorded change of where a job is: from, to, and in which run."""
    told = rows(url, "field_changes", entity="job", entity_id=job_id, field="presence")
    return [(change["old_value"], change["new_value"], change["sync_run_id"]) for change in told]


def history(url: str) -> list[tuple[Any, ...]]:
    return query(url, "SELECT * FROM job_status_history ORDER BY entry")


def asked(sim: Simulator) -> list[int]:
    """The jobs asked for by id, in order; questions to the history of ended jobs left out."""
    return [int(found[1]) for seen in sim.requests if (found := DETAIL.fullmatch(seen.path))]


def answer_by_id(sim: Simulator, answer: Callable[[int], Response | None]) -> None:
    """Let ``answer`` answer in the API's place for jobs by id, of the history too; None: the API does."""
    sim.respond = lambda request: None if request.path == LIST else answer(int(request.path.split("/")[-2]))


def delete(world: World, ids: Collection[int]) -> None:
    for job_id in ids:
        world.delete(job_id)


# A job that is deleted, hidden, or ended


def test_a_deleted_job_is_gone(sim, world, mirrored):
    before, told = row(mirrored, "jobs", id=7), history(mirrored)
    world.delete(7)
    run = mirror(sim, mirrored)
    held = row(mirrored, "jobs", id=7)
    assert (run["jobs_gone"], run["jobs_returned"], run["field_changes"], run["certified"]) == (1, 0, 1, True)
    assert run["started_at"] <= held["gone_at"] <= run["finished_at"]
    assert held == {**before, "presence": "gone", "gone_at": held["gone_at"], "changed_at": held["changed_at"]}
    assert moves(mirrored, 7) == [("listed", "gone", run["id"])]
    assert where(mirrored) == {7: "gone"}
    assert history(mirrored) == told
    assert [note["answer"] for note in rows(mirrored, "job_absences")] == ["not found"]
    before = dump(mirrored)
    sim.reset()
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], run["field_changes"], run["certified"], asked(sim)) == (0, 0, True, [])
    assert dump(mirrored) == before, "gone once is gone"


def test_a_hidden_job_is_unlisted_and_kept_up_to_date_by_its_id(sim, world, mirrored):
    world.hide(39)
    hidden = mirror(sim, mirrored)
    assert (hidden["jobs_gone"], hidden["certified"]) == (0, True)
    assert moves(mirrored, 39) == [("listed", "unlisted", hidden["id"])]
    assert row(mirrored, "jobs", id=39)["gone_at"] is None
    world.finish(39)
    world.rate(39, 4)
    run = mirror(sim, mirrored)
    entry = rows(mirrored, "job_status_history", job_id=39)[-1]
    assert (entry["to_status"], entry["sync_run_id"], run["transitions"]) == (2, run["id"], 1)
    assert where(mirrored) == {39: "unlisted"}
    assert row(mirrored, "output_videos", job_id=39)["quality_score"] == 4
    assert moves(mirrored, 39) == [("listed", "unlisted", hidden["id"])]


def test_unlisted_jobs_are_asked_for_a_few_at_a_time_the_longest_unasked_first(sim, world, mirrored):
    hidden = range(2, 2 + UNLISTED_LOOKUPS + UNLISTED_LOOKUPS // 2)
    for job_id in hidden:
        world.hide(job_id)
    mirror(sim, mirrored)
    assert where(mirrored) == dict.fromkeys(hidden, "unlisted")
    turns: list[list[int]] = []
    for _ in range(3):
        sim.reset()
        mirror(sim, mirrored)
        turns.append([job_id for job_id in asked(sim) if job_id in hidden])
    assert [len(turn) for turn in turns] == [UNLISTED_LOOKUPS] * 3
    assert sorted(turns[0] + turns[1][: UNLISTED_LOOKUPS // 2]) == list(hidden)
    # In a circle: whoever was asked for is asked for again only after all others.
    order = [job_id for turn in turns for job_id in turn]
    assert order[len(hidden) :] == order[: len(hidden)]


def test_finished_jobs_that_leave_the_list_are_unlisted_with_their_output(mirror_url):
    world = World(seed=3, jobs=40, in_flight=6, jobs_per_day=0)
    with Simulator(world, token=KEY, active_only=True) as sim:
        first = mirror(sim, mirror_url)
        assert (first["certified"], first["jobs_inserted"]) == (True, 6)
        world.finish(35)
        world.fail(36)
        world.cancel(37)
        run = mirror(sim, mirror_url)
    assert (run["certified"], run["jobs_gone"], run["transitions"]) == (True, 0, 3)
    assert where(mirror_url) == {35: "unlisted", 36: "unlisted", 37: "unlisted"}
    ended = {job_id: row(mirror_url, "jobs", id=job_id) for job_id in (35, 36, 37)}
    assert [job["status"] for job in ended.values()] == [2, -1, -2]
    assert ended[35]["output_video_id"] == row(mirror_url, "output_videos", job_id=35)["id"]
    assert all(job["finished"] is not None for job in ended.values())
    assert [entry["to_status"] for entry in rows(mirror_url, "job_status_history", job_id=35)][-1] == 2


def test_jobs_that_come_back_are_listed_again(sim, world, mirrored):
    world.delete(7)
    world.hide(8)
    went = mirror(sim, mirrored)
    world.restore(7)
    world.restore(8)
    run = mirror(sim, mirrored)
    assert (run["jobs_returned"], run["jobs_gone"], run["field_changes"]) == (2, 0, 2)
    assert moves(mirrored, 7) == [("listed", "gone", went["id"]), ("gone", "listed", run["id"])]
    assert moves(mirrored, 8) == [("listed", "unlisted", went["id"]), ("unlisted", "listed", run["id"])]
    assert where(mirrored) == {}
    assert row(mirrored, "jobs", id=7)["gone_at"] is None
    assert not rows(mirrored, "job_absences")


def test_a_job_comes_back_without_a_proof_too(sim, world, mirrored):
    world.delete(7)
    mirror(sim, mirrored)
    world.restore(7)
    run = mirror(sim, mirrored, certify=False)
    assert (run["jobs_returned"], where(mirrored)) == (1, {})


def test_a_job_that_a_stale_sync_marked_gone_is_taken_back_by_a_poll(sim, world, mirrored):
    new = world.submit()
    mirror(sim, mirrored)
    stale = World(seed=3, jobs=40, in_flight=2, jobs_per_day=0)
    sim.world = stale
    mirror(sim, mirrored)
    assert where(mirrored) == {new: "gone"}
    sim.world = world
    world.start(new)
    run = poll(settings(sim, mirrored))
    held = row(mirrored, "jobs", id=new)
    assert (held["presence"], held["gone_at"], held["status"], run["jobs_returned"]) == ("listed", None, 1, 1)
    assert [move[:2] for move in moves(mirrored, new)] == [("listed", "gone"), ("gone", "listed")]
    world.finish(new)
    world.correct_cost(new, Decimal("7.5"))
    poll(settings(sim, mirrored, page_size=1))
    assert (row(mirrored, "jobs", id=new)["status"], row(mirrored, "jobs", id=new)["cost_usd"]) == (2, Decimal("7.5"))


def test_a_run_that_fails_afterwards_takes_gone_back_too(sim, world, mirrored):
    world.delete(7)
    mirror(sim, mirrored)
    world.restore(7)
    answer_by_id(sim, lambda _: NO_ANSWERS["500"])
    for job_id in world.listed(active_only=True):
        world.hide(job_id)
    with pytest.raises(ApiError):
        poll(settings(sim, mirrored, **HASTY))
    assert where(mirrored) == {}


def test_a_job_that_could_not_be_stored_as_it_was_shown_has_not_come_back(sim, world, mirrored, monkeypatch):
    new = world.submit()
    world.start(new)
    mirror(sim, mirrored)
    world.delete(new)
    mirror(sim, mirrored)
    unasked = poll(settings(sim, mirrored))
    world.restore(new)
    world.finish(new)
    with monkeypatch.context() as patch:
        patch.setattr("tpmirror.store.jobs.apply", lambda *_: (_ for _ in ()).throw(MirrorError("disk I/O error")))
        with pytest.raises(MirrorError):
            mirror(sim, mirrored)
    assert where(mirrored) == {new: "gone"}
    mirror(sim, mirrored)
    entry = rows(mirrored, "job_status_history", job_id=new)[-1]
    assert (where(mirrored), entry["from_status"], entry["to_status"]) == ({}, 1, 2)
    assert (unasked["covered"], entry["not_before"] < unasked["started_at"]) == (True, True)


def test_an_answer_by_id_takes_gone_and_missing_back(sim, world, mirrored):
    world.hide(39)
    world.hide(30)
    answer_by_id(sim, {39: NO_ANSWERS["500"], 30: NOT_FOUND}.get)
    mirror(sim, mirrored, **HASTY)
    sim.respond = None
    assert where(mirrored) == {30: "gone", 39: "missing"}
    world.edit(30, {"grain": "odd"})
    run = poll(settings(sim, mirrored))
    assert (where(mirrored), run["jobs_returned"]) == ({30: "gone", 39: "unlisted"}, 0)
    tamper(
        mirrored,
        "INSERT INTO quarantined_jobs (job_id, field, reason, payload, first_seen_at, last_seen_at, sync_run_id) "
        "SELECT 30, 'job.grain', 'odd', '{}', started_at, started_at, id FROM sync_runs WHERE id = 1",
    )
    quarantine.retry(settings(sim, mirrored))
    assert where(mirrored) == {30: "unlisted", 39: "unlisted"}


def test_history_only_grows_whatever_vanishes_and_returns(sim, world, mirrored):
    steps: list[Callable[[], object]] = [
        lambda: world.delete(7),
        lambda: world.hide(39),
        lambda: world.finish(39),
        lambda: world.restore(7),
        lambda: world.delete(39),
        lambda: delete(world, range(10, 30)),
        lambda: [world.restore(job_id) for job_id in range(10, 30)],
    ]
    for step in steps:
        told, changes = history(mirrored), query(mirrored, "SELECT * FROM field_changes ORDER BY id")
        step()
        mirror(sim, mirrored)
        assert history(mirrored)[: len(told)] == told
        assert query(mirrored, "SELECT * FROM field_changes ORDER BY id")[: len(changes)] == changes
        assert query(mirrored, "SELECT COUNT(*) FROM jobs") == [(40,)]


# The history of ended jobs


@pytest.fixture
def ended(sim, world, mirrored) -> int:
    """A job that ended, and is found in the history alone from then on."""
    world.finish(39)
    sim.active_only = sim.archive = True
    for job_id in world.listed():
        if world.status(job_id) not in (0, 1) and job_id != 39:
            world.delete(job_id)
    return 39


def test_a_job_that_lives_in_the_history_is_unlisted_and_not_merged(sim, mirrored, ended):
    before = row(mirrored, "jobs", id=ended)
    sim.reset()
    run = mirror(sim, mirrored, vanish_limit=100)
    held = row(mirrored, "jobs", id=ended)
    assert (held["presence"], run["certified"], run["jobs_gone"]) == ("unlisted", True, 38)
    assert held == {**before, "presence": "unlisted", "changed_at": held["changed_at"]}
    assert not rows(mirrored, "quarantined_jobs")
    paths = [seen.path for seen in sim.requests]
    assert paths.count(f"/api/jobs/history/{ended}/") == 1
    assert paths.index(f"/api/jobs/{ended}/") < paths.index(f"/api/jobs/history/{ended}/")
    sim.reset()
    polled = poll(settings(sim, mirrored))
    assert (polled["covered"], ended in asked(sim)) == (True, False), "it may have ended long ago"
    sim.archive = False
    mirror(sim, mirrored)
    *_, before, entry = rows(mirrored, "job_status_history", job_id=ended)
    assert entry["not_before"] < polled["started_at"], "that poll saw nothing of it"
    assert before["observed_at"] <= entry["not_before"]


def test_without_a_history_endpoint_the_answer_by_id_counts(sim, world, mirrored):
    sim.history = False
    world.delete(7)
    assert (mirror(sim, mirrored)["jobs_gone"], where(mirrored)) == (1, {7: "gone"})


@pytest.mark.parametrize("answer", ["403", "500", "200 in HTML", "200 that is no job", "301", "cut off"])
def test_a_history_that_does_not_answer_leaves_a_job_missing(sim, world, mirrored, answer):
    world.delete(7)
    sim.respond = lambda request: NO_ANSWERS[answer] if "history" in request.path else None
    mirror(sim, mirrored, **HASTY)
    assert where(mirrored) == {7: "missing"}
    sim.respond = None
    mirror(sim, mirrored)
    assert where(mirrored) == {7: "gone"}


def test_another_job_in_the_history_is_no_answer(sim, world, mirrored):
    world.delete(7)
    other = Response.json(200, {"id": 8, "status": "Finished"})
    sim.respond = lambda request: other if "history" in request.path else None
    mirror(sim, mirrored, **HASTY)
    assert where(mirrored) == {7: "missing"}


def test_a_history_that_answers_is_no_canary_for_answers_by_id(sim, world, mirrored):
    world.delete(7)
    answer_by_id(sim, lambda _: NOT_FOUND)
    denies = sim.respond
    sim.respond = lambda request: None if "history" in request.path else denies(request)
    mirror(sim, mirrored)
    assert where(mirrored) == {7: "missing"}


# More at once than anybody would delete


def test_many_that_vanish_at_once_wait_for_an_operator(mirror_url):
    world = World(seed=3, jobs=200, in_flight=2, jobs_per_day=0)
    lost = range(50, 130)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        delete(world, lost)
        run = mirror(sim, mirror_url)
        assert (run["jobs_gone"], run["certified"]) == (0, True)
        assert where(mirror_url) == dict.fromkeys(lost, "missing")
        assert all(moves(mirror_url, job_id) == [("listed", "missing", run["id"])] for job_id in (50, 129))
        before, sent = dump(mirror_url), run["requests"]
        again = mirror(sim, mirror_url)
        assert (again["jobs_gone"], again["field_changes"]) == (0, 0)
        assert {**dump(mirror_url), "job_absences": []} == {**before, "job_absences": []}
        assert sent < 40, "beyond the limit there is no use in asking for the rest"


def waiting(tpmirror: Callable[..., tuple[str, str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(tpmirror("gone", "list", "--json")[0])
    return found


def vanish(tpmirror: Callable[..., tuple[str, str]], world: World) -> None:
    """More jobs vanish between two syncs than one may mark: 10 to 19."""
    tpmirror("sync")
    delete(world, range(10, 20))
    tpmirror("sync", code=3)


def test_what_waits_is_explained_confirmed_and_then_marked(sim, world, tpmirror, mirrored):
    assert waiting(tpmirror) == []
    assert tpmirror("gone", "list")[0]
    delete(world, range(10, 26))
    said, noted = tpmirror("sync", "--json", code=3)
    assert json.loads(said)["jobs_gone"] == 0
    assert "16" in noted
    assert "gone list" in noted
    explained, _ = tpmirror("gone", "list")
    for word in ("16", "404", "TPMIRROR_VANISH_LIMIT", "gone confirm"):
        assert word in explained
    held = waiting(tpmirror)
    assert [entry["job_id"] for entry in held] == list(range(10, 26))
    assert {entry["answer"] for entry in held} == {"not found", "not asked"}
    assert all(entry["absent_since"] and entry["confirmed_at"] is None for entry in held)
    tpmirror("gone", "confirm", "--all")
    assert where(mirrored) == dict.fromkeys(range(10, 26), "missing"), "only the next sync marks them"
    assert json.loads(tpmirror("sync", "--json")[0])["jobs_gone"] == 16
    assert where(mirrored) == dict.fromkeys(range(10, 26), "gone")
    assert waiting(tpmirror) == []


@pytest.mark.parametrize("ids", [None, [11, 13]])
def test_a_confirmation_whose_answer_was_lost_is_one(world, tpmirror, mirror_url, monkeypatch, ids, engine):
    vanish(tpmirror, world)
    lost = [TransientDatabaseError("server closed the connection")]

    def lose(*of: Any) -> Any:
        done = write(*of)
        if lost:
            raise lost.pop()
        return done

    monkeypatch.setattr(lease, "write", lose)
    confirmed = gone.confirm(engine, ids)
    assert confirmed
    assert confirmed == [entry["job_id"] for entry in rows(mirror_url, "job_absences") if entry["confirmed_at"]]


def test_only_those_confirmed_are_marked(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    tpmirror("gone", "confirm", 11, 13, 17)
    tpmirror("sync", code=3)
    assert {job_id for job_id, presence in where(mirror_url).items() if presence == "gone"} == {11, 13, 17}
    assert [entry["job_id"] for entry in waiting(tpmirror)] == [10, 12, 14, 15, 16, 18, 19]


@pytest.mark.parametrize("hidden", [False, True], ids=["listed", "found by id"])
def test_a_confirmed_job_that_comes_back_is_not_marked_then_nor_later(sim, world, tpmirror, mirror_url, hidden):
    vanish(tpmirror, world)
    tpmirror("gone", "confirm", "--all")
    for job_id in range(10, 20):
        world.restore(job_id)
        if hidden:
            world.hide(job_id)
    tpmirror("sync")
    assert where(mirror_url) == (dict.fromkeys(range(10, 20), "unlisted") if hidden else {})
    delete(world, range(10, 20))
    tpmirror("sync", code=3)
    assert "gone" not in where(mirror_url).values()


def test_a_confirmed_job_is_not_marked_before_the_api_denies_it(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    tpmirror("gone", "confirm", "--all")
    answer_by_id(sim, lambda job_id: Response.detail(503, "later") if job_id == 15 else None)
    tpmirror("sync")
    assert where(mirror_url)[15] == "missing"
    sim.respond = None
    tpmirror("sync")
    assert where(mirror_url) == dict.fromkeys(range(10, 20), "gone")


def test_a_job_taken_back_from_gone_waits_until_confirmed(sim, world, tpmirror, mirrored):
    world.delete(7)
    tpmirror("sync")
    tpmirror("gone", "restore", 7)
    held = row(mirrored, "jobs", id=7)
    assert (held["presence"], held["gone_at"]) == ("missing", None)
    assert moves(mirrored, 7)[-1] == ("gone", "missing", None)
    tpmirror("sync", code=3)
    assert where(mirrored) == {7: "missing"}
    assert [(entry["job_id"], entry["answer"]) for entry in waiting(tpmirror)] == [(7, "restored")]
    tpmirror("gone", "confirm", 7)
    tpmirror("sync")
    assert where(mirrored) == {7: "gone"}


def test_a_restored_job_waits_also_when_the_api_falls_silent_after_denying_it(sim, world, tpmirror, mirrored):
    world.delete(7)
    tpmirror("sync")
    tpmirror("gone", "restore", 7)
    sim.reset()
    answer_by_id(sim, lambda _: Response.detail(503, "later") if 7 in asked(sim)[:-1] else None)
    tpmirror("sync", code=3)
    assert [(entry["job_id"], entry["answer"]) for entry in waiting(tpmirror)] == [(7, "restored")]
    sim.respond = None
    tpmirror("sync", code=3)
    assert where(mirrored) == {7: "missing"}


def test_restored_jobs_do_not_count_towards_what_one_run_may_mark(sim, world, tpmirror, mirrored):
    for some in (range(10, 14), range(14, 18)):
        delete(world, some)
        tpmirror("sync", "--vanish-limit", "8")
    tpmirror("gone", "restore", *range(10, 18))
    world.delete(20)
    tpmirror("sync", code=3)
    assert where(mirrored) == {**dict.fromkeys(range(10, 18), "missing"), 20: "gone"}


def test_confirmed_jobs_that_get_no_answer_keep_no_others_waiting_for_ever(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    tpmirror("gone", "confirm", "--all")
    answer_by_id(sim, lambda job_id: Response.detail(503, "later") if job_id < 13 else None)
    for _ in range(3):
        tpmirror("sync")
    assert where(mirror_url) == {
        **dict.fromkeys(range(10, 13), "missing"), **dict.fromkeys(range(13, 20), "gone")
    }  # fmt: skip


def test_a_confirmation_can_be_taken_back(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    tpmirror("gone", "confirm", "--all")
    tpmirror("gone", "restore", 12)
    tpmirror("sync", code=3)
    assert where(mirror_url) == {**dict.fromkeys(range(10, 20), "gone"), 12: "missing"}


def test_a_wrong_id_is_named_and_nothing_is_done(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    before = dump(mirror_url)
    for words, named in (
        (("confirm", 7), "7"),  # listed
        (("confirm", 11, 4711, 8), "8, 4711"),  # one that waits does not save those that do not
        (("restore", 7), "7"),
        (("restore", 11, 4711), "4711"),
        (("confirm",), "--all"),
        (("confirm", "--all", 11), "--all"),
        (("restore",), "name the jobs"),
        (("confirm", "x"), "x"),
    ):
        said, complained = tpmirror("gone", *words, code=2)
        assert said == ""
        assert named in complained
    assert dump(mirror_url) == before


def fails_after(sim: Simulator, denials: int) -> None:
    """By id the API answers for jobs that are there, denies so many, and then fails."""
    sim.reset()

    def answer(job_id: int) -> Response | None:
        denied = [asked for asked in asked_so_far if not sim.world.found(asked)]
        asked_so_far.append(job_id)
        return NO_ANSWERS["500"] if len({*denied}) >= denials else None

    asked_so_far: list[int] = []
    answer_by_id(sim, answer)


def test_a_server_that_fails_after_a_few_denials_lets_no_few_jobs_go_in_each_run(mirror_url, monkeypatch):
    world = World(seed=3, jobs=200, in_flight=2, jobs_per_day=0)
    canaries = {"/api/jobs/200/", "/api/jobs/199/"}
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        delete(world, range(50, 90))
        for _ in range(3):
            fails_after(sim, 4)
            # The canaries answer: only those that the list lacks are denied or fail.
            respond = sim.respond
            sim.respond = lambda request, ask=respond: None if request.path in canaries else ask(request)
            mirror(sim, mirror_url, **HASTY)
            assert where(mirror_url) == dict.fromkeys(range(50, 90), "missing")
        with connected(mirror_url) as conn:
            assert read_status(conn).waiting >= 30


def an_hour_later(url: str, hours: int = 1) -> None:
    """Let what is noted of jobs that are gone be so much older."""
    with connected(url) as conn:
        jobs, notes = schema.jobs, schema.job_absences
        for job_id, at in conn.execute(select(jobs.c.id, jobs.c.gone_at).where(jobs.c.presence == "gone")).all():
            then = {"gone_at": at - timedelta(hours=hours)}
            conn.execute(update(jobs).where(jobs.c.id == job_id).values(then))
            looked = conn.scalar(select(notes.c.looked_up_at).where(notes.c.job_id == job_id))
            then = {"looked_up_at": looked - timedelta(hours=hours)}
            conn.execute(update(notes).where(notes.c.job_id == job_id).values(then))
        conn.commit()


def test_the_limit_is_for_a_day_however_many_runs_it_has(sim, world, mirrored):
    for some in ((10, 11, 12), (13, 14, 15)):
        delete(world, some)
        mirror(sim, mirrored)
    first = dict.fromkeys((10, 11, 12), "gone")
    assert where(mirrored) == {**first, **dict.fromkeys((13, 14, 15), "missing")}
    an_hour_later(mirrored, 23)
    mirror(sim, mirrored)
    assert where(mirrored) == {**first, **dict.fromkeys((13, 14, 15), "missing")}
    an_hour_later(mirrored, 2)
    mirror(sim, mirrored)
    assert where(mirrored) == dict.fromkeys(range(10, 16), "gone")


def test_what_an_operator_confirmed_takes_nothing_of_the_limit(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync")
    world.delete(30)
    tpmirror("sync")
    assert where(mirror_url) == dict.fromkeys([*range(10, 20), 30], "gone")


def test_many_finished_jobs_that_leave_the_list_at_once_need_nobody(sim, world, tpmirror, mirrored, monkeypatch):
    monkeypatch.setattr("tpmirror.sync.presence.LOOKUPS", 8)
    for job_id in range(2, 30):
        world.hide(job_id)
    tpmirror("sync")
    assert sorted(where(mirrored).values()) == ["missing"] * 20 + ["unlisted"] * 8


@pytest.fixture
def mute(sim, world, tpmirror, mirrored) -> list[int]:
    """Jobs that vanished and never answer by id: more than may go."""
    silent = [*range(10, 16)]
    delete(world, silent)
    answer_by_id(sim, lambda job_id: NO_ANSWERS["500"] if job_id in silent else None)
    tpmirror("sync")
    return silent


def test_jobs_that_never_answer_are_taken_out_of_the_count(sim, world, tpmirror, mirrored, mute):
    world.delete(30)
    tpmirror("sync")  # it is not asked for yet: the others come first, and do not answer
    tpmirror("sync", code=3)
    assert where(mirrored) == dict.fromkeys([*mute, 30], "missing"), "with those that did not answer it is one too many"
    shown, _ = tpmirror("gone", "list")
    assert "gone confirm --unanswered" in shown
    tpmirror("gone", "confirm", "--unanswered", *mute)
    tpmirror("sync")
    assert where(mirrored) == {**dict.fromkeys(mute, "missing"), 30: "gone"}
    assert {note["answer"] for note in rows(mirrored, "job_absences")} == {"unanswerable", "not found"}
    with connected(mirrored) as conn:
        assert read_status(conn).unanswered_since is None
    world.restore(10)
    world.hide(10)
    sim.respond = None
    tpmirror("sync", code=3)
    assert where(mirrored) == {**dict.fromkeys(mute, "missing"), 30: "gone", 10: "unlisted"}
    assert [entry["job_id"] for entry in waiting(tpmirror)] == mute[1:], "a denial is an answer, and counts again"


def test_only_jobs_without_an_answer_can_be_taken_as_unanswerable(world, tpmirror, mirrored, mute):
    before = dump(mirrored)
    for words in (("--unanswered",), ("--unanswered", "--all"), ("--unanswered", 7), ("--unanswered", 10, 4711)):
        tpmirror("gone", "confirm", *words, code=2)
        assert dump(mirrored) == before


def test_a_gone_job_is_asked_for_again_for_some_days(sim, world, mirrored):
    world.hide(39)
    answer_by_id(sim, {39: NOT_FOUND}.get)
    mirror(sim, mirrored)
    sim.respond = None
    mirror(sim, mirrored)
    assert where(mirrored) == {39: "gone"}, "not at once"
    an_hour_later(mirrored)
    run = mirror(sim, mirrored)
    assert (where(mirrored), row(mirrored, "jobs", id=39)["gone_at"], run["jobs_gone"]) == ({39: "unlisted"}, None, 0)


def test_a_gone_job_that_is_denied_again_stays_gone_and_counts_once(sim, world, mirrored):
    delete(world, range(10, 15))
    for _ in range(2):  # the second time jobs that show the same models are compared anew
        mirror(sim, mirrored)
    an_hour_later(mirrored)
    before = dump(mirrored)
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], run["field_changes"]) == (0, 0)
    assert {**dump(mirrored), "job_absences": []} == {**before, "job_absences": []}


def test_when_a_gone_job_is_asked_for_again():
    gone_at = datetime(2026, 11, 1, tzinfo=UTC)
    asked_after, looked_up_at = [], None
    for minutes in range(0, 14 * 24 * 60, 15):
        now = gone_at + timedelta(minutes=minutes)
        if is_due(gone_at, looked_up_at, now):
            asked_after.append(minutes / 60)
            looked_up_at = now
    assert asked_after == [1, 2, 4, 8, 16, 32, 64, 128]


def test_the_limit_is_what_one_run_may_mark(sim, world, mirrored):
    limits = {"3": 3, "0": 0, "10 %": 4, "max(2, 10%)": 4, "max(6,10 %)": 6}
    for limit, most in limits.items():
        delete(world, range(2, 3 + most))
        run = mirror(sim, mirrored, vanish_limit=limit)
        assert run["jobs_gone"] == 0, limit
        assert where(mirrored) == dict.fromkeys(range(2, 3 + most), "missing"), limit
        for job_id in range(2, 3 + most):
            world.restore(job_id)
        delete(world, range(20, 20 + most))
        run = mirror(sim, mirrored, vanish_limit=limit)
        assert run["jobs_gone"] == most, limit
        assert where(mirrored) == dict.fromkeys(range(20, 20 + most), "gone"), limit
        for job_id in range(20, 20 + most):
            world.restore(job_id)


@pytest.mark.parametrize("more", [0, 1])
def test_two_per_cent_of_a_large_account_may_be_marked(mirror_url, more):
    world = World(seed=3, jobs=300, in_flight=2, jobs_per_day=0)
    with Simulator(world, token=KEY, page_cap=None) as sim:
        mirror(sim, mirror_url, page_size=1000)
        delete(world, range(2, 8 + more))
        run = mirror(sim, mirror_url, page_size=1000)
    assert (run["jobs_gone"], run["certified"]) == (0 if more else 6, True)


def test_a_share_is_as_many_jobs_as_it_says():
    found = {share: load({"TPMIRROR_VANISH_LIMIT": f"{share} %"}).vanish_limit.of(100) for share in range(1, 101)}
    assert {share: jobs for share, jobs in found.items() if share != jobs} == {}


# Answers that say nothing about a job


NO_ANSWERS = {
    "404 in HTML": Response(404, HTML, b"<h1>Not Found</h1>"),
    "404 empty": Response(404, {"Content-Type": "application/json"}, b""),
    "404 of a proxy": Response.json(404, {"error": "no route"}),
    "404 in a list": Response.json(404, ["detail"]),
    "403": Response.detail(403, "You do not have permission to perform this action."),
    "500": Response.detail(500, "A server error occurred."),
    "502": Response(502, HTML, b"<h1>Bad Gateway</h1>"),
    "410": Response.detail(410, "Gone."),
    "400": Response.detail(400, "Bad request."),
    "200 in HTML": Response(200, HTML, b"<h1>Maintenance</h1>"),
    "200 that is no job": Response.json(200, {"detail": "Maintenance."}),
    "301": Response(301, {"Location": "https://example.com/"}),
    "cut off": Response.raw(b"", close=True),
}


def test_an_answer_that_denies_nothing_leaves_a_job_missing(sim, world, mirrored):
    found = {}
    for job_id, (name, answer) in enumerate(NO_ANSWERS.items(), start=2):
        world.delete(job_id)
        answer_by_id(sim, {job_id: answer}.get)
        run = mirror(sim, mirrored, **HASTY)
        assert moves(mirrored, job_id)[:1] in ([], [("listed", where(mirrored).get(job_id), run["id"])])
        found[name] = where(mirrored).get(job_id)
        world.restore(job_id)
    assert found == dict.fromkeys(NO_ANSWERS, "missing")
    assert not rows(mirrored, "quarantined_jobs")


def test_since_when_a_job_is_missing_for_want_of_an_answer_is_known(sim, world, mirrored):
    for day in (1, 2):
        world.delete(day)
        answer_by_id(sim, dict.fromkeys((1, 2), NO_ANSWERS["301"]).get)
        mirror(sim, mirrored, **HASTY)
    first = row(mirrored, "job_absences", job_id=1)["absent_since"]
    with connected(mirrored) as conn:
        assert read_status(conn).unanswered_since == first
    sim.respond = None
    mirror(sim, mirrored)
    with connected(mirrored) as conn:
        assert read_status(conn).unanswered_since is None


def test_silence_does_not_take_back_that_jobs_wait_for_an_operator(sim, world, tpmirror, mirror_url):
    vanish(tpmirror, world)
    held = [entry["job_id"] for entry in waiting(tpmirror)]
    sim.respond = lambda request: None if request.path == "/api/jobs/" else NO_ANSWERS["500"]
    tpmirror("sync", code=3)
    assert [entry["job_id"] for entry in waiting(tpmirror)] == held


def test_jobs_whose_turn_to_be_asked_for_has_not_come_are_not_without_an_answer(sim, world, mirror_url, monkeypatch):
    monkeypatch.setattr("tpmirror.sync.presence.LOOKUPS", 3)
    mirror(sim, mirror_url)
    delete(world, range(10, 15))
    mirror(sim, mirror_url)
    assert list(where(mirror_url).values()) == ["gone"] * 3 + ["missing"] * 2
    with connected(mirror_url) as conn:
        assert read_status(conn).unanswered_since is None


def test_a_job_missing_for_want_of_an_answer_is_asked_for_again(sim, world, mirrored):
    world.delete(7)
    answer_by_id(sim, {7: NO_ANSWERS["500"]}.get)
    first = mirror(sim, mirrored, **HASTY)
    assert where(mirrored) == {7: "missing"}
    sim.respond = None
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], first["jobs_gone"]) == (1, 0)
    assert moves(mirrored, 7) == [("listed", "missing", first["id"]), ("missing", "gone", run["id"])]


def test_a_job_that_gets_no_answer_does_not_keep_others_waiting_for_ever(sim, world, mirrored):
    delete(world, (7, 8))
    answer_by_id(sim, {7: NO_ANSWERS["500"]}.get)
    for _ in range(3):
        mirror(sim, mirrored, **HASTY)
    assert where(mirrored) == {7: "missing", 8: "gone"}


def test_unlisted_jobs_stay_what_they_are_while_others_wait_or_the_api_is_mute(sim, world, mirrored):
    hidden = range(2, 7)
    for job_id in hidden:
        world.hide(job_id)
    mirror(sim, mirrored)
    unlisted = dict.fromkeys(hidden, "unlisted")
    answer_by_id(sim, lambda _: NO_ANSWERS["500"])
    mirror(sim, mirrored, **HASTY)
    assert where(mirrored) == unlisted
    sim.respond = None
    delete(world, range(10, 20))
    for _ in range(3):
        mirror(sim, mirrored)
        assert where(mirrored) == {**unlisted, **dict.fromkeys(range(10, 20), "missing")}
    assert [len(moves(mirrored, job_id)) for job_id in hidden] == [1] * len(hidden)


def test_another_job_than_the_one_asked_for_is_no_answer(sim, world, mirrored):
    before = row(mirrored, "jobs", id=9)
    world.delete(7)
    world.edit(9, {"description": "not seen yet"})
    answer_by_id(sim, lambda job_id: Response.json(200, world.job(9)) if job_id == 7 else None)
    mirror(sim, mirrored, **HASTY)
    assert where(mirrored) == {7: "missing"}
    assert before["description"] != row(mirrored, "jobs", id=9)["description"] == "not seen yet"


def test_an_api_that_denies_every_job_denies_none(sim, world, mirrored):
    delete(world, (7, 8))
    answer_by_id(sim, lambda _: Response.detail(404, "Not found."))
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], where(mirrored)) == (0, {7: "missing", 8: "missing"})


def test_an_api_that_begins_to_deny_every_job_denies_none(sim, world, mirrored):
    delete(world, (7, 8))
    answer_by_id(sim, lambda _: None if not asked(sim) else Response.detail(404, "Not found."))
    sim.reset()
    run = mirror(sim, mirrored)
    assert {7, 8} < set(asked(sim))
    assert (run["jobs_gone"], where(mirrored)) == (0, {7: "missing", 8: "missing"})


def test_a_canary_that_is_deleted_meanwhile_is_replaced(sim, world, mirrored):
    world.delete(7)
    answer_by_id(sim, lambda job_id: Response.detail(404, "Not found.") if job_id > 41 - PROBE_JOBS else None)
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], where(mirrored)) == (1, {7: "gone"})


@pytest.mark.parametrize("shared", [40, 41 - PROBE_JOBS], ids=["the first canary", "the last one"])
def test_one_shared_job_that_still_answers_bears_out_no_denial(sim, world, mirrored, shared):
    world.delete(7)
    world.hide(8)
    # The key opens another account once the first canary has answered.
    answer_by_id(sim, lambda job_id: NOT_FOUND if asked(sim) and job_id != shared else None)
    sim.reset()
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], where(mirrored)) == (0, {7: "missing", 8: "missing"})
    sim.respond = None
    mirror(sim, mirrored)
    assert where(mirrored) == {7: "gone", 8: "unlisted"}


def test_the_only_job_on_the_list_bears_out_a_denial(sim, world, tpmirror, mirror_url):
    sim.active_only = True
    tpmirror("sync")
    deleted, left = world.listed(active_only=True)
    world.delete(deleted)
    tpmirror("sync")
    assert (world.listed(active_only=True), where(mirror_url)) == ([left], {deleted: "gone"})


def test_a_key_refused_by_id_ends_the_run_and_marks_nothing(sim, world, tpmirror, mirrored):
    delete(world, (7, 8))
    before = dump(mirrored)
    answer_by_id(sim, {8: Response.detail(401, "Invalid token.")}.get)
    tpmirror("sync", code=4)
    assert dump(mirrored) == before
    sim.respond = None
    tpmirror("sync")
    assert where(mirrored) == {7: "gone", 8: "gone"}


# Lists that prove nothing


def miscount(page: dict[str, Any], _request: Request) -> None:
    page["count"] -= 1


def test_a_full_sync_without_proof_marks_nothing(sim, world, mirrored):
    world.delete(7)
    world.hide(8)
    sim.reset()
    runs = [mirror(sim, mirrored, certify=False, page_size=15)]
    pages(miscount, sim)
    runs.append(mirror(sim, mirrored, page_size=15))
    world.edit(30, {"id": "thirty"})
    sim.respond = None
    runs.append(mirror(sim, mirrored))
    for run in runs:
        assert not run["certified"]
        assert json.loads(run["certificate"])["reason"]
        assert run["jobs_gone"] == 0
    assert (where(mirrored), asked(sim)) == ({}, [])


def empty(page: dict[str, Any], _: Request) -> None:
    page.update(count=0, next=None, previous=None, results=[])


def test_an_empty_list_changes_nothing_while_a_job_in_flight_answers(sim, tpmirror, mirrored):
    before = dump(mirrored)
    pages(empty, sim)
    for page_size in ("100", "15"):
        run = json.loads(tpmirror("sync", "--json", "--page-size", page_size, code=3)[0])
        assert (run["certified"], run["outcome"], run["jobs_gone"]) == (False, "succeeded", 0)
        for word in ("no jobs at all", "40", "in flight"):
            assert word in run["certificate"]["reason"]
        assert dump(mirrored) == before
    sim.respond = None
    tpmirror("sync")
    assert dump(mirrored) == before


def test_an_empty_list_whose_jobs_all_answer_covers_none_with_a_value_that_is_not_held(mirror_url):
    world = World(seed=3, jobs=2, in_flight=1, jobs_per_day=0)
    ended, flying = world.ids()
    failing = iter([NO_ANSWERS["500"]] * 2)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        world.edit(ended, {"cost_usd": "a lot"})
        sim.respond = lambda request: (
            Response.json(200, {"count": 0, "next": None, "previous": None, "results": []})
            if request.path == LIST
            else next(failing, None)
            if request.path.endswith(f"/{flying}/")
            else None
        )
        run = mirror(sim, mirror_url, **HASTY)
    assert str(flying) in json.loads(run["certificate"])["reason"]
    assert (run["jobs_seen"], run["covered"]) == (2, False)


def test_a_list_of_active_jobs_that_have_all_ended_is_empty_and_certified(sim, world, tpmirror, mirror_url):
    sim.active_only = True
    tpmirror("sync")
    active = [job["id"] for job in rows(mirror_url, "jobs")]
    for job_id in active:
        world.finish(job_id)
    run = json.loads(tpmirror("sync", "--json")[0])
    assert (run["certified"], run["certificate"]["count"], run["transitions"]) == (True, 0, len(active))
    assert where(mirror_url) == dict.fromkeys(active, "unlisted")
    world.rate(active[0], 5)
    tpmirror("sync")
    assert row(mirror_url, "output_videos", job_id=active[0])["quality_score"] == 5


def test_ended_jobs_that_live_in_the_history_alone_leave_an_empty_list(sim, world, tpmirror, mirror_url):
    sim.active_only = sim.archive = True
    tpmirror("sync")
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    tpmirror("sync")
    assert set(where(mirror_url).values()) == {"unlisted"}


def test_a_job_deleted_from_a_list_that_is_empty_is_gone(sim, world, tpmirror, mirror_url):
    sim.active_only = True
    tpmirror("sync")
    one, *others = world.listed(active_only=True)
    world.delete(one)
    for job_id in others:
        world.finish(job_id)
    tpmirror("sync")
    assert where(mirror_url) == {one: "gone", **dict.fromkeys(others, "unlisted")}


def test_an_owner_who_deleted_everything_confirms_that_once(sim, world, tpmirror, mirrored):
    before = query(mirrored, "SELECT * FROM jobs ORDER BY id")
    delete(world, range(1, 41))
    for _ in range(2):
        run = json.loads(tpmirror("sync", "--json", code=3)[0])
        assert "account not shown" in run["certificate"]["reason"]
        assert query(mirrored, "SELECT * FROM jobs ORDER BY id") == before
    assert [entry["job_id"] for entry in waiting(tpmirror)] == [*range(1, 41)]
    assert query(mirrored, "SELECT waiting_for_operator FROM sync_health") == [(40,)]
    tpmirror("gone", "confirm", "--all")
    run = json.loads(tpmirror("sync", "--json")[0])
    assert (run["certified"], run["certificate"]["count"], run["jobs_gone"]) == (True, 0, 40)
    tpmirror("sync")
    assert (waiting(tpmirror), set(where(mirrored).values())) == ([], {"gone"})


def test_an_empty_list_without_an_answer_is_doubted_where_all_jobs_were_unlisted(sim, world, tpmirror, mirrored):
    sim.active_only = True
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    tpmirror("sync")
    before = where(mirrored)
    assert set(before.values()) == {"unlisted"}
    answer_by_id(sim, lambda _job_id: NOT_FOUND)
    for _ in range(3):
        tpmirror("sync", code=3)
        assert where(mirrored) == before
    assert len(waiting(tpmirror)) == len(before)
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync")
    assert set(where(mirrored).values()) == {"gone"}


def test_jobs_that_left_the_list_long_ago_are_confirmed_with_the_others_at_once(sim, world, tpmirror, mirrored):
    """More than are asked for in one run."""
    sim.active_only = True
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    tpmirror("sync")
    assert len(where(mirrored)) > UNLISTED_LOOKUPS
    delete(world, range(1, 41))
    tpmirror("sync", code=3)
    assert len(waiting(tpmirror)) == 40
    tpmirror("gone", "confirm", "--all")
    assert json.loads(tpmirror("sync", "--json")[0])["jobs_gone"] == 40


def test_an_empty_list_is_believed_though_its_newest_jobs_were_deleted(sim, world, tpmirror, mirrored):
    sim.active_only = True
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    delete(world, range(11, 41))
    assert json.loads(tpmirror("sync", "--json", code=3)[0])["certified"], "and thirty wait for an operator"
    assert where(mirrored) == {**dict.fromkeys(range(1, 11), "unlisted"), **dict.fromkeys(range(11, 41), "missing")}


def test_the_one_job_that_still_answers_shows_the_account_on_an_empty_list(sim, world, tpmirror, mirrored):
    sim.active_only = True
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    tpmirror("sync")
    delete(world, set(range(1, 41)) - {5})
    # Of the jobs asked for, all are denied; each run asks for others, until the one that answers is among them.
    for _ in range(4):
        tpmirror("sync", code=3)
    assert where(mirrored)[5] == "unlisted"
    assert len(waiting(tpmirror)) == 39
    for _ in range(2):
        sim.reset()
        assert json.loads(tpmirror("sync", "--json", code=3)[0])["certified"]
        assert asked(sim)[0] == 5, "the others were denied before"
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync")
    assert where(mirrored) == {job_id: "unlisted" if job_id == 5 else "gone" for job_id in range(1, 41)}


def test_jobs_without_an_answer_keep_an_owner_who_deleted_everything_from_no_proof(sim, world, tpmirror, mirrored):
    delete(world, range(1, 41))
    answer_by_id(sim, lambda job_id: NO_ANSWERS["500"] if job_id > 37 else None)
    tpmirror("sync", code=3)
    assert [entry["job_id"] for entry in waiting(tpmirror)] == [*range(1, 38)]
    tpmirror("gone", "confirm", "--all")
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", "--unanswered", 38, 39, 40)
    tpmirror("sync")
    assert where(mirrored) == {**dict.fromkeys(range(1, 38), "gone"), **dict.fromkeys((38, 39, 40), "missing")}


def test_a_confirmed_job_that_gets_no_answer_stays_confirmed(sim, world, tpmirror, mirrored):
    sim.active_only = True
    for job_id in world.listed(active_only=True):
        world.finish(job_id)
    tpmirror("sync")
    delete(world, range(1, 41))
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", "--all")
    answer_by_id(sim, lambda _: NO_ANSWERS["500"])
    tpmirror("sync", code=3)
    sim.respond = None
    assert json.loads(tpmirror("sync", "--json")[0])["jobs_gone"] == 40


def test_those_asked_on_an_empty_list_come_from_all_over_it():
    assert spread([*range(40)], 20) == [
        place for pair in zip(range(10), range(10, 40, 3), strict=True) for place in pair
    ]
    assert (spread([1, 2, 3], 20), spread([], 20)) == ([1, 2, 3], [])
    assert all(len({*spread([*range(many)], 20)}) <= 20 for many in (19, 20, 21, 30, 500))


def test_only_those_confirmed_are_marked_where_the_list_is_empty(sim, world, tpmirror, mirrored):
    delete(world, range(1, 41))
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", 11, 13)
    tpmirror("gone", "restore", 13)
    tpmirror("sync", code=3)
    assert where(mirrored) == {11: "gone"}


def test_a_second_list_that_is_not_empty_marks_nothing(sim, world, tpmirror, mirrored):
    delete(world, range(1, 41))
    tpmirror("sync", code=3)
    tpmirror("gone", "confirm", "--all")
    sim.reset()

    def come_back(_request: Request) -> None:
        if 5 in asked(sim) and not world.found(40):
            world.restore(40)

    sim.respond = come_back
    tpmirror("sync")
    assert where(mirrored) == dict.fromkeys(range(1, 41), "missing")
    tpmirror("sync")
    assert where(mirrored) == dict.fromkeys(range(1, 40), "gone")


def test_an_empty_list_of_an_api_that_does_not_answer_by_id_changes_nothing(sim, world, tpmirror, mirrored):
    before = dump(mirrored)
    delete(world, range(1, 41))
    answer_by_id(sim, lambda _: NO_ANSWERS["500"])
    tpmirror("sync", code=3)
    assert dump(mirrored) == before


def test_jobs_of_a_list_that_was_empty_by_mistake_wait_no_longer(sim, world, tpmirror, mirrored):
    before = dump(mirrored)
    delete(world, range(1, 41))
    tpmirror("sync", code=3)
    assert len(waiting(tpmirror)) == 40
    for job_id in range(1, 41):
        world.restore(job_id)
    tpmirror("sync")
    assert dump(mirrored) == before


def test_a_list_that_turns_empty_during_the_full_sync_changes_nothing(sim, tpmirror, mirrored):
    before = dump(mirrored)
    sim.reset()
    pages(lambda page, request: empty(page, request) if sim.count_requests() else None, sim)
    tpmirror("sync", "--page-size", "15", code=3)
    assert dump(mirrored) == before


def test_a_list_that_counts_and_shows_nothing_changes_nothing(sim, tpmirror, mirrored):
    before = dump(mirrored)
    pages(lambda page, _: page.update(results=[]), sim)
    tpmirror("sync", code=1)
    assert dump(mirrored) == before


def test_the_only_job_of_an_account_deleted_is_an_empty_list(mirror_url):
    world = World(seed=1, jobs=1, jobs_per_day=0)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        world.delete(1)
        run = mirror(sim, mirror_url)
        assert (run["certified"], run["jobs_gone"], where(mirror_url)) == (False, 0, {})
        with connected(mirror_url) as conn:
            assert read_status(conn).waiting == 1


def test_a_page_in_html_changes_nothing(sim, tpmirror, mirrored):
    before = dump(mirrored)
    for status in (200, 404, 503):
        sim.respond = lambda _, status=status: Response(status, HTML, b"<h1>Maintenance</h1>")
        said, complained = tpmirror("sync", code=1)
        assert said == ""
        assert sim.url in complained or "TPMIRROR_API_URL" in complained
        assert dump(mirrored) == before
        assert rows(mirrored, "sync_runs")[-1]["outcome"] == "failed"


def test_html_in_the_middle_of_a_full_sync_marks_nothing(sim, world, mirror_url):
    mirror(sim, mirror_url, page_size=15)
    world.delete(7)
    before = dump(mirror_url)
    sim.reset()

    def respond(request: Request) -> Response | None:
        return Response(200, HTML, b"<h1>Maintenance</h1>") if sim.count_requests() > 2 else None

    sim.respond = respond
    with pytest.raises(ApiError):
        mirror(sim, mirror_url, page_size=15, **HASTY)
    assert dump(mirror_url) == before


def test_a_job_deleted_and_submitted_between_two_full_syncs_stays_apart(sim, world, mirrored):
    world.delete(7)
    new = world.submit()
    run = mirror(sim, mirrored)
    assert (run["jobs_gone"], run["jobs_inserted"], run["certified"]) == (1, 1, True)
    assert where(mirrored) == {7: "gone"}
    assert row(mirrored, "jobs", id=new)["presence"] == "listed"
    assert moves(mirrored, new) == []
