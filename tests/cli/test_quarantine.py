"""``tpmirror quarantine``, and what commands say and end with while something is not held."""

import json

import pytest

from tests.support.account import KEY, query, rows, tamper
from tests.support.program import Program
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


@pytest.fixture
def world():
    return World(seed=4, jobs=12, in_flight=2, jobs_per_day=0)


@pytest.fixture
def sim(world):
    with Simulator(world, token=KEY) as simulator:
        yield simulator


@pytest.fixture
def tpmirror(sim, mirror_url, tmp_path, capsys):
    variables = {"TPMIRROR_API_URL": sim.url, "TPMIRROR_API_KEY": KEY, "TPMIRROR_MAX_RPS": "0"}
    program = Program(tmp_path, {**variables, "TPMIRROR_DATABASE_URL": mirror_url})
    return lambda *words, code=0: program.call(capsys, *words, code=code)


def held(url):
    """What ``sync_health`` counts, and the columns that ``held_values`` names."""
    counts = query(url, "SELECT unreadable, incomplete, accepted FROM sync_health")[0]
    return tuple(counts), [tuple(row) for row in query(url, "SELECT entity, field FROM held_values ORDER BY 1, 2")]


def test_what_is_not_held_keeps_a_full_sync_from_being_certified_until_somebody_accepts_it(tpmirror, world, mirror_url):
    tpmirror("sync")
    world.edit(3, {"cost_usd": "1.25001"})
    world.edit(4, {"cost_usd": "7.00001"})
    said = tpmirror("sync", code=3)[0]
    assert "Not certified: listed jobs are not held as shown: 2 incomplete; tpmirror quarantine list" in said
    assert held(mirror_url) == ((0, 2, 0), [("job", "cost_usd")] * 2)
    assert "job.cost_usd" in tpmirror("verify", code=3)[0]
    assert "could not be held; listed jobs: 2 incomplete" in tpmirror("status")[0]
    first, second = (entry["id"] for entry in rows(mirror_url, "quarantined_jobs"))

    assert "1 entry accepted" in tpmirror("quarantine", "accept", str(first))[0]
    tpmirror("sync", code=3)
    assert held(mirror_url)[0] == (0, 2, 1)
    tpmirror("quarantine", "accept", str(second))
    run = json.loads(tpmirror("sync", "--json")[0])
    counts = {name: run["certificate"][name] for name in ("unreadable", "incomplete", "accepted")}
    assert counts == {"unreadable": 0, "incomplete": 2, "accepted": 2}
    assert (run["certified"], run["covered"]) == (True, True)
    found = json.loads(tpmirror("verify", "--json")[0])
    assert (found["differences"], {row["accepted"] for row in found["not_held"]}) == ([], {True})

    assert "1 entry not accepted any more" in tpmirror("quarantine", "accept", "--undo", str(first))[0]
    tpmirror("sync", code=3)
    world.edit(3, {"cost_usd": "1.2500"})
    world.edit(4, {"cost_usd": "7.0000"})
    assert "Certified" in tpmirror("sync")[0]
    assert held(mirror_url) == ((0, 0, 0), [])


def test_a_fault_accepted_by_field_is_accepted_in_future_jobs_too_and_another_kind_is_not(tpmirror, world, mirror_url):
    world.edit(3, {"finished": 1730453400})
    tpmirror("sync", code=3)
    tpmirror("quarantine", "accept", "--field", "job.finished")
    world.edit(4, {"finished": "1730453400"})
    tpmirror("sync")
    world.edit(5, {"finished": "9999-01-01T00:00:00Z"})
    tpmirror("sync", code=3)
    assert held(mirror_url)[0] == (0, 3, 2)
    tpmirror("quarantine", "accept", "--all")
    tpmirror("sync")
    assert "3 entries not accepted any more" in tpmirror("quarantine", "accept", "--undo", "--all")[0]
    tpmirror("sync", code=3)
    assert rows(mirror_url, "accepted_faults") == []


def test_an_item_whose_id_cannot_be_read_cannot_be_accepted(tpmirror, world, mirror_url):
    world.edit(3, {"id": "three"})
    world.edit(4, {"codec": []})
    tpmirror("sync", code=3)
    said, complained = tpmirror("quarantine", "accept", "--all", code=3)
    assert "1 entry accepted" in said
    assert "cannot be accepted: the id of its item cannot be read" in complained
    tpmirror("sync", code=3)
    assert held(mirror_url)[0] == (0, 1, 1)


def test_progress_and_eta_never_hold_a_certificate_back(tpmirror, world, mirror_url):
    active = next(job_id for job_id in world.ids() if world.status(job_id) in (0, 1))
    for eta in (1e300, 2e300, "soon"):
        world.edit(active, {"eta_s": eta, "processing_progress": [eta]})
        tpmirror("sync")
        tpmirror("poll")
    assert sorted(entry["field"] for entry in rows(mirror_url, "quarantined_jobs")) == [
        "job.eta_s", "job.processing_progress",
    ]  # fmt: skip
    assert held(mirror_url) == ((0, 0, 0), [("job", "eta_s"), ("job", "processing_progress")])
    tpmirror("verify")


def test_a_poll_that_cannot_hold_what_is_in_flight_says_so(tpmirror, world, mirror_url):
    tpmirror("sync")
    active = next(job_id for job_id in world.ids() if world.status(job_id) in (0, 1))
    world.edit(active, {"status": "finished"})
    assert "warning: jobs in flight are not held as shown: 1 incomplete" in tpmirror("poll", code=3)[1]
    assert rows(mirror_url, "sync_runs")[-1]["covered"] is False
    tpmirror("quarantine", "accept", "--all")
    tpmirror("poll")
    assert rows(mirror_url, "sync_runs")[-1]["covered"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name the entries by their numbers, or give --all or --field NAME"),
        (["1", "--all"], "one of the three"),
        (["99"], "no open entry 99 in quarantine; see tpmirror quarantine list"),
        (["--field", "job.codec"], "nothing in quarantine is of the field 'job.codec'"),
    ],
)
def test_a_wrong_choice_is_refused_and_nothing_accepted(tpmirror, world, mirror_url, words, said):
    world.edit(3, {"grain": "coarse"})
    tpmirror("sync", code=3)
    assert said in tpmirror("quarantine", "accept", *words, code=2)[1]
    assert [entry["accepted_at"] for entry in rows(mirror_url, "quarantined_jobs")] == [None]


def test_certificates_of_0_1_are_no_freshness(tpmirror, mirror_url):
    tpmirror("sync")
    tamper(mirror_url, """UPDATE sync_runs SET certificate = replace(certificate, '"incomplete"', '"of_0_1"')""")
    assert query(mirror_url, "SELECT certified_at FROM sync_health")[0][0] is None
    assert "never" in tpmirror("status")[0]
    before = rows(mirror_url, "sync_runs")[-1]["pages"]
    tpmirror("sync")
    assert rows(mirror_url, "sync_runs")[-1]["pages"] <= before, "it serves as the first pass"
