"""Mirrors that version 0.1 left behind: they upgrade, keep their history row by row, and are certified anew."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import make_url, select

from tests.support.account import KEY, environ, query, row, rows
from tests.support.program import ROOT, Program
from tpmirror.db import migrate, revision, schema
from tpmirror.db.engine import connected
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.eta import sum_up

OLD: Final = ROOT / "tests" / "support" / "mirrors_of_0_1"
HISTORY: Final = {
    "job_status_history": "entry, job_id, seq, from_status, to_status, not_before, observed_at, occurred_at, "
    "sync_run_id, row_hash",
    "field_changes": "id, entity, entity_id, field, old_value, new_value, observed_at, sync_run_id",
}
"""The append-only tables, and their columns in 0.1, the key first."""
RUNS: Final = {
    "sync_runs": "id, kind, outcome, certified, certificate, started_at, finished_at, requests, retries, pages, "
    "upstream_count, jobs_seen, jobs_inserted, jobs_updated, jobs_unchanged, transitions, field_changes, jobs_gone, "
    "jobs_returned, quarantined, error, covered",
}
"""What an upgrade must not change either, while a sync may drop old polls."""
OF_NOW: Final = {"active_jobs", "sync_health"}
"""Views with columns that depend on the time of the query."""
REFUNDED, HALF_REFUNDED = 13, 14
GONE: Final = (3, 5)
TWICE_QUARANTINED: Final = (7, 8)
NEVER_MIRRORED: Final = 10


def load(database_url: str) -> None:
    """Fill an empty database with the mirror of 0.1 for it."""
    url = make_url(database_url)
    dump = (OLD / f"{url.get_backend_name()}.sql").read_text(encoding="utf-8")
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database))) as lite:
            lite.executescript(dump)
    else:
        with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as postgres:
            postgres.execute(dump)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """The API over the account of the mirrors, in good form: every value can be read, all but ``GONE`` are back."""
    account = json.loads((OLD / "account.json").read_text(encoding="utf-8"))
    there = {job["id"]: job for job in account["jobs"]}
    world = World(jobs=max(there), in_flight=0, jobs_per_day=0)
    for job_id in world.ids():
        if job_id in there:
            world.raw(job_id, json.dumps(there[job_id]).encode())
        else:
            world.delete(job_id)
    for job_id in account["unlisted"]:
        world.hide(job_id)
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        yield simulator


@pytest.fixture
def old(database_url: str) -> str:
    """The URL of a mirror as 0.1 left it."""
    load(database_url)
    return database_url


@pytest.fixture
def tpmirror(sim: Simulator, old: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line on the old mirror: what it says on stdout."""
    program = Program(tmp_path, environ(sim.url, database_url=old))
    return lambda *words, code=0: program.call(capsys, *words, code=code)[0]


@pytest.fixture
def upgraded(old: str, tpmirror: Any) -> str:
    """The old mirror, upgraded."""
    tpmirror("db", "upgrade")
    return old


@pytest.fixture
def synced(upgraded: str, tpmirror: Any) -> str:
    """The old mirror, upgraded and synced."""
    tpmirror("sync")
    return upgraded


def test_samples_of_before_are_summed_up_as_those_of_now(upgraded):
    columns = "job_id, progress_from, samples, error_s, abs_error_s, relative_error"
    wanted = f"SELECT {columns} FROM eta_errors ORDER BY job_id, progress_from"
    before = query(upgraded, wanted)
    with connected(upgraded) as engine, engine.begin() as conn:
        sum_up(conn, set(conn.execute(select(schema.jobs.c.id)).scalars()))
    after = query(upgraded, wanted)
    assert [row[:3] for row in before] == [row[:3] for row in after] != []
    assert [list(row[3:]) for row in before] == [pytest.approx(list(row[3:]), rel=1e-4) for row in after]


