"""The history is append-only, and where somebody lifts that, the audit names what was done to it."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from tests.support.account import KEY, connected, dump, environ, mirror, query, rows, tamper
from tests.support.program import Program
from tpmirror.db import migrate, schema
from tpmirror.db.engine import connected as opened
from tpmirror.simulator.http import Request
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.audit import audit as check_history
from tpmirror.store.history import GENESIS, chain, row_hash

GUARDED = ("job_status_history", "field_changes")
COLUMNS = (
    *("job_id", "seq", "from_status", "to_status", "not_before", "observed_at", "occurred_at", "sync_run_id"),
    *("row_hash", "entry"),
)


@pytest.fixture
def world() -> World:
    return World(seed=5, jobs=12, in_flight=3, jobs_per_day=0)


@pytest.fixture
def told(world: World, mirror_url: str) -> str:
    """A mirror with a history, two jobs ended and one gone; its URL."""
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        world.fail(11)
        world.finish(12)
        world.delete(3)
        mirror(sim, mirror_url)
    return mirror_url


@pytest.fixture
def audit(mirror_url: str, tmp_path: Path, capsys: Any) -> Callable[..., dict[str, Any]]:
    """``tpmirror audit --json``: exit 3 with findings, 0 without."""
    program = Program(tmp_path, environ("https://backend.example.invalid", database_url=mirror_url))

    def run(*words: str, findings: bool = True) -> dict[str, Any]:
        said, _ = program.call(capsys, "audit", "--json", *words, code=3 if findings else 0)
        found: dict[str, Any] = json.loads(said)
        assert bool(found["findings"]) is findings
        return found

    return run


def lift(url: str) -> None:
    """What whoever owns the database can do: take the guards away."""
    with connected(url) as conn:
        if conn.dialect.name == "sqlite":
            names = list(conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars())
            statements = [f"DROP TRIGGER {name}" for name in names]
        else:
            statements = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in GUARDED]
        for statement in statements:
            conn.execute(text(statement))
        conn.commit()


def mend(url: str) -> None:
    """What somebody does who wants to leave no trace: the guards are back as if nothing had been."""
    with opened(url) as engine:
        migrate.upgrade(engine)


def of_history(conn: Any) -> list[dict[str, Any]]:
    """What the audit finds in the history itself, where the guards are lifted."""
    return [finding for finding in check_history(conn).findings if finding["check"] != "guard"]


def named(found: dict[str, Any], check: str) -> list[tuple[int | None, int | None]]:
    """Entry and job of each finding of a check."""
    return places(found["findings"], check)


def places(findings: list[dict[str, Any]], check: str) -> list[tuple[int | None, int | None]]:
    return [(finding["entry"], finding["job_id"]) for finding in findings if finding["check"] == check]


def last(url: str, job_id: int) -> dict[str, Any]:
    return rows(url, "job_status_history", job_id=job_id)[-1]


# What the audit finds


def test_an_untouched_history_is_whole(told, audit):
    before = dump(told)
    found = audit(findings=False)
    ((entries, head),) = query(
        told, "SELECT entry, row_hash FROM job_status_history WHERE entry = (SELECT MAX(entry) FROM job_status_history)"
    )
    assert (found["entries"], found["head"]) == (entries, head)
    assert entries == len(rows(told, "job_status_history")) == 12 + 2
    assert dump(told) == before


def test_an_empty_history_is_whole(mirror_url, audit):
    assert audit(findings=False) == {"entries": 0, "head": GENESIS, "findings": []}
    assert audit("--head", GENESIS, findings=False)["entries"] == 0


CHANGES = (
    "to_status = -2",
    "from_status = 7",
    "sync_run_id = 1",
    "observed_at = '2026-01-01 00:00:00.000000+00:00'",
    "not_before = NULL",
    "occurred_at = '2026-01-01 00:00:00.000000+00:00'",
    f"row_hash = '{'0' * 64}'",
    "seq = 3",
)


def test_a_row_altered_is_named_whatever_was_altered(told):
    entry = last(told, 11)
    later = (entry["observed_at"] + timedelta(microseconds=1)).isoformat(" ", "microseconds")
    lift(told)
    with connected(told) as conn:
        for change in (*CHANGES, f"observed_at = '{later}'"):
            conn.execute(text(f"UPDATE job_status_history SET {change} WHERE entry = {entry['entry']}"))
            found = of_history(conn)
            assert (entry["entry"], 11) in places(found, "chain"), change
            conn.rollback()
        assert len(found) == 1, "a microsecond is one finding"
        assert not of_history(conn)


def test_a_row_deleted_is_named_by_what_follows_it(told, audit):
    entry = last(told, 11)["entry"]
    lift(told)
    tamper(told, f"DELETE FROM job_status_history WHERE entry = {entry}")
    found = audit()
    ((after, _),) = named(found, "chain")
    assert after == entry + 1
    assert f"entry {entry}" in found["findings"][0]["finding"]
    assert named(found, "agreement") == [(None, 11)]


def test_two_rows_swapped_are_named(told, audit):
    one, other = rows(told, "job_status_history", seq=1)[3:5]
    lift(told)
    tamper(
        told,
        *(
            f"UPDATE job_status_history SET entry = {place} WHERE job_id = {job['job_id']} AND seq = 1"
            for job, place in ((one, 1000), (other, one["entry"]), (one, other["entry"]))
        ),
    )
    swapped = {(one["entry"], other["job_id"]), (other["entry"], one["job_id"])}
    assert swapped <= set(named(audit(), "chain"))


def test_a_row_inserted_is_named(told, audit):
    """A job's past is lengthened by a status that it never had; the entries after it make room."""
    place = last(told, 12)["entry"]
    names = ", ".join(COLUMNS)
    lift(told)
    tamper(
        told,
        f"UPDATE job_status_history SET entry = -entry WHERE entry >= {place}",
        "UPDATE job_status_history SET entry = 1 - entry WHERE entry < 0",
        f"UPDATE job_status_history SET seq = 3 WHERE job_id = 12 AND entry = {place + 1}",
        f"INSERT INTO job_status_history ({names}) SELECT job_id, 2, 0, 1, observed_at, observed_at, NULL,"
        f" sync_run_id, row_hash, {place} FROM job_status_history WHERE job_id = 12 AND seq = 1",
    )
    assert (place, 12) in named(audit(), "chain")


