"""What one item of a page may be, one row a case: the others are mirrored, and the odd one as far as it can be.

A value that no column holds is null, with a note; an item that cannot be read lies in quarantine as it came; one
without a readable id voids the proof. Each job of an account is one case, so a single full sync meets them all.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.account import KEY, rows, tamper
from tests.support.strategies import scanned
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

ODD = "a odd text"
LONG = random.Random(1).randbytes(4500).hex()
GONE = object()
"""A key that is not there."""


@dataclass(frozen=True)
class Case:
    """A row: how the item is spoilt, and what the mirror holds of it."""

    what: str
    fields: dict[str, Any]
    column: str = "id"
    held: Any = None
    noted: bool = True
    """Whether it lies in quarantine, for a field or because it could not be read."""
    read: bool = True
    raw: Callable[[bytes], bytes] = bytes


def unread(what: str, fields: dict[str, Any], raw: Callable[[bytes], bytes] = bytes) -> Case:
    return Case(what, fields, read=False, raw=raw)


def swap(text: bytes) -> Callable[[bytes], bytes]:
    """Put these bytes where the odd text stands, quotes and all."""
    return lambda item: item.replace(f'"{ODD}"'.encode(), text)


TEXT = {"description": ODD}
CASES = [
    Case("NUL in a text", {"description": "a\0b"}, "description", "a\u2400b", noted=False),
    Case("half a surrogate pair", TEXT, "description", "a\ufffdb", noted=False, raw=swap(b'"a\\ud800b"')),
    Case("year 0", {"finished": "0000-01-01T00:00:00Z"}, "finished", None),
    Case("year 10000", {"finished": "10000-01-01T00:00:00Z"}, "finished", None),
    Case("no time at all", {"finished": "yesterday"}, "finished", None),
    Case(
        "no zone", {"finished": "2026-11-01T09:30:00"}, "finished", datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
        noted=False,
    ),
    Case(
        "a time with an offset", {"finished": "2026-11-01T09:30:00+05:45"}, "finished",
        datetime(2026, 11, 1, 3, 45, tzinfo=UTC), noted=False,
    ),
    Case(
        "a leap second", {"finished": "2016-12-31T23:59:60Z"}, "finished",
        datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), noted=False,
    ),
    Case("an integer of 64 bits", {"start_frame": 2**63}, "start_frame", None),
    Case("the largest integer", {"start_frame": 2**63 - 1}, "start_frame", 2**63 - 1, noted=False),
    Case("NaN", {"grain": float("nan")}, "grain", None),
    Case("infinity", TEXT, "grain", None, raw=lambda item: item.replace(b'"grain":', b'"grain":1e999,"was":')),
    Case("a negative cost", {"cost_usd": "-12.3400"}, "cost_usd", Decimal("-12.3400"), noted=False),
    Case("a cost of too many digits", {"cost_usd": "1234567.8"}, "cost_usd", None),
    Case("a status nobody knows", {"status": 9}, "status", 9, noted=False),
    Case("missing keys", {"codec": GONE, "grain": GONE, "input_video": GONE}, "codec", None, noted=False),
    Case("null all over", dict.fromkeys(["started", "cost_usd", "ml_models", "codec"]), "codec", None, noted=False),
    Case("an owner of any length", {"input_video": {"id": 10**6, "owner": LONG}}, noted=False),
    Case("a key nobody knows", {"novel": {"n": [1, "x"]}}, "extra", '{"novel": {"n": [1, "x"]}}', noted=False),
    Case("a status as text", {"status": "2"}, "status", 2, noted=False),
    Case("a flag as a number", {"preview": 1}, "preview", True, noted=False),
    Case("a number as text", {"grain": "0.5"}, "grain", 0.5, noted=False),
    Case("a whole number as a real one", {"stabilization_smoothing": 10.0}, "stabilization_smoothing", 10, noted=False),
    Case("a fraction for a whole number", {"stabilization_smoothing": 10.5}, "stabilization_smoothing", None),
    Case("a video without id", {"input_video": {"name": "x"}}, "input_video_id", None),
    Case("a list of models with none in it", {"ml_models": [None]}),
    Case("a byte that is no UTF-8", TEXT, "description", "a\ufffdb", noted=False, raw=swap(b'"a\xffb"')),
    Case("an integer of 5,000 digits", {"start_frame": 10**5000}, "start_frame", None),
    Case("a value nested too deep", TEXT, raw=lambda item: item[:-1] + b',"x":' + b"[" * 99 + b"]" * 99 + b"}"),
    unread("a status that is a word", {"status": "finished"}),
    unread("a status that is true", {"status": True}),
    unread("no status", {"status": GONE}),
    unread("a key twice", TEXT, lambda item: item[:-1] + b',"codec":"x"}'),
]  # fmt: skip
NAMELESS: list[dict[str, Any]] = [
    {"id": True}, {"id": 1.5}, {"id": "twelve"}, {"id": None}, {"id": GONE}, {"id": 0}, {"id": -7}, {"id": 2**63},
    {"id": [3]}, {"id": 10**5000},
]  # fmt: skip


def spoilt(item: dict[str, Any], fields: dict[str, Any]) -> bytes:
    made = {name: value for name, value in {**item, **fields}.items() if value is not GONE}
    huge = {name: value for name, value in made.items() if type(value) is int and value > 10**100}
    text = json.dumps({**made, **dict.fromkeys(huge, "huge")}, separators=(",", ":")).encode()
    return text.replace(b'"huge"', b"9" * 5000)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(World(seed=6, jobs=60, in_flight=0, jobs_per_day=0), token=KEY, page_cap=20) as simulator:
        yield simulator


def spoil(sim: Simulator, change: Callable[[dict[str, Any]], bytes]) -> None:
    """Let every item pass through ``change`` on its way out, in the list and by its id."""

    def respond(request: Request) -> Response:
        answer = sim.answer(request)
        document = json.loads(answer.body)
        if answer.status == 200 and "results" in document:
            results, document["results"] = document["results"], "here"
            page = json.dumps(document).encode().replace(b'"here"', b"[%s]" % b",".join(map(change, results)))
            return Response(200, {"Content-Type": "application/json"}, page)
        return Response(answer.status, answer.headers, change(document)) if answer.status == 200 else answer

    sim.respond = respond


def without_queries(raw: bytes) -> bytes:
    return re.sub(rb'\?X-Amz[^"]*', b"", raw)


def test_each_odd_item_is_held_as_far_as_it_can_be_and_the_others_whole(sim, program, mirror_url, capsys):
    by_job = dict(enumerate(CASES, start=10))
    sent: dict[int, bytes] = {}

    def change(item: dict[str, Any]) -> bytes:
        case = by_job.get(item["id"])
        raw = case.raw(spoilt(item, case.fields)) if case else json.dumps(item).encode()
        sent[item["id"]] = raw
        return raw

    spoil(sim, change)
    run = json.loads(program.call(capsys, "sync", "--json", code=3)[0])
    odd = [case for case in CASES if case.noted]
    told = {name: run["certificate"][name] for name in ("unreadable", "incomplete", "accepted")}
    unreadable = sum(not case.read for case in odd)
    assert told == {"unreadable": unreadable, "incomplete": len(odd) - unreadable, "accepted": 0}
    assert (run["certified"], run["covered"], run["certificate"]["ids_proven"]) == (False, False, True)
    jobs = {row["id"]: row for row in rows(mirror_url, "jobs")}
    listed = json.loads(program.call(capsys, "quarantine", "list", "--json")[0])
    entries = {entry["job_id"]: entry for entry in listed}
    assert jobs.keys() == set(sim.world.ids()) - {job for job, case in by_job.items() if not case.read}
    assert entries.keys() == {job for job, case in by_job.items() if case.noted}
    assert len(listed) == len(entries)
    for job_id, case in by_job.items():
        if case.read:
            assert jobs[job_id][case.column] == (job_id if case.column == "id" else case.held), case.what
        if case.noted:
            payload = entries[job_id]["payload"].encode("ascii")
            assert b"X-Amz-" not in payload, case.what
            wanted = scanned(without_queries(sent[job_id]))
            assert scanned(payload) == wanted or (wanted is None and b"a\\xffb" in payload), case.what
    told = program.call(capsys, "quarantine", "list")[0]
    assert "does not fit 64 bits" in told
    program.call(capsys, "quarantine", "retry", code=3)
    program.call(capsys, "verify", code=3)

    sim.respond = None
    assert "0 entries left" in program.call(capsys, "quarantine", "retry")[0]
    assert json.loads(program.call(capsys, "quarantine", "list", "--json")[0]) == []
    program.call(capsys, "sync")
    program.call(capsys, "verify")
    program.call(capsys, "audit")
    assert len(rows(mirror_url, "jobs")) == 60


def test_items_without_a_readable_id_void_the_proof_and_leave_the_others_alone(sim, program, mirror_url, capsys):
    by_job = dict(enumerate(NAMELESS, start=25))
    others = {50: b"null", 51: b"7", 52: b'"text"', 53: b"[]", 54: b"{}"}

    def change(item: dict[str, Any]) -> bytes:
        return others.get(item["id"]) or spoilt(item, by_job.get(item["id"], {}))

    spoil(sim, change)
    said, _ = program.call(capsys, "sync", code=3)
    assert "Not certified: an item's id cannot be read" in said
    assert {row["id"] for row in rows(mirror_url, "jobs")} == set(sim.world.ids()) - by_job.keys() - others.keys()
    entries = rows(mirror_url, "quarantined_jobs")
    assert (len(entries), {entry["job_id"] for entry in entries}) == (len(by_job) + len(others), {None})

    sim.respond = None
    program.call(capsys, "sync")
    program.call(capsys, "verify")
    assert [entry for entry in rows(mirror_url, "quarantined_jobs") if entry["resolved_at"] is None] == []


def test_items_without_a_readable_id_do_not_pile_up(sim, program, mirror_url, capsys):
    """Their payload is all that they have, and it changes with the ETA."""
    changed: dict[str, Any] = {"id": "x"}
    spoil(sim, lambda item: spoilt(item, changed if item["id"] == 9 else {}))
    for eta in (1.0, 2.0, 3.0):
        changed["eta_s"] = eta
        program.call(capsys, "sync", code=3)
    entries = rows(mirror_url, "quarantined_jobs")
    assert [entry["resolved_at"] is None for entry in entries] == [False, False, True]


def test_a_job_that_is_shown_as_before_again_leaves_quarantine(sim, program, mirror_url, capsys):
    """Its bytes are known, so nothing but its open entry makes the full sync look at it."""
    program.call(capsys, "sync")
    spoil(sim, lambda item: spoilt(item, {"status": "finished"} if item["id"] == 9 else {}))
    program.call(capsys, "sync", code=3)
    assert [row["resolved_at"] for row in rows(mirror_url, "quarantined_jobs")] == [None]
    sim.respond = None
    program.call(capsys, "sync", "--no-certify", code=3)
    (entry,) = rows(mirror_url, "quarantined_jobs")
    assert (entry["job_id"], entry["resolved_at"] is not None) == (9, True)


def test_what_lies_in_quarantine_is_asked_for_again_and_never_stored_as_it_was(sim, program, mirror_url, capsys):
    """The payload that lies there states an old status; it can be read by now, and only its id is used."""
    broken = {"status": 1, "finished": None, "description": ODD}
    spoil(sim, lambda item: swap(rb'"\x41"')(spoilt(item, broken if item["id"] == 60 else {})))
    program.call(capsys, "sync", code=3)
    assert [row["job_id"] for row in rows(mirror_url, "quarantined_jobs")] == [None]
    tamper(mirror_url, """UPDATE quarantined_jobs SET payload = '{"id": 60, "status": 1, "finished": null}'""")
    sim.respond = None
    program.call(capsys, "poll")
    mirrored = rows(mirror_url, "jobs", id=60)
    assert mirrored[0]["status"] != 1
    assert "0 entries left" in program.call(capsys, "quarantine", "retry")[0]
    assert rows(mirror_url, "jobs", id=60) == mirrored
    assert len(rows(mirror_url, "job_status_history", job_id=60)) == 1


def test_a_job_that_is_gone_leaves_quarantine(sim, program, mirror_url, capsys):
    program.call(capsys, "sync")
    spoil(sim, lambda item: spoilt(item, {"status": "finished"} if item["id"] == 9 else {}))
    program.call(capsys, "sync", code=3)
    sim.world.delete(9)
    program.call(capsys, "sync")
    (job,), (entry,) = rows(mirror_url, "jobs", id=9), rows(mirror_url, "quarantined_jobs")
    assert (job["presence"], entry["job_id"], entry["resolved_at"] is not None) == ("gone", 9, True)


def test_a_model_changes_also_when_the_newest_job_that_used_it_is_gone(sim, program, mirror_url, capsys):
    model = {"id": 9999, "name": "before", "task": 1, "cost_weight": 1.0}
    spoil(sim, lambda item: spoilt(item, {"ml_models": [model]}))
    program.call(capsys, "sync")
    sim.world.delete(60)
    program.call(capsys, "sync")
    model["name"] = "after"
    program.call(capsys, "sync")
    assert rows(mirror_url, "ml_models", id=9999)[0]["name"] == "after"
    program.call(capsys, "verify")
    model["name"] = "at the same time"
    sim.world.delete(59)
    program.call(capsys, "sync")
    program.call(capsys, "sync")
    assert rows(mirror_url, "ml_models", id=9999)[0]["name"] == "at the same time"
    program.call(capsys, "verify")


def test_an_item_that_means_nothing_changes_no_model_and_is_not_taken_for_seen(sim, program, mirror_url, capsys):
    program.call(capsys, "sync")
    models = rows(mirror_url, "ml_models")
    twice = swap(b'"codec","codec":"x"')

    def change(item: dict[str, Any]) -> bytes:
        renamed = [{**model, "name": "never so"} for model in item["ml_models"]]
        return twice(spoilt(item, {"ml_models": renamed, "codec": ODD} if item["id"] == 60 else {}))

    spoil(sim, change)
    program.call(capsys, "poll")
    program.call(capsys, "sync", code=3)
    assert rows(mirror_url, "ml_models") == models
    assert rows(mirror_url, "sync_runs")[-1]["jobs_seen"] == 60
    (entry,) = rows(mirror_url, "quarantined_jobs")
    assert (entry["job_id"], entry["reason"]) == (60, "a key stands twice in one object")


def test_a_new_job_that_means_nothing_and_is_deleted_during_the_full_sync_fails_no_run(
    sim, program, mirror_url, capsys
):
    def change(item: dict[str, Any]) -> bytes:
        return spoilt(item, {})[:-1] + b',"codec":"x"}' if item["id"] == 60 else spoilt(item, {})

    spoil(sim, change)
    answer = sim.respond

    def respond(request: Request) -> Response | None:
        if request.query.get("limit") == "1" and 60 in sim.world.ids():
            sim.world.delete(60)
        return answer(request)

    sim.respond = respond
    program.call(capsys, "sync")
    assert [run["outcome"] for run in rows(mirror_url, "sync_runs")] == ["succeeded"]
