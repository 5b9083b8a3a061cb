"""The mirror against the account: every column of every row, after every step of the account's life."""

import gc
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

import pytest
from sqlalchemy import update

from tests.support.account import KEY, connected, dump, mirror, pages, postdate, query, row, rows
from tests.support.expected import Expected
from tests.support.mover import HUGE, LEAVING, LIFE, Mover, drawn
from tests.support.program import until
from tpmirror.db import schema
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync import session
from tpmirror.tensorpix import client

SEED = 1
"""Of a life in which every verb finds a job that it can happen to."""
NOTHING = {"jobs_inserted": 0, "jobs_updated": 0, "transitions": 0, "field_changes": 0}


@pytest.fixture
def world() -> World:
    return World(seed=5, jobs=30, in_flight=4, jobs_per_day=0)


def test_mirror_equals_the_account_after_every_step_of_its_life(mirror_url):
    world = World(seed=1, jobs=30, in_flight=4, jobs_per_day=20)
    expected, move = Expected(world), Mover(world)
    with Simulator(world, token=KEY, page_cap=10) as sim:
        check_step(sim, mirror_url, expected)
        for verb, number in [*drawn(Random(SEED), LIFE), *drawn(Random(SEED), LEAVING)]:
            before = world.version, world.now
            move(verb, number)
            assert (world.version, world.now) != before, f"{verb}: choose another seed"
            check_step(sim, mirror_url, expected)


def check_step(sim: Simulator, url: str, expected: Expected) -> None:
    """The mirror shows what happened; looking again shows nothing more, and writes nothing unless it asks by id."""
    run = mirror(sim, url)
    expected.look()
    assert run["certified"] == (not expected.unheld()), run["certificate"]
    assert json.loads(run["certificate"])["incomplete"] == len(expected.unheld())
    expected.check(url, run)
    before = dump(url)
    again = mirror(sim, url)
    assert {name: again[name] for name in NOTHING} == NOTHING
    assert again["certified"] == run["certified"]
    assert dump(url) == before or set(expected.presence.values()) != {"listed"}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("ordering", ["-id", "id", "-started", "-updated", "status", "random", "unordered"])
def test_every_job_of_a_list_in_any_order_arrives_or_nothing_is_certified(sim, world, mirror_url, ordering):
    sim.ordering = ordering
    run = mirror(sim, mirror_url)
    held = [job["id"] for job in rows(mirror_url, "jobs")]
    assert held == world.listed() or not run["certified"]
    assert run["certified"] or ordering in {"status", "random"}


def test_costs_add_up_in_plain_sql(mirror_url):
    world = World(seed=5, jobs=1000, jobs_per_day=0)
    for job_id in world.ids():
        world.correct_cost(job_id, Decimal("0.1"))
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url, certify=False)
    ((total, jobs),) = query(mirror_url, "SELECT ROUND(SUM(cost_usd), 4), COUNT(*) FROM jobs")
    assert (Decimal(str(total)), jobs) == (Decimal("100.0000"), 1000)
    assert query(mirror_url, "SELECT COUNT(*) FROM jobs WHERE cost_usd = 0.1") == [(1000,)]


def test_two_thousand_jobs_are_mirrored_to_the_last_column(mirror_url):
    world = World(seed=8, jobs=2000, in_flight=20, jobs_per_day=0)
    with Simulator(world, token=KEY) as sim:
        run = mirror(sim, mirror_url, page_size=500)
    expected = Expected(world)
    expected.look()
    assert run["certified"]
    expected.check(mirror_url, run)


def test_a_first_page_that_comes_short_makes_no_pages_of_its_size(mirror_url):
    world, short = World(seed=8, jobs=300, jobs_per_day=0), list[Response]()

    def shorten(request: Request) -> Response | None:
        if short:
            return None
        page = json.loads(simulator.answer(request).body)
        short.append(Response.json(200, {**page, "results": page["results"][:1]}))
        return short[0]

    with Simulator(world, token=KEY, page_cap=20) as simulator:
        simulator.respond = shorten
        run = mirror(simulator, mirror_url)
    assert (run["certified"], run["jobs_inserted"]) == (True, 300)
    assert run["requests"] < 40


def test_an_account_emptied_between_its_first_count_and_the_rows_is_mirrored_empty(sim, world, mirror_url):
    sim.between = lambda world: [world.delete(job_id) for job_id in world.listed()]
    run = mirror(sim, mirror_url)
    assert (run["certified"], run["jobs_seen"], rows(mirror_url, "jobs")) == (True, 0, [])


