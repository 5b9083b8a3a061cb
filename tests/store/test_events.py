"""How far each sink has come: claims, cursors, and what was given up, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.account import mirror, query, row, rows, tamper
from tpmirror.db.engine import read, write
from tpmirror.store import events

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def sink(mirrored, engine):
    """A sink that has everything but the last three events."""
    write(engine, lambda conn: events.enroll(conn, "crm"))
    tamper(mirrored, "UPDATE event_cursors SET entry = entry - 3")
    return "crm"


def claim(engine, now=NOW):
    return write(engine, lambda conn: events.claim(conn, "crm", now))


def of_type(engine, name):
    return read(engine, lambda conn: events.after(conn, 0, 1000, types=[name]))


def state(engine):
    (found,) = read(engine, events.sinks)
    return found


def test_an_event_states_a_transition_with_what_the_mirror_holds_of_the_job(mirrored, engine):
    first, *_ = found = read(engine, lambda conn: events.after(conn, 0, 1000))
    history = rows(mirrored, "job_status_history")
    assert [event.entry for event in found] == sorted(entry["entry"] for entry in history)
    (entry,) = (entry for entry in history if entry["entry"] == 1)
    assert first.id == f"tps_{entry['row_hash'][:32]}"
    job = row(mirrored, "jobs", id=entry["job_id"])
    assert first.body["type"] == events.NAMED[entry["to_status"]]
    assert first.body["timestamp"] == entry["observed_at"]
    assert first.body["schema_version"] == 1
    assert list(first.body["data"]) == [
        "entry", "job_id", "from", "to", "not_before", "observed_at", "occurred_at", "credits", "input_name",
        "output_name",
    ]  # fmt: skip
    assert first.body["data"]["credits"] == (0 if job["preview"] else job["cost_usd"])
    assert first.body["data"]["input_name"] == row(mirrored, "input_videos", id=job["input_video_id"])["name"]
    owners = [owner for (owner,) in query(mirrored, "SELECT owner FROM input_videos WHERE owner IS NOT NULL")]
    assert owners
    assert [secret for secret in ("://", *owners) if secret in str(found)] == []


def test_a_preview_costs_nothing_and_a_code_without_a_name_has_a_type(mirrored, engine):
    tamper(mirrored, "UPDATE jobs SET preview = (id = 1), cost_usd = 2.5")
    found = {event.body["data"]["job_id"]: event for event in read(engine, lambda conn: events.after(conn, 0, 1000))}
    assert [str(found[job].body["data"]["credits"]) for job in (1, 2)] == ["0.0000", "2.5000"]
    kinds = {name: of_type(engine, name) for name in events.TYPES}
    assert sum(map(len, kinds.values())) == len(found)
    assert {event.body["type"] for name in kinds for event in kinds[name]} == {name for name in kinds if kinds[name]}
    assert kinds[events.OTHER] == []


def test_a_sink_that_is_new_begins_at_the_end(mirrored, engine):
    write(engine, lambda conn: events.enroll(conn, "crm"))
    newest = query(mirrored, "SELECT max(entry) FROM job_status_history")[0][0]
    assert (state(engine).entry, state(engine).lag) == (newest, 0)
    assert claim(engine) is None
    assert not read(engine, lambda conn: events.is_due(conn, "crm", NOW))


def test_a_sink_that_waited_begins_where_the_first_full_sync_ended(world, sim, mirror_url, engine):
    write(engine, lambda conn: events.enroll(conn, "crm"))
    assert state(engine).entry is None
    assert claim(engine) is None
    assert mirror(sim, mirror_url)["outcome"] == "succeeded"
    end = query(mirror_url, "SELECT max(entry) FROM job_status_history")[0][0]
    world.submit()
    assert mirror(sim, mirror_url)["jobs_inserted"] == 1
    write(engine, lambda conn: events.enroll(conn, "crm"))
    write(engine, lambda conn: events.enroll(conn, "late"))
    begun = {found.sink: (found.entry, found.lag) for found in read(engine, events.sinks)}
    assert begun == {"crm": (end, 1), "late": (end + 1, 0)}


def test_one_process_at_a_time_holds_a_sink_and_another_one_follows_when_its_term_is_over(sink, engine):
    held = claim(engine)
    assert claim(engine) is None
    assert claim(engine, NOW + events.TERM - SECOND) is None
    taken = claim(engine, NOW + events.TERM)
    assert (taken.entry, taken.attempts) == (held.entry, 0)
    before = state(engine)
    assert write(engine, lambda conn: events.advance(conn, held, NOW, keep=True)) is None
    write(engine, lambda conn: events.fail(conn, held, "HTTP 500", NOW))
    write(engine, lambda conn: events.give_up(conn, held, "HTTP 400", NOW))
    write(engine, lambda conn: events.disable(conn, held, "HTTP 410", NOW))
    assert state(engine) == before


def test_a_claim_that_is_kept_moves_on_by_one_entry_at_a_time(sink, engine):
    held = claim(engine)
    following = write(engine, lambda conn: events.advance(conn, held, NOW + SECOND, keep=True))
    assert following is not None
    assert (following.entry, following.until) == (held.entry + 1, NOW + SECOND + events.TERM)
    assert write(engine, lambda conn: events.advance(conn, following, NOW + SECOND, keep=False)) is None
    assert (state(engine).entry, state(engine).next_try_at, state(engine).lag) == (held.entry + 2, None, 1)
    assert claim(engine).entry == held.entry + 2


def test_a_failure_waits_and_its_reason_is_there_until_a_delivery(sink, engine):
    held = claim(engine)
    write(engine, lambda conn: events.fail(conn, held, "HTTP 500", NOW + 5 * SECOND))
    assert (state(engine).attempts, state(engine).last_error) == (1, "HTTP 500")
    assert claim(engine, NOW + 4 * SECOND) is None
    held = claim(engine, NOW + 5 * SECOND)
    assert held.attempts == 1
    write(engine, lambda conn: events.advance(conn, held, NOW, keep=False))
    assert (state(engine).attempts, state(engine).last_error) == (0, None)


def test_a_clock_that_was_set_back_holds_no_sink_up(sink, engine):
    held = claim(engine)
    write(engine, lambda conn: events.fail(conn, held, "HTTP 500", NOW + timedelta(hours=14)))
    assert claim(engine) is None
    assert claim(engine, NOW - timedelta(days=400)) is not None


def test_what_is_given_up_lies_aside_until_it_is_redelivered_or_sent_again(mirrored, sink, engine):
    held = claim(engine)
    write(engine, lambda conn: events.give_up(conn, held, "HTTP 400", NOW))
    assert (state(engine).entry, state(engine).attempts, state(engine).dead) == (held.entry + 1, 0, 1)
    (given_up,) = read(engine, lambda conn: events.dead(conn, sink))
    assert (given_up["entry"], given_up["last_error"], given_up["redelivered_at"]) == (held.entry + 1, "HTTP 400", None)
    write(engine, lambda conn: events.mark_redelivered(conn, sink, held.entry + 1, NOW))
    assert state(engine).dead == 0
    assert read(engine, lambda conn: events.dead(conn, sink)) == []
    assert len(read(engine, events.dead)) == 1
    write(engine, lambda conn: events.rewind(conn, sink, 1))
    assert (rows(mirrored, "event_deliveries_dead"), state(engine).entry) == ([], 1)


def test_a_disabled_sink_gets_nothing_until_it_is_resumed(sink, engine):
    held = claim(engine)
    write(engine, lambda conn: events.disable(conn, held, "HTTP 410", NOW))
    assert state(engine).disabled_at == NOW
    assert claim(engine, NOW + timedelta(days=2)) is None
    write(engine, lambda conn: events.resume(conn, sink))
    assert claim(engine) is not None