def held(database_url: str, wanted: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of these columns by table, in the order of the key, as the driver hands them over."""
    return {table: query(database_url, f"SELECT {listed} FROM {table} ORDER BY 1") for table, listed in wanted.items()}


def open_entries(database_url: str) -> list[dict[str, Any]]:
    """The rows of the quarantine that are not resolved."""
    return rows(database_url, "quarantined_jobs", resolved_at=None)


def ledger(database_url: str) -> dict[int, Decimal]:
    """By job what the ledger says it was charged, but for previews, which cost nothing."""
    charged = query(
        database_url,
        "SELECT l.job_id, SUM(l.credits) FROM cost_ledger AS l JOIN jobs AS j ON j.id = l.job_id "
        "WHERE NOT j.preview GROUP BY l.job_id",
    )
    return {job_id: Decimal(str(charge)).quantize(Decimal("0.0001")) for job_id, charge in charged}


def costs(database_url: str) -> dict[int, Decimal]:
    """By job what it costs as stated, but for previews."""
    return {job["id"]: job["cost_usd"] or Decimal(0) for job in rows(database_url, "jobs", preview=False)}


def test_the_mirrors_are_of_0_1_and_hold_what_it_left_behind(old):
    """Else the other tests would prove nothing."""
    assert query(old, "SELECT version_num FROM alembic_version") == [("0002",)]
    assert ["incomplete" in certificate for _, certificate in certificates(old)] == [False] * 4
    is_open = query(old, "SELECT job_id FROM quarantined_jobs WHERE resolved_at IS NULL AND job_id IS NOT NULL")
    assert all(is_open.count((job_id,)) == 2 for job_id in TWICE_QUARANTINED)
    assert (NEVER_MIRRORED,) in is_open
    assert query(old, f"SELECT id FROM jobs WHERE id = {NEVER_MIRRORED}") == []
    moved = f"SELECT old_value, new_value FROM field_changes WHERE field = 'cost_usd' AND entity_id = {REFUNDED}"
    assert query(old, f"{moved} ORDER BY id") == [("1.2500", None), (None, "1.2500")]
    assert query(old, f"SELECT cost_usd FROM jobs WHERE id = {HALF_REFUNDED}") == [(None,)]
    assert query(old, "SELECT job_id FROM job_absences WHERE confirmed_at IS NOT NULL") == [(GONE[1],)]
    presences = query(old, "SELECT DISTINCT presence FROM jobs")
    assert {presence for (presence,) in presences} == {"listed", "missing", "unlisted", "gone"}


def certificates(database_url: str) -> list[tuple[Any, ...]]:
    """Certified runs: id and certificate."""
    return query(database_url, "SELECT id, certificate FROM sync_runs WHERE certified ORDER BY id")


def test_an_old_mirror_upgrades_to_what_is_declared(upgraded, tpmirror):
    assert query(upgraded, "SELECT version_num FROM alembic_version") == [(revision.newest(),)]
    tpmirror("db", "check")


def test_an_upgrade_keeps_the_history_row_by_row_and_so_does_the_way_back(old, tpmirror):
    before = held(old, HISTORY | RUNS)
    assert all(before.values())
    tpmirror("db", "upgrade")
    assert held(old, HISTORY | RUNS) == before
    with connected(old) as engine:
        migrate.downgrade(engine, "0002")
    assert held(old, HISTORY | RUNS) == before


def test_an_upgrade_merges_the_open_entries_of_a_job(old, tpmirror):
    listed = "SELECT id, job_id, payload, first_seen_at, last_seen_at, resolved_at FROM quarantined_jobs ORDER BY id"
    before = query(old, listed)
    tpmirror("db", "upgrade")
    after = query(old, listed)
    assert [entry[:3] for entry in after] == [entry[:3] for entry in before], "none is lost, payloads stay"
    for job_id in TWICE_QUARANTINED:
        first, second = (entry for entry in before if entry[1] == job_id)
        assert [entry for entry in after if entry[1] == job_id] == [
            (*first[:5], first[4]),
            (*second[:3], first[3], second[4], None),
        ]
    others = [entry for entry in before if entry[1] not in TWICE_QUARANTINED]
    assert [entry for entry in after if entry[1] not in TWICE_QUARANTINED] == others
    open_twice = (
        "SELECT job_id, field FROM quarantined_jobs WHERE resolved_at IS NULL AND job_id IS NOT NULL "
        "GROUP BY job_id, field HAVING COUNT(*) > 1"
    )
    assert query(old, open_twice) == []


def test_the_history_is_whole_after_the_upgrade_and_after_a_sync(old, tpmirror):
    tpmirror("db", "upgrade")
    head = json.loads(tpmirror("audit", "--json"))["head"]
    assert query(old, "SELECT row_hash FROM job_status_history ORDER BY entry DESC LIMIT 1") == [(head,)]
    before = held(old, HISTORY)
    tpmirror("sync")
    audited = json.loads(tpmirror("audit", "--json", "--head", head))
    assert audited["findings"] == []
    assert audited["entries"] > len(before["job_status_history"]), "the chain goes on"
    for table, kept in held(old, HISTORY).items():
        assert kept[: len(before[table])] == before[table], table


def test_a_sync_certifies_it_anew(upgraded, tpmirror):
    run = json.loads(tpmirror("sync", "--json"))
    assert (run["outcome"], run["certified"], run["covered"]) == ("succeeded", True, True)
    certificate = json.loads(row(upgraded, "sync_runs", id=run["id"])["certificate"])
    assert certificate["proven"] == run["upstream_count"]
    assert (certificate["unreadable"], certificate["incomplete"]) == (0, 0)


def test_a_sync_heals_what_the_old_version_could_not_hold(upgraded, tpmirror):
    assert len(open_entries(upgraded)) > 0
    assert row(upgraded, "jobs", id=HALF_REFUNDED)["cost_usd"] is None
    tpmirror("sync")
    assert open_entries(upgraded) == []
    assert {row(upgraded, "jobs", id=job_id)["cost_usd"] for job_id in (REFUNDED, HALF_REFUNDED)} == {Decimal("1.25")}
    assert ledger(upgraded) == costs(upgraded)
    assert row(upgraded, "jobs", id=NEVER_MIRRORED)["status"] == 2
    assert {job["id"] for job in rows(upgraded, "jobs", presence="gone")} == set(GONE)


def test_a_synced_mirror_equals_the_api(synced, tpmirror):
    assert json.loads(tpmirror("verify", "--json"))["differences"] == []
    again = json.loads(tpmirror("sync", "--json"))
    assert (again["jobs_inserted"], again["jobs_updated"], again["transitions"], again["field_changes"]) == (0, 0, 0, 0)
    tpmirror("poll")
    tpmirror("db", "check")


def test_an_export_of_the_old_version_is_brought_up_to_date(synced, tpmirror, tmp_path):
    shutil.unpack_archive(OLD / "export.zip", tmp_path / "kept")
    old_mark = json.loads((tmp_path / "kept" / "manifest.json").read_text(encoding="utf-8"))["mark"]
    kept = json.loads(tpmirror("export", "kept", "--format", "csv", "--json"))
    new = json.loads(tpmirror("export", "new", "--format", "csv", "--json"))
    assert kept["mark"] == new["mark"]
    assert kept["mark"]["mirror"] == old_mark["mirror"], "it is the same mirror"
    assert kept["relations"].keys() == new["relations"].keys()
    for name in kept["relations"].keys() - OF_NOW:
        assert kept["relations"][name] == new["relations"][name], name
    assert contents(tmp_path / "kept") == contents(tmp_path / "new")


def contents(folder: Path) -> dict[str, bytes]:
    """The files of an export that do not depend on the time it was made, by their path in it."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv")}
    return {name: content for name, content in files.items() if name.partition("/")[0] not in OF_NOW}


