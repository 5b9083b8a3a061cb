"""``verify`` and ``sync --dry-run``: what differs, field by field, and not a byte written."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import inspect

from tests.support.account import connected, dump, environ, mirror, query, row, rows, settings, tamper
from tests.support.program import Program
from tpmirror.db import lease
from tpmirror.errors import MirrorError, TransientDatabaseError
from tpmirror.simulator.http import Response
from tpmirror.simulator.oddity import Oddity
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync import dryrun
from tpmirror.sync.run import Run, changes_of
from tpmirror.sync.verify import preview, verify

Difference = tuple[str, int, str, Any, Any]


@pytest.fixture
def world() -> World:
    world = World(seed=5, jobs=30, in_flight=3, jobs_per_day=0)
    world.submit(ml_models=[44, 34], input_video=1)
    return world


def everything(url: str) -> dict[str, list[Any]]:
    """Every row of every table, bookkeeping included."""
    return {**dump(url), **{name: query(url, f"SELECT * FROM {name}") for name in ("sync_runs", "writer_lease")}}


def differences(sim: Simulator, url: str, **options: object) -> list[Difference]:
    before = everything(url)
    found = verify(settings(sim, url, **options))
    assert everything(url) == before
    assert found.not_held == []
    return [tuple(difference.values()) for difference in found.differences]


def changes(sim: Simulator, url: str, **options: object) -> list[Difference]:
    before = everything(url)
    found = preview(settings(sim, url, **options))
    assert everything(url) == before
    return [tuple(difference.values()) for difference in found.differences]


# Verify


def test_a_connection_that_is_lost_hides_no_difference(sim, world, mirrored, monkeypatch):
    world.edit(3, {"description": "news"})
    compute, lost = changes_of, [TransientDatabaseError("server closed the connection")]

    def once(*of: Any, **options: Any) -> Any:
        if lost:
            raise lost.pop()
        return compute(*of, **options)

    monkeypatch.setattr(dryrun, "changes_of", once)
    assert [difference[:3] for difference in differences(sim, mirrored)] == [("job", 3, "description")]


def test_an_item_without_a_readable_id_is_not_held(sim, world, mirrored, tpmirror):
    world.edit(world.submit(), {"id": "three"})
    (unnamed,) = verify(settings(sim, mirrored)).not_held
    assert (unnamed["job_id"], unnamed["field"], unnamed["accepted"]) == (None, None, False)
    assert unnamed["reason"].startswith("an item's id cannot be read")
    assert "cannot be read" in tpmirror("verify", code=3)[0]


def test_a_mirror_that_is_the_account_is_identical(sim, mirrored):
    assert differences(sim, mirrored) == []


def test_progress_and_eta_are_no_differences(sim, world, mirror_url):
    world.start(31)
    mirror(sim, mirror_url)
    world.advance(5)
    assert world.status(31) == 1
    assert row(mirror_url, "jobs", id=31)["eta_s"] != world.job(31)["eta_s"]
    assert differences(sim, mirror_url) == []


def test_a_value_altered_in_the_mirror_is_shown_with_both_values(sim, world, mirrored):
    job = next(world.job(job_id) for job_id in world.ids() if world.status(job_id) == 2)
    job_id, source, made = job["id"], job["input_video"]["id"], job["output_video"]["id"]
    (upstream,) = (model["name"] for model in world.models() if model["id"] == 44)
    cost, started = row(mirrored, "jobs", id=job_id)["cost_usd"], job["started"]
    tamper(
        mirrored,
        f"UPDATE jobs SET description = 'forged', cost_usd = 7.0001, status = -1 WHERE id = {job_id}",
        f"UPDATE jobs SET started = '2020-01-01 00:00:00.000000+00:00', comparison = NULL WHERE id = {job_id}",
        f"UPDATE input_videos SET width = 1, owner = NULL WHERE id = {source}",
        f"UPDATE output_videos SET name = 'forged', size = 7 WHERE id = {made}",
        "UPDATE ml_models SET name = 'forged' WHERE id = 44",
    )
    assert set(differences(sim, mirrored)) == {
        ("job", job_id, "description", "forged", job["description"]),
        ("job", job_id, "cost_usd", "7.0001", str(cost)),
        ("job", job_id, "comparison", None, str(job["comparison"]).lower()),
        ("job", job_id, "started", "2020-01-01T00:00:00Z", started),
        ("job", job_id, "status", -1, 2),
        ("input_video", source, "width", "1", str(job["input_video"]["width"])),
        ("input_video", source, "owner", None, "studio@example.com"),
        ("output_video", made, "name", "forged", job["output_video"]["name"]),
        ("output_video", made, "size", "7", str(job["output_video"]["size"])),
        ("ml_model", 44, "name", "forged", upstream),
    }


def test_links_altered_in_the_mirror_are_shown(sim, mirrored):
    tamper(mirrored, "DELETE FROM job_ml_models WHERE job_id = 31 AND position = 1")
    assert differences(sim, mirrored) == [("job", 31, "ml_models", "[34]", "[34, 44]")]
    tamper(mirrored, "UPDATE job_ml_models SET ml_model_id = 44 WHERE job_id = 31 AND position = 0")
    assert differences(sim, mirrored) == [("job", 31, "ml_models", "[44]", "[34, 44]")]
    tamper(mirrored, "UPDATE jobs SET input_video_id = 2 WHERE id = 31")
    assert ("job", 31, "input_video_id", "2", "1") in differences(sim, mirrored)


def test_a_difference_in_what_many_jobs_share_is_shown_once(sim, world, mirror_url):
    for _ in range(25):
        world.submit(ml_models=[44, 34], input_video=1)
    mirror(sim, mirror_url)
    tamper(mirror_url, "UPDATE input_videos SET width = 1 WHERE id = 1")
    tamper(mirror_url, "UPDATE ml_models SET name = 'forged' WHERE id = 44")
    found = differences(sim, mirror_url)
    assert sorted(entity for entity, *_ in found) == ["input_video", "ml_model"]


def test_a_video_is_as_the_jobs_that_are_left_show_it(sim, world, mirror_url):
    first, last = (world.submit(ml_models=[44], input_video=1) for _ in range(2))
    world.submit(ml_models=[44], input_video=2)
    mirror(sim, mirror_url)
    world.distort(last, Oddity(("input_video", "name"), "other"))
    mirror(sim, mirror_url)
    assert rows(mirror_url, "input_videos", id=1)[0]["name"] == "other"
    world.delete(last)
    mirror(sim, mirror_url)  # the job is away now, and what the other one shows is taken at the next look
    mirror(sim, mirror_url)
    assert rows(mirror_url, "input_videos", id=1)[0]["name"] == world.job(first)["input_video"]["name"]
    assert differences(sim, mirror_url) == []


def test_a_video_is_not_as_a_gone_job_showed_it_to_a_run_that_never_ended(sim, world, mirror_url, monkeypatch):
    """The job is back for the time of that run, which mirrors its answer and cannot take back that it is gone."""
    first = world.submit(ml_models=[44])
    video = world.job(first)["input_video"]
    last = world.submit(ml_models=[44], input_video=video["id"])
    mirror(sim, mirror_url)
    world.delete(last)
    mirror(sim, mirror_url)
    mirror(sim, mirror_url)
    world.restore(last)
    world.distort(last, Oddity(("input_video", "name"), "other"))
    with monkeypatch.context() as dying:
        dying.setattr(Run, "close", Mock(side_effect=MirrorError("killed")))
        with pytest.raises(MirrorError):
            mirror(sim, mirror_url, certify=False)
    assert row(mirror_url, "input_videos", id=video["id"])["name"] == "other"
    world.delete(last)
    mirror(sim, mirror_url)
    assert row(mirror_url, "jobs", id=last)["presence"] == "gone"
    assert row(mirror_url, "input_videos", id=video["id"])["name"] == video["name"]
    assert differences(sim, mirror_url) == []


def test_a_video_is_as_the_job_that_comes_back_shows_it(sim, world, mirror_url):
    first = world.submit(ml_models=[44])
    video = world.job(first)["input_video"]
    last = world.submit(ml_models=[44], input_video=video["id"])
    mirror(sim, mirror_url)
    world.distort(last, Oddity(("input_video", "name"), "other"))
    mirror(sim, mirror_url)
    world.delete(first)
    world.delete(last)
    mirror(sim, mirror_url)
    world.restore(first)
    mirror(sim, mirror_url)
    assert row(mirror_url, "input_videos", id=video["id"])["name"] == video["name"]
    assert differences(sim, mirror_url) == []


@pytest.mark.parametrize("page_size", [100, 1])
@pytest.mark.parametrize("ordering", ["-id", "id"])
def test_a_model_is_as_the_jobs_that_are_left_show_it(sim, world, mirror_url, page_size, ordering):
    """The newest job that showed a model shows another one now; older ones show the model renamed."""
    sim.ordering = ordering
    user, last = (world.submit(ml_models=[44]) for _ in range(2))
    mirror(sim, mirror_url)
    world.distort(last, Oddity(("ml_models",), world.job(31)["ml_models"][:1]))
    world.distort(user, Oddity(("ml_models", 0, "name"), "renamed"))
    mirror(sim, mirror_url, page_size=page_size)
    assert rows(mirror_url, "ml_models", id=44)[0]["name"] == "renamed"


def test_what_changed_upstream_since_is_shown(sim, world, mirrored):
    world.fail(30)
    new = world.submit()
    finished = next(job_id for job_id in world.ids() if world.status(job_id) == 2)
    world.rate(finished, 1)
    found = differences(sim, mirrored)
    made = world.job(finished)["output_video"]["id"]
    assert ("job", 30, "status", 0, -1) in found or ("job", 30, "status", 1, -1) in found
    assert ("output_video", made, "quality_score", None, "1") in found
    assert ("job", new, "(the job)", None, "listed") in found
    assert changes(sim, mirrored) == found


def test_jobs_off_the_list_are_shown_with_what_the_api_says_of_them(sim, world, mirrored):
    world.hide(9)
    world.delete(12)
    world.hide(15)
    denial = Response.detail(403, "You do not have permission to perform this action.")
    sim.respond = lambda request: denial if request.path == "/api/jobs/15/" else None
    assert differences(sim, mirrored) == [
        ("job", 9, "presence", "listed", "unlisted"),
        ("job", 12, "presence", "listed", "not found"),
        ("job", 15, "presence", "listed", "no answer"),
    ]


def test_jobs_back_on_the_list_are_shown(sim, world, mirrored):
    world.hide(9)
    world.delete(12)
    mirror(sim, mirrored)
    assert differences(sim, mirrored) == [], "the mirror knows where they are"
    world.restore(9)
    world.restore(12)
    assert differences(sim, mirrored) == [
        ("job", 9, "presence", "unlisted", "listed"),
        ("job", 12, "presence", "gone", "listed"),
    ]


def test_a_job_missing_in_the_mirror_is_shown(sim, world, mirror_url):
    hidden = world.listed()[10]
    world.hide(hidden)
    mirror(sim, mirror_url)
    world.restore(hidden)
    assert differences(sim, mirror_url) == [("job", hidden, "(the job)", None, "listed")]


def test_a_job_that_cannot_be_read_is_not_identical(sim, world, mirrored):
    world.edit(9, {"status": "finished"})
    found = verify(settings(sim, mirrored))
    assert [(row["job_id"], row["field"]) for row in found.not_held] == [(9, "job.status")]
    assert (found.differences, found.needs_attention) == ([], True)
    world.edit(9, {"status": 2})
    world.hide(9)
    mirror(sim, mirrored)
    world.restore(9)
    world.edit(9, {"status": "finished"})
    mirror(sim, mirrored)
    assert rows(mirrored, "jobs", id=9)[0]["presence"] == "listed", "readable or not"


def test_a_long_look_without_news_needs_no_lease(sim, mirrored, monkeypatch):
    monkeypatch.setattr(lease, "TERM", timedelta(seconds=0.03))
    sim.latency = 0.02
    assert differences(sim, mirrored, page_size=5, concurrency=1) == []
    assert changes(sim, mirrored, page_size=5, concurrency=1) == []


def test_a_fingerprint_hides_no_difference_from_verify(sim, world, mirrored):
    tamper(mirrored, "UPDATE jobs SET codec = 'forged' WHERE id = 5")
    assert changes(sim, mirrored) == [], "a sync looks at what upstream changed"
    assert [difference[:3] for difference in differences(sim, mirrored)] == [("job", 5, "codec")]


def test_verify_on_the_command_line(sim, world, tpmirror, mirrored):
    before = everything(mirrored)
    assert "none" in tpmirror("verify")[0]
    assert json.loads(tpmirror("verify", "--json")[0]) == {"differences": [], "not_held": []}
    world.hide(9)
    said, _ = tpmirror("verify", "--json", code=3)
    expected = {"entity": "job", "id": 9, "field": "presence", "mirror": "listed", "upstream": "unlisted"}
    assert json.loads(said) == {"differences": [expected], "not_held": []}
    shown, _ = tpmirror("verify", code=3)
    assert all(word in shown for word in ("job", "9", "presence", "listed", "unlisted"))
    assert everything(mirrored) == before


def test_verify_without_a_mirror_says_so_and_makes_none(sim, tpmirror, database_url, tmp_path, capsys):
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=database_url))
    said, complained = program.call(capsys, "verify", code=1)
    assert said == ""
    assert "tpmirror sync" in complained
    assert sim.count_requests() == 0
    assert_untouched(database_url)


# Dry run


def assert_untouched(url: str) -> None:
    """There is no database yet, not even an empty file."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        assert not list(path.parent.glob(f"{path.name}*"))
        return
    with connected(url) as conn:
        assert inspect(conn).get_table_names() == []


