"""``tpmirror doctor`` finds what is wrong and says what to do, and ``tpmirror status`` does so for the mirror."""

import json
import os
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.support.account import KEY, environ, mirror
from tests.support.program import Program
from tpmirror.db.engine import connected
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
        "web": "ok",
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


def test_a_view_that_is_gone_is_told(program, mirrored, capsys):
    with connected(mirrored) as engine, engine.begin() as conn:
        conn.execute(text("DROP VIEW active_jobs"))
    found = examined(program, capsys)["views"]
    assert (found["seen"], found["remedy"]) == ("the view active_jobs is gone", "tpmirror db upgrade rebuilds it")


def test_a_file_that_may_not_be_written_is_told(sim, lite_url, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    found = examined(Program(tmp_path, environ(sim.url, sim.token, database_url=lite_url)), capsys)["file"]
    assert (found["state"], found["remedy"]) == ("warning", "check the permissions of the file and its folder")


def test_a_role_without_rights_and_connections_is_told_before_the_first_sync(postgres, sim, tmp_path, capsys):
    postgres.create("closed")
    with connected(postgres.url("closed")) as engine:
        with engine.begin() as conn:
            conn.execute(text("CREATE ROLE frugal LOGIN CONNECTION LIMIT 3"))
        tool = Program(tmp_path, environ(sim.url, sim.token, database_url=postgres.url("closed", "frugal")))
        found = examined(tool, capsys)
        assert found["server"]["seen"] == "it has 2 more connections for this role"
        assert found["role"]["seen"] == "the role frugal may not make or migrate the mirror's tables"
        with engine.begin() as conn:
            conn.execute(text("ALTER ROLE frugal CONNECTION LIMIT -1"))
            conn.execute(text("GRANT CREATE ON SCHEMA public TO frugal"))
        assert not {"server", "role"} & examined(tool, capsys).keys()
        assert "role" in examined(tool, capsys, "--database-schema", "own")
        with engine.begin() as conn:
            conn.execute(text("GRANT CREATE ON DATABASE closed TO frugal"))
        assert "role" not in examined(tool, capsys, "--database-schema", "own")
    postgres.drop("closed")
    with connected(postgres.url("postgres")) as engine, engine.begin() as conn:
        conn.execute(text("DROP ROLE frugal"))


def test_what_stands_in_the_way_of_an_upgrade_is_told_before_it(postgres, migrated_postgres, sim, tmp_path, capsys):
    postgres.create("built_on", "migrated")
    tool = Program(tmp_path, environ(sim.url, sim.token, database_url=postgres.url("built_on")))
    with connected(postgres.url("built_on")) as engine, engine.begin() as conn:
        conn.execute(text("CREATE VIEW mine AS SELECT day FROM daily_costs"))
        conn.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = examined(tool, capsys)
    assert found["database"]["remedy"] == "run tpmirror db upgrade"
    assert found["views"]["seen"] == "built on the mirror's views: view mine"
    postgres.drop("built_on")


@pytest.mark.parametrize(
    ("variables", "code", "state", "seen"),
    [
        ({}, 0, "ok", "this machine alone can reach it"),
        ({"HTTP_HOSTS": "mirror.example.com"}, 2, "bad", "set TPMIRROR_HTTP_TOKEN to a password"),
        ({"HTTP_PREFIX": "/jobs", "HTTP_TOKEN": 16 * "p"}, 2, "bad", "an address of the dashboard itself"),
        ({"HTTP_PREFIX": "/tpmirror", "HTTP_TOKEN": 16 * "p"}, 0, "ok", "through a proxy, with a password"),
        ({"HTTP_ADDR": "0.0.0.0:8377", "HTTP_OPEN": "yes"}, 0, "warning", "TPMIRROR_HTTP_OPEN is 'yes'"),
    ],
)
def test_who_may_see_the_dashboard_is_told(variables, code, state, seen, sim, lite_url, tmp_path, capsys):
    tool = Program(tmp_path, environ(sim.url, sim.token, database_url=lite_url))
    tool.variables |= {f"TPMIRROR_{name}": value for name, value in variables.items()}
    found = examined(tool, capsys, code=code)["web"]
    assert found["state"] == state
    assert seen in found["seen"]