def test_a_full_sync_without_proof_mirrors_the_same_with_fewer_requests(sim, world, mirror_url):
    expected = Expected(world)
    expected.look()
    run = mirror(sim, mirror_url, certify=False)
    expected.check(mirror_url, run)
    assert not run["certified"]
    assert json.loads(run["certificate"])["reason"]
    assert run["requests"] <= 4


def test_a_list_that_fits_a_page_is_proven_at_once(mirror_url):
    with Simulator(World(seed=1, jobs=20, jobs_per_day=0), token=KEY) as sim:
        first, second = mirror(sim, mirror_url), mirror(sim, mirror_url)
    assert (first["certified"], first["requests"] <= 2, first["jobs_seen"]) == (True, True, 20)
    assert (second["certified"], second["requests"], second["jobs_seen"]) == (True, 1, 20)


def test_progress_of_jobs_in_flight_is_sampled_and_never_told_as_a_change(sim, world, mirror_url):
    job_id = world.submit()
    world.start(job_id)
    mirror(sim, mirror_url)
    first = row(mirror_url, "jobs", id=job_id)
    world.advance(20)
    run = mirror(sim, mirror_url)
    shown, held = world.job(job_id), row(mirror_url, "jobs", id=job_id)
    assert shown["eta_s"] != first["eta_s"]
    assert (held["eta_s"], held["processing_progress"]) == (shown["eta_s"], shown["processing_progress"])
    assert held["changed_at"] == first["changed_at"]
    assert run["jobs_updated"] == run["transitions"]
    samples = rows(mirror_url, "job_progress_samples", job_id=job_id)
    assert [sample["eta_s"] for sample in samples] == [first["eta_s"], held["eta_s"]]
    assert not [change for change in rows(mirror_url, "field_changes") if change["field"] in {"eta_s", "status"}]


def test_only_jobs_that_are_processing_are_sampled(sim, world, mirrored):
    world.advance(40)
    mirror(sim, mirrored)
    sampled = {sample["job_id"] for sample in rows(mirrored, "job_progress_samples")}
    processed = {entry["job_id"] for entry in rows(mirrored, "job_status_history", to_status=1)}
    assert sampled == processed


def test_old_samples_are_removed_by_the_apis_clock(sim, world, mirror_url, monkeypatch):
    """Ours may be ahead by a year when the machine starts."""
    job_id = world.submit()
    world.start(job_id)
    mirror(sim, mirror_url)
    long_ago = datetime.now(UTC) - timedelta(days=100)
    with connected(mirror_url) as conn:
        conn.execute(update(schema.job_progress_samples).values(observed_at=long_ago))
        conn.commit()
    with monkeypatch.context() as patch:
        patch.setattr(client, "skew", lambda *_: 20 * 86400.0)
        mirror(sim, mirror_url)
    assert rows(mirror_url, "job_progress_samples", observed_at=long_ago)
    mirror(sim, mirror_url)
    assert not rows(mirror_url, "job_progress_samples", observed_at=long_ago)


def test_a_job_on_two_pages_is_mirrored_once(sim, world, mirror_url):
    def repeat(page, request):
        if page["results"] and int(request.query["offset"]):
            page["results"][0] = world.job(world.listed()[-1])

    pages(repeat, sim)
    run = mirror(sim, mirror_url)
    assert run["jobs_seen"] == run["jobs_inserted"] == len(rows(mirror_url, "jobs"))
    assert len(rows(mirror_url, "job_status_history", job_id=30)) == 1
    assert run["jobs_seen"] == len(world.listed()) or not run["certified"]


def test_a_job_twice_on_one_page_is_mirrored_once(mirror_url):
    with Simulator(World(seed=1, jobs=5), token=KEY) as sim:
        pages(lambda page, _: page["results"].append(page["results"][0]), sim)
        run = mirror(sim, mirror_url)
    assert (run["jobs_seen"], run["jobs_inserted"]) == (5, 5)
    assert len(rows(mirror_url, "job_status_history")) == 5


def test_a_job_twice_and_differently_on_one_page_voids_the_proof(mirror_url):
    with Simulator(World(seed=1, jobs=5), token=KEY) as sim:
        pages(lambda page, _: page["results"].append({**page["results"][0], "status": -1}), sim)
        run = mirror(sim, mirror_url)
    assert not run["certified"]
    assert "twice" in run["certificate"]
    assert len(rows(mirror_url, "jobs")) == 5