def test_a_dry_run_of_a_first_sync_shows_every_job_and_creates_nothing(sim, world, database_url, tmp_path, capsys):
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=database_url))
    said, complained = program.call(capsys, "sync", "--dry-run", "--json")
    found = json.loads(said)["differences"]
    assert complained == ""
    assert sorted(change["id"] for change in found) == world.listed()
    assert {(change["entity"], change["field"], change["mirror"]) for change in found} == {("job", "(the job)", None)}
    assert_untouched(database_url)
    shown, _ = program.call(capsys, "sync", "--dry-run")
    assert "Would change" in shown
    assert_untouched(database_url)


def test_a_dry_run_shows_what_a_sync_then_does(sim, world, tpmirror, mirrored):
    world.fail(30)
    world.edit(9, {"description": "new"})
    new = world.submit()
    before = everything(mirrored)
    found = json.loads(tpmirror("sync", "--dry-run", "--json")[0])["differences"]
    assert everything(mirrored) == before
    run = json.loads(tpmirror("sync", "--json")[0])
    told = {(change["entity"], change["id"], change["field"], change["upstream"]) for change in found}
    assert (run["jobs_inserted"], run["transitions"]) == (1, 1)
    assert ("job", new, "(the job)", "listed") in told
    assert ("job", 30, "status", -1) in told
    recorded = {
        (change["entity"], change["entity_id"], change["field"], change["new_value"])
        for change in rows(mirrored, "field_changes", sync_run_id=run["id"])
    }
    assert recorded <= told
    assert len(told) == len(recorded) + 2
    assert json.loads(tpmirror("sync", "--dry-run", "--json")[0]) == {"differences": [], "not_held": []}