def test_a_row_appended_by_hand_is_named(told, audit):
    place = audit(findings=False)["entries"] + 1
    names = ", ".join(COLUMNS)
    tamper(
        told,  # the guards let new rows in
        f"INSERT INTO job_status_history ({names}) SELECT job_id, seq + 1, to_status, 2, observed_at, observed_at,"
        f" NULL, sync_run_id, row_hash, {place} FROM job_status_history WHERE job_id = 11 AND seq = 2",
    )
    found = audit()
    assert named(found, "chain") == [(place, 11)]
    assert named(found, "agreement") == [(None, 11)]


def test_a_tail_cut_off_is_shown_by_a_head_that_somebody_kept(told, audit, world):
    head = audit(findings=False)["head"]
    assert audit("--head", head, findings=False)["head"] == head
    entry = last(told, 12)
    lift(told)
    tamper(
        told,
        f"DELETE FROM job_status_history WHERE entry >= {entry['entry']}",
        f"UPDATE jobs SET status = {entry['from_status']} WHERE id = 12",
    )
    mend(told)
    found = audit()
    assert (found["entries"], [one["check"] for one in found["findings"]]) == (entry["entry"] - 1, ["runs"])
    tamper(told, f"UPDATE sync_runs SET transitions = transitions - 1 WHERE id = {entry['sync_run_id']}")
    assert audit(findings=False)["entries"] == entry["entry"] - 1, "nothing inside the database can show it"
    found = audit("--head", head)
    assert [finding["check"] for finding in found["findings"]] == ["head"]


@pytest.mark.parametrize("table", GUARDED)
def test_a_run_whose_rows_the_database_lost_proves_nothing_and_is_named(world, mirror_url, table):
    """As by a server that was stopped at once, without having written what it had committed."""
    with Simulator(world, token=KEY, page_cap=5) as sim:
        mirror(sim, mirror_url)
        lost = f"DELETE FROM {table} WHERE sync_run_id = 2"
        requests = count(1)

        def respond(_request: Request) -> None:
            if next(requests) == 3:  # the newest page is stored by then
                lift(mirror_url)
                tamper(mirror_url, lost)

        world.finish(12)
        sim.respond = respond
        run = mirror(sim, mirror_url, concurrency=1)
    assert (run["outcome"], run["certified"], run["covered"]) == ("succeeded", False, False)
    assert re.match(r"the database lost \d+ rows that this run wrote", json.loads(run["certificate"])["reason"])
    with connected(mirror_url) as conn:
        found = [one["finding"] for one in check_history(conn).findings if one["check"] == "runs"]
    claimed = {"job_status_history": run["transitions"], "field_changes": run["field_changes"]}[table]
    assert found == [f"run 2 counts {claimed} rows of {table}, 0 are there"]