def test_older_jobs_that_show_a_model_as_it_was_change_nothing(sim, world, mirror_url):
    old, new = world.submit(ml_models=[44]), world.submit(ml_models=[44])
    was = world.job(old)["ml_models"]
    mirror(sim, mirror_url)
    world.edit(old, {"ml_models": was})
    world.edit_model(44, {"name": "4x Upscale Ultra 5"})
    for _ in range(3):
        mirror(sim, mirror_url)
    assert len(rows(mirror_url, "field_changes", entity="ml_model")) == 1
    assert row(mirror_url, "ml_models", id=44)["name"] == world.job(new)["ml_models"][0]["name"]


def test_an_unknown_status_is_mirrored_and_labelled(sim, world, mirror_url):
    world.edit(3, {"status": 7})
    mirror(sim, mirror_url)
    assert row(mirror_url, "jobs", id=3)["status"] == 7
    assert row(mirror_url, "job_statuses", code=7) == {"code": 7, "name": "unknown (7)", "is_terminal": False}


def test_a_task_that_is_new_upstream_is_mirrored_and_labelled(sim, world, mirror_url):
    world.submit(ml_models=[44])
    world.edit_model(44, {"task": 16})
    mirror(sim, mirror_url)
    assert row(mirror_url, "ml_models", id=44)["task"] == 16
    assert row(mirror_url, "ml_tasks", code=16)["name"] == "unknown (16)"


def test_a_number_too_large_is_no_number_and_the_job_is_mirrored_with_the_rest(sim, world, mirror_url):
    job_id = next(job_id for job_id in world.ids() if world.status(job_id) == 2)
    world.edit(job_id, {"output_video": {"bitrate": HUGE}})
    run = mirror(sim, mirror_url)
    note = row(mirror_url, "quarantined_jobs")
    assert (note["job_id"], note["resolved_at"], run["quarantined"]) == (job_id, None, 1)
    assert (note["field"], note["fault"]) == ("output_video.bitrate", "out of range")
    assert str(HUGE) in note["payload"]
    assert "X-Amz" not in note["payload"]
    video = row(mirror_url, "output_videos", id=world.job(job_id)["output_video"]["id"])
    assert (video["bitrate"], video["job_id"]) == (None, job_id)
    assert (run["certified"], run["covered"]) == (False, False)


def test_a_note_is_resolved_when_the_value_fits(sim, world, mirror_url):
    world.edit(3, {"start_frame": HUGE})
    mirror(sim, mirror_url)
    world.edit(3, {"start_frame": 12})
    mirror(sim, mirror_url)
    assert row(mirror_url, "quarantined_jobs")["resolved_at"] is not None
    assert row(mirror_url, "jobs", id=3)["start_frame"] == 12


def test_characters_that_no_database_holds_are_held_as_their_stand_ins(sim, world, mirror_url):
    world.edit(3, {"description": "a\0b", "container": "mov"})
    assert mirror(sim, mirror_url)["certified"]
    assert row(mirror_url, "jobs", id=3)["description"] == "a\u2400b"
    assert rows(mirror_url, "quarantined_jobs") == []


def test_an_unreadable_job_leaves_the_rest_of_its_page_alone(sim, world, mirror_url):
    world.edit(3, {"status": "finished"})
    run = mirror(sim, mirror_url)
    assert [job["id"] for job in rows(mirror_url, "jobs")] == [job_id for job_id in world.listed() if job_id != 3]
    assert row(mirror_url, "quarantined_jobs")["job_id"] == 3
    assert run["quarantined"] == 1


def test_a_new_job_without_a_status_has_no_word_about_its_models(sim, world, mirror_url):
    job_id = world.submit(ml_models=[44, 34])
    renamed = [{**model, "name": "never so"} for model in world.job(job_id)["ml_models"]]
    world.edit(job_id, {"status": "new", "ml_models": [*renamed, {**renamed[0], "id": 9999}]})
    mirror(sim, mirror_url)
    mirror(sim, mirror_url)
    assert {model["name"] for model in rows(mirror_url, "ml_models", id=44)} == {
        model["name"] for model in world.models() if model["id"] == 44
    }
    assert rows(mirror_url, "ml_models", id=9999) == []


def test_an_item_without_a_readable_id_voids_the_proof(sim, world, mirror_url):
    world.edit(3, {"id": "three"})
    run = mirror(sim, mirror_url)
    assert not run["certified"]
    assert "id cannot be read" in run["certificate"]
    assert row(mirror_url, "quarantined_jobs")["job_id"] is None
    assert len(rows(mirror_url, "jobs")) == 29