def test_a_dry_run_shows_jobs_that_left_and_that_came_back(sim, world, mirrored):
    world.hide(9)
    mirror(sim, mirrored)
    world.restore(9)
    world.hide(12)
    assert changes(sim, mirrored) == [
        ("job", 9, "presence", "unlisted", "listed"),
        ("job", 12, "presence", "listed", "unlisted"),
    ]


def test_a_dry_run_needs_no_lease(sim, world, tpmirror, mirrored):
    world.hide(9)
    somebody = "elsewhere boot pid|1|1|00000000"
    until = f"{datetime.now(UTC) + lease.TERM * 0.9:%Y-%m-%d %H:%M:%S.%f+00:00}"
    tamper(mirrored, f"UPDATE writer_lease SET holder = '{somebody}', expires_at = '{until}'")
    assert len(json.loads(tpmirror("sync", "--dry-run", "--json")[0])["differences"]) == 1
    tpmirror("verify", code=3)
    tpmirror("sync", code=5)


def test_a_job_whose_item_states_its_id_twice_is_not_on_the_list(sim, world, mirrored):
    world.edit(9, {"cost_usd": "a lot"})
    mirror(sim, mirrored)
    world.raw(9, b'{"id":9,"id":9}')
    run = mirror(sim, mirrored)
    certificate = json.loads(run["certificate"])
    assert "stands in it twice" in certificate["reason"]
    assert certificate["incomplete"] == 0, "nothing of it was shown"
    assert ("job", 9, "presence") in [
        (row["entity"], row["id"], row["field"]) for row in verify(settings(sim, mirrored)).differences
    ]