def test_a_history_computed_anew_is_shown_by_a_head_that_somebody_kept(told, audit):
    head = audit(findings=False)["head"]
    lift(told)
    stored = sorted(rows(told, "job_status_history"), key=lambda entry: entry["entry"])
    forged = [{**entry, "observed_at": entry["observed_at"] + timedelta(seconds=1)} for entry in stored]
    tamper(told, "DELETE FROM job_status_history")
    with connected(told) as conn:
        conn.execute(insert(schema.job_status_history), list(chain((0, GENESIS), forged)))
        conn.commit()
    mend(told)
    assert audit(findings=False)["head"] != head
    assert [finding["check"] for finding in audit("--head", head)["findings"]] == ["head"]


def test_a_head_of_an_earlier_day_is_still_in_the_chain(told):
    with connected(told) as conn:
        for entry in rows(told, "job_status_history"):
            assert not check_history(conn, entry["row_hash"]).findings
        assert [finding["check"] for finding in check_history(conn, "f" * 64).findings] == ["head"]


def test_the_head_that_status_prints_is_one_that_audit_accepts(told, tmp_path, capsys):
    program = Program(tmp_path, environ("https://backend.example.invalid", database_url=told))
    said, _ = program.call(capsys, "status")
    head = said.split(" head ")[1].split()[0]
    program.call(capsys, "audit", "--head", head)


CONTRADICTIONS = {
    "UPDATE jobs SET status = 2 WHERE id = 11": [11],
    "UPDATE jobs SET status = 7": [*range(1, 13)],
    "UPDATE jobs SET presence = 'gone' WHERE id = 11": [11],
    "UPDATE jobs SET presence = 'listed' WHERE id = 3": [3],
    "UPDATE field_changes SET new_value = 'missing' WHERE entity_id = 3 AND field = 'presence'": [3],
    "DELETE FROM job_status_history WHERE job_id = 5": [5],
}


def test_a_job_that_contradicts_its_history_is_named(told):
    lift(told)
    with connected(told) as conn:
        for statement, jobs in CONTRADICTIONS.items():
            conn.execute(text(statement))
            assert places(check_history(conn).findings, "agreement") == [(None, job) for job in jobs], statement
            conn.rollback()
        assert not of_history(conn)


def test_a_job_removed_is_named(told, audit, dialect):
    lift(told)
    off, on = (
        ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
        if dialect == "sqlite"
        else ("SET session_replication_role = replica", "SET session_replication_role = origin")
    )
    with connected(told) as conn:
        conn.exec_driver_sql("COMMIT" if dialect == "sqlite" else "SELECT 1")
        conn.exec_driver_sql(off)
        conn.exec_driver_sql("DELETE FROM job_ml_models WHERE job_id = 5")
        conn.exec_driver_sql("DELETE FROM jobs WHERE id = 5")
        conn.exec_driver_sql(on)
        conn.exec_driver_sql("BEGIN" if dialect == "sqlite" else "SELECT 1")
        conn.commit()
    assert not rows(told, "jobs", id=5)
    assert 5 in [finding["job_id"] for finding in audit()["findings"]]


def test_findings_are_shown_to_people_too(told, tmp_path, capsys):
    tamper(told, "UPDATE jobs SET status = 2 WHERE id = 11")
    program = Program(tmp_path, environ("https://backend.example.invalid", database_url=told))
    said, _ = program.call(capsys, "audit", code=3)
    for word in ("agreement", "11", "status is 2", "the last entry says -1", "head"):
        assert word in said


# What the guards refuse besides what test_migrations tries: the ways around the history through its neighbours

