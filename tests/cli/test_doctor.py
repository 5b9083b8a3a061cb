"""``tpmirror doctor`` finds what is wrong and says what to do, and ``tpmirror status`` does so for the mirror."""

import json
from collections.abc import Iterator

import pytest

from tests.support.account import KEY, mirror
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(World(seed=5, jobs=30), token=KEY, page_cap=20) as simulator:
        yield simulator


def examined(program, capsys, *arguments, code=0):
    said, complained = program.call(capsys, "doctor", "--json", *arguments, code=code)
    assert complained == ""
    shown = json.loads(said)
    assert shown["healthy"] == (code == 0)
    return {finding["check"]: finding for finding in shown["findings"]}


def test_a_healthy_installation(program, sim, mirrored, capsys):
    found = examined(program, capsys)
    assert {name: finding["state"] for name, finding in found.items() if name != "disk"} == {
        "key": "ok",
        "API": "ok",
        "list": "warning",  # the cap of 20
        "clock": "ok",
        "database": "ok",
        "mirror": "ok",
    }
    assert found["list"]["seen"] == "30 jobs, newest first, 20 to a page"


def test_owners_that_are_held_otherwise_than_the_settings_say_are_told(program, mirrored, capsys):
    path = program.folder / "owners"
    path.write_text("k" * 32)
    path.chmod(0o600)
    program.variables |= {"TPMIRROR_OWNERS": "hash", "TPMIRROR_OWNERS_KEY_FILE": "owners"}
    assert "run tpmirror db hash-owners" in examined(program, capsys, code=2)["database"]["seen"]
    assert "rows held addresses" in program.call(capsys, "db", "hash-owners")[0]
    assert examined(program, capsys)["owners"]["state"] == "ok"


def test_a_refused_key_counts_most(program, capsys):
    program.variables |= {"TPMIRROR_API_KEY": "wrong"}
    found = examined(program, capsys, "--database-url", "postgresql://me:hush@127.0.0.1:1/none", code=4)
    assert (found["API"]["state"], found["database"]["state"]) == ("bad", "bad")
    assert "hush" not in json.dumps(found)


def test_no_key_is_wrong_use(program, capsys):
    program.variables |= {"TPMIRROR_API_KEY": ""}
    assert "TPMIRROR_API_KEY" in examined(program, capsys, code=2)["key"]["seen"]


def test_an_api_out_of_reach_is_a_failure(program, capsys):
    found = examined(program, capsys, "--api-url", "http://127.0.0.1:9", code=1)
    assert found["API"]["remedy"] == "check TPMIRROR_API_URL and the network"


def test_a_doctor_does_not_wait_where_the_api_asks_for_it(program, sim, capsys):
    sim.throttle(1, retry_after=900)
    assert examined(program, capsys, code=1)["API"]["seen"].endswith("answers 429")
    assert sim.count_requests() == 1


def test_status_says_what_is_wrong_and_what_to_do_next(program, sim, mirror_url, capsys):
    mirror(sim, mirror_url, certify=False)
    said, _ = program.call(capsys, "status")
    assert "Wrong      the mirror has never been proven complete; the last full sync was not certified: not" in said
    assert "           -> run tpmirror sync" in said
    (problem,) = json.loads(program.call(capsys, "status", "--json")[0])["problems"]
    assert (problem["code"], problem["critical"]) == ("never_certified", True)
    mirror(sim, mirror_url)
    assert json.loads(program.call(capsys, "status", "--json")[0])["problems"] == []


def test_a_folder_that_is_not_there_is_named(program, capsys, tmp_path):
    found = examined(program, capsys, "--database-url", f"sqlite:///{tmp_path}/none/tpmirror.db", code=1)
    assert found["disk"]["state"] == "bad"
    assert f"{tmp_path}/none" in found["disk"]["seen"]
    assert "create the folder" in found["disk"]["remedy"]