def test_a_sync_closes_every_connection_that_it_opened(sim, mirror_url, dialect, tmp_path):
    gc.disable()
    try:
        mirror(sim, mirror_url)
        if dialect == "postgresql":
            others = (
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            until(lambda: query(mirror_url, others) == [(0,)])  # a server may take its time to let go
        else:
            names = [path.name for path in tmp_path.iterdir()]
            assert not any(name.endswith(("-wal", "-shm")) for name in names)
    finally:
        gc.enable()


def test_a_change_seen_late_is_one_change_with_honest_bounds(sim, world, mirror_url):
    job_id = world.submit()
    first = mirror(sim, mirror_url)
    world.advance(7200)
    second = mirror(sim, mirror_url)
    _, entry = rows(mirror_url, "job_status_history", job_id=job_id)
    assert (entry["from_status"], entry["to_status"]) == (0, world.status(job_id))
    assert first["started_at"] <= entry["not_before"] <= first["finished_at"]
    assert second["started_at"] <= entry["observed_at"] <= second["finished_at"]


@pytest.mark.parametrize("hidden", [False, True], ids=["on the next page", "asked for by id"])
def test_a_sighting_of_the_same_run_bounds_a_change(sim, world, mirror_url, hidden):
    job_id = world.submit()
    mirror(sim, mirror_url)
    seen = moved_after_the_first_answer(sim, lambda: (world.start(job_id), hidden and world.hide(job_id)))
    second = mirror(sim, mirror_url, concurrency=1)
    _, entry = rows(mirror_url, "job_status_history", job_id=job_id)
    assert second["started_at"] < entry["not_before"] <= seen[0] < entry["observed_at"]
    assert row(mirror_url, "jobs", id=job_id)["presence"] == ("unlisted" if hidden else "listed")


def test_the_very_first_answer_of_a_new_mirror_counts(sim, world, database_url):
    job_id = world.submit()
    seen = moved_after_the_first_answer(sim, lambda: world.start(job_id))
    run = mirror(sim, database_url, concurrency=1)
    first, then = rows(database_url, "job_status_history", job_id=job_id)
    assert (first["to_status"], then["to_status"]) == (0, 1)
    assert run["started_at"] < first["observed_at"] == then["not_before"] <= seen[0]


def test_an_answer_from_before_another_writers_run_is_not_stored(sim, world, database_url, monkeypatch):
    """While this one migrates a new database another one does the first sync."""
    job_id, honest, pending = world.submit(), session._upgrade, [1]

    def upgrade(engine):
        honest(engine)
        if pending:
            pending.clear()
            world.start(job_id)
            mirror(sim, database_url)

    monkeypatch.setattr(session, "_upgrade", upgrade)
    mirror(sim, database_url)
    assert [entry["to_status"] for entry in rows(database_url, "job_status_history", job_id=job_id)] == [1]


def moved_after_the_first_answer(sim, move):
    """Let something happen before the second answer of a sync; filled with when that was."""
    answered, seen = count(), list[datetime]()

    def respond(_request):
        if next(answered) == 1:
            seen.append(datetime.now(UTC))
            move()

    sim.respond = respond
    return seen


def test_a_clock_that_is_set_back_makes_bounds_wide_and_none_wrong(sim, world, mirror_url):
    """It was ahead in one run, which proves nothing then; a later one began before the first, by its clock."""
    job_id = world.submit()
    first = mirror(sim, mirror_url)
    mirror(sim, mirror_url)
    postdate(mirror_url, 1, after=first["id"])
    world.start(job_id)
    mirror(sim, mirror_url)
    _, entry = rows(mirror_url, "job_status_history", job_id=job_id)
    assert first["started_at"] <= entry["not_before"] <= first["finished_at"]


def test_nothing_is_seen_before_the_run_that_saw_it_began(sim, database_url):
    run = mirror(sim, database_url)
    assert min(entry["observed_at"] for entry in rows(database_url, "job_status_history")) >= run["started_at"]


def test_a_second_look_moves_the_lower_bound_of_the_next_change(sim, world, mirror_url):
    job_id = world.submit()
    mirror(sim, mirror_url)
    second = mirror(sim, mirror_url)
    world.advance(7200)
    mirror(sim, mirror_url)
    _, entry = rows(mirror_url, "job_status_history", job_id=job_id)
    assert second["started_at"] - timedelta(seconds=1) <= entry["not_before"] <= second["finished_at"]