CHANGE = "id, entity, entity_id, field, old_value, new_value, observed_at, sync_run_id"
FORGED = "SELECT id, entity, entity_id, field, 'a', 'b', observed_at, sync_run_id FROM field_changes WHERE id = 1"
REFUSED = {
    "both": [
        "DELETE FROM jobs",
        "DELETE FROM sync_runs",
        "UPDATE jobs SET id = id + 1000",
        f"INSERT INTO field_changes ({CHANGE}) {FORGED} ON CONFLICT (id) DO UPDATE SET new_value = 'b'",
    ],
    "sqlite": ["REPLACE INTO jobs SELECT * FROM jobs WHERE id = 5"],
    "postgresql": [
        "TRUNCATE jobs CASCADE",
        "TRUNCATE sync_runs CASCADE",
        "MERGE INTO field_changes a USING field_changes b ON a.id = b.id WHEN MATCHED THEN UPDATE SET new_value = 'b'",
    ],
}


def test_no_statement_about_a_neighbour_changes_or_removes_a_row_of_the_history(told, dialect):
    before = {table: dump(told)[table] for table in GUARDED}
    for statement in REFUSED["both"] + REFUSED[dialect]:
        with connected(told) as conn, suppress(DBAPIError):
            conn.execute(text(statement))
            conn.commit()
        assert {table: dump(told)[table] for table in GUARDED} == before, statement


# The chain itself

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
FIXED: list[dict[str, Any]] = [
    {"job_id": 7, "seq": 1, "from_status": None, "to_status": 0, "not_before": None, "observed_at": MOMENT,
     "occurred_at": datetime(2026, 1, 2, tzinfo=UTC), "sync_run_id": 1},
    {"job_id": 2**40, "seq": 1, "from_status": None, "to_status": -2, "not_before": None,
     "observed_at": MOMENT + timedelta(microseconds=1), "occurred_at": None, "sync_run_id": 1},
    {"job_id": 7, "seq": 2, "from_status": 0, "to_status": 2, "not_before": MOMENT,
     "observed_at": datetime(2026, 1, 3, tzinfo=UTC), "occurred_at": MOMENT + timedelta(hours=1), "sync_run_id": 1},
]  # fmt: skip
HASHES = [
    "f8de694c93ad08adabd6874ab5455749f555fbc5ea42f13ce12060c6de5bccfb",
    "4b7b4cf9407e6a5a8f69581af698991a3501705259faa4385f4cef77e87860b6",
    "5cf211845cfe123a5e5c4821051d94f2ea9414d6464fc58c5cdb04bc60b637c9",
]


def test_the_chain_is_the_one_that_is_documented():
    """The same for ever, or every mirror's head that somebody kept is worth nothing."""
    assert sha256(b"tpmirror job_status_history 1").hexdigest() == GENESIS
    first = f'["{GENESIS}",1,7,1,null,0,null,"2026-01-02T03:04:05.678901+00:00","2026-01-02T00:00:00.000000+00:00",1]'
    chained = list(chain((0, GENESIS), FIXED))
    assert chained[0]["row_hash"] == sha256(first.encode()).hexdigest()
    assert [entry["row_hash"] for entry in chained] == HASHES
    assert [entry["entry"] for entry in chained] == [1, 2, 3]
    assert list(chain((2, HASHES[1]), FIXED[2:])) == chained[2:], "in batches as in one piece"


def test_the_hash_does_not_depend_on_how_a_time_is_written():
    entry = {**FIXED[0], "entry": 1}
    abroad = {**entry, "observed_at": MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))}
    assert row_hash(GENESIS, abroad) == row_hash(GENESIS, entry) == HASHES[0]


def test_the_chain_is_the_same_in_both_databases(mirror_url):
    with connected(mirror_url) as conn:
        run = {"id": 1, "kind": "full", "outcome": "succeeded", "certified": False, "started_at": MOMENT}
        conn.execute(insert(schema.sync_runs), [run])
        seen = {"status": 2, "first_seen_at": MOMENT, "changed_at": MOMENT, "presence": "listed", "fingerprint": ""}
        conn.execute(insert(schema.jobs), [{"id": 7, **seen}, {"id": 2**40, **seen}])
        conn.execute(insert(schema.job_status_history), list(chain((0, GENESIS), FIXED)))
        conn.commit()
    previous = GENESIS
    for entry in sorted(rows(mirror_url, "job_status_history"), key=lambda entry: entry["entry"]):
        previous = row_hash(previous, entry)
        assert previous == entry["row_hash"] == HASHES[entry["entry"] - 1]
