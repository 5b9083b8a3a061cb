"""Owners' e-mail addresses: hashed on the way in, taken out of a mirror that held them, and nowhere else afterwards."""

import dataclasses
import json
import re

import pytest

from tests.support.account import KEY, connected, dump, mirror, query, row, rows, settings
from tpmirror.db import migrate
from tpmirror.errors import UsageError
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import audit
from tpmirror.store import owners as stored
from tpmirror.sync.account import accept_owner
from tpmirror.sync.owners import hash_owners, pseudonyms
from tpmirror.sync.poll import poll
from tpmirror.sync.verify import preview, verify

JANE, JOHN = "jane@example.com", "john.doe@mail.example.com"
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


@pytest.fixture
def world():
    """Addresses as owners, under unknown keys, and in what cannot be held."""
    made = World(seed=5, jobs=12, in_flight=2, jobs_per_day=0)
    made.edit(3, {"shared_with": [JANE, {JOHN: "editor"}], "note": f"asked by {JOHN}"})
    made.edit(4, {"start_frame": JANE, "by": {"owner": JANE}})
    made.edit(5, {"grain": {"owner": JOHN}, "url": f"https://example.com/{JANE}/"})
    return made


@pytest.fixture
def sim(world):
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        yield simulator


@pytest.fixture
def hashed(tmp_path):
    """The settings under which owners are hashed, by field name."""
    path = tmp_path / "owners"
    path.write_text("0123456789abcdef" * 4)
    return {"owners": "hash", "owners_key_file": path}


def live(sim, world, url, **options):
    """Two full syncs and a poll, between which an owner and an unknown key change."""
    mirror(sim, url, **options)
    world.edit(3, {"shared_with": [JOHN]})
    sim.respond = hand_over(sim)
    mirror(sim, url, **options)
    poll(settings(sim, url, **options))


def hand_over(sim):
    """Let the video of job 6 belong to somebody else from now on."""

    def respond(request):
        answer = sim.answer(request)
        body = json.loads(answer.body) if answer.status == 200 else {}
        for job in body.get("results", [body]):
            if job.get("id") == 6:
                job["input_video"]["owner"] = JOHN
        return type(answer).json(200, body) if body else answer

    return respond


def held(url) -> dict[str, list[str]]:
    """Every row of every table, without the numbers and times that differ from mirror to mirror."""
    moment = re.compile(
        r"datetime\.datetime\(2026.*?\)\)?|'2\d{3}-\d\d-\d\d[ T][\d:.]+(?:\+00:00|Z)?'|'[0-9a-f]{32}'|''"
    )
    left = {"job_status_history", "alembic_version", "data_dictionary"}
    return {name: [moment.sub("#", line) for line in lines] for name, lines in dump(url).items() if name not in left}


def test_no_address_gets_into_a_mirror_that_hashes_them(sim, world, mirror_url, hashed):
    live(sim, world, mirror_url, **hashed)
    assert ADDRESS.findall(repr(dump(mirror_url))) == []
    assert len({video["owner"] for video in rows(mirror_url, "input_videos")}) == 2
    change = row(mirror_url, "field_changes", field="owner")
    assert re.fullmatch(r"owner-\w{16}", change["old_value"])
    assert re.fullmatch(r"owner-\w{16}", change["new_value"])
    assert verify(settings(sim, mirror_url, **hashed)).differences == []