SEPARATE: Final = "old_roles"


@pytest.fixture
def separate(postgres) -> Iterator[Any]:
    """The old mirror, with the roles that 0.1 had for it: where the roles' connections go."""

    def connect(role: str) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(postgres.home), user=role, dbname=SEPARATE, autocommit=True)

    postgres.create(SEPARATE)
    load(postgres.url(SEPARATE))
    with connect("postgres") as conn:
        conn.execute((OLD / "postgres-roles.sql").read_text(encoding="utf-8"))
    yield connect
    postgres.drop(SEPARATE)


def test_an_old_mirror_with_separate_roles_upgrades_too(separate, postgres, sim, tmp_path, capsys):
    """Migrated by the owner, granted anew, mirrored by the writer."""
    place = f"/{SEPARATE}?host={postgres.home}"
    owner = Program(
        tmp_path, {"TPMIRROR_DATABASE_URL": f"postgresql://postgres@{place}&options=-c%20role%3Dtpmirror_owner"}
    )
    owner.call(capsys, "db", "upgrade")
    with separate("postgres") as conn:
        conn.execute((ROOT / "deploy" / "postgres-roles.sql").read_text(encoding="utf-8"))
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        assert conn.execute(owners).fetchall() == [("tpmirror_owner",)]
    writer = Program(tmp_path, environ(sim.url, database_url=f"postgresql://tpmirror_writer@{place}"))
    for command in (["sync"], ["poll"], ["verify"], ["audit"], ["db", "check"]):
        writer.call(capsys, *command)
    with separate("tpmirror_writer") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("UPDATE field_changes SET new_value = ''")
    with separate("tpmirror_reader") as conn:
        assert conn.execute("SELECT COUNT(*) FROM job_overview").fetchone() == (len(sim.world.ids()) + len(GONE),)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT payload FROM quarantined_jobs")


def test_the_query_of_the_upgrade_notes_finds_the_refunds_that_0_1_invented(upgraded):
    text = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
    (sql,) = re.findall(r"```sql\n(.*?);\n```", text, re.DOTALL)
    found = {row[0]: row[3] is not None for row in query(upgraded, sql)}
    assert found == {7: False, 13: True, 14: False}