def test_a_mirror_that_held_addresses_becomes_one_that_never_did(sim, world, mirror_url, hashed, tmp_path, engine):
    live(sim, world, mirror_url)
    assert len(ADDRESS.findall(repr(dump(mirror_url)))) > 20
    before = query(mirror_url, "SELECT COUNT(*) FROM field_changes"), rows(mirror_url, "job_status_history")
    assert hash_owners(engine, settings(sim, mirror_url, **hashed)) > 20
    assert ADDRESS.findall(repr(dump(mirror_url))) == []
    assert migrate.differences(engine) == [], "the triggers of the history are back"
    assert (query(mirror_url, "SELECT COUNT(*) FROM field_changes"), rows(mirror_url, "job_status_history")) == before
    with connected(mirror_url) as conn:
        assert audit.audit(conn).findings == []
    if mirror_url.startswith("sqlite"):
        engine.dispose()
        assert all(JANE.encode() not in file.read_bytes() for file in tmp_path.glob("mirror.db*"))
    assert preview(settings(sim, mirror_url, **hashed)).differences == []
    done = mirror(sim, mirror_url, **hashed)
    assert (done["jobs_inserted"], done["jobs_updated"], done["field_changes"], done["quarantined"]) == (0, 0, 0, 2)
    assert verify(settings(sim, mirror_url, **hashed)).differences == []
    assert hash_owners(engine, settings(sim, mirror_url, **hashed)) == 0


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_it_then_holds_what_one_that_hashed_from_the_beginning_holds(sim, mirror_url, lite_url, hashed, engine):
    live(sim, sim.world, lite_url, **hashed)
    sim.respond = None
    sim.world.edit(3, {"shared_with": [JANE, {JOHN: "editor"}]})
    live(sim, sim.world, mirror_url)
    hash_owners(engine, settings(sim, mirror_url, **hashed))
    mirror(sim, mirror_url, **hashed)
    assert held(mirror_url) == held(lite_url)


def test_a_setting_that_is_not_the_mirrors_is_refused_and_nothing_is_written(sim, mirror_url, hashed, engine, tmp_path):
    mirror(sim, mirror_url)
    before = dump(mirror_url)
    for look in (mirror, lambda *args, **kwargs: verify(settings(*args, **kwargs))):
        with pytest.raises(UsageError, match="run tpmirror db hash-owners"):
            look(sim, mirror_url, **hashed)
    with pytest.raises(UsageError, match="TPMIRROR_OWNERS is 'keep'"):
        hash_owners(engine, settings(sim, mirror_url))
    assert dump(mirror_url) == before
    hash_owners(engine, settings(sim, mirror_url, **hashed))
    before = dump(mirror_url)
    with pytest.raises(UsageError, match="TPMIRROR_OWNERS is 'keep'"):
        mirror(sim, mirror_url)
    with pytest.raises(UsageError, match="TPMIRROR_OWNERS is 'keep'"):
        accept_owner(engine, JANE)
    hashed["owners_key_file"].write_text("another key of 32 characters and more")
    for do in (mirror, lambda *args, **kwargs: hash_owners(engine, settings(*args, **kwargs))):
        with pytest.raises(UsageError, match="another key"):
            do(sim, mirror_url, **hashed)
    assert dump(mirror_url) == before


def test_an_owner_accepted_by_hand_is_hashed_as_well(sim, mirror_url, hashed, engine):
    accept_owner(engine, JANE, pseudonyms(settings(sim, mirror_url, **hashed)))
    assert ADDRESS.findall(repr(dump(mirror_url))) == []
    assert mirror(sim, mirror_url, **hashed)["outcome"] == "succeeded"


def test_hashing_that_is_interrupted_leaves_all_as_it_was(sim, world, mirror_url, hashed, engine, monkeypatch):
    live(sim, world, mirror_url)
    before = dump(mirror_url)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stored, "update", stop)
    with pytest.raises(KeyboardInterrupt):
        hash_owners(engine, settings(sim, mirror_url, **hashed))
    assert dump(mirror_url) == before
    assert migrate.differences(engine) == []
    monkeypatch.undo()
    assert hash_owners(engine, settings(sim, mirror_url, **hashed)) > 20


def test_a_mirror_that_keeps_addresses_never_reads_the_key(sim, mirror_url, tmp_path):
    kept = dataclasses.replace(settings(sim, mirror_url), owners_key_file=tmp_path / "none")
    assert pseudonyms(kept) is None
