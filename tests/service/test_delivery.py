"""Delivery to sinks: at least once, in order, with patience, one replica at a time."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.account import mirror, query, row, rows, tamper
from tests.support.receiver import Receiver
from tpmirror.config import load
from tpmirror.db.engine import connected, read, write
from tpmirror.service import delivery
from tpmirror.service.delivery import LADDER, Delivery, delay_after, redeliver, rewind
from tpmirror.service.metrics import Metrics
from tpmirror.service.webhooks import Webhooks
from tpmirror.store import events
from tpmirror.store.health import problems_of_mirror
from tpmirror.store.status import read_status


class Sinks:
    """A mirror with two sinks and the service that delivers to them."""

    def __init__(self, folder, engine):
        self.engine = engine
        keys = ["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2)]
        self.crm, self.chat = (Receiver(key) for key in keys)
        self.file = folder / "secrets"
        self.file.write_text(f"crm {keys[0]}\nchat {keys[1]}\n")
        self.file.chmod(0o600)
        self.outcomes, self.opened = [], []

    @property
    def variables(self):
        urls = f"crm={self.crm.url} chat={self.chat.url}"
        return {"TPMIRROR_WEBHOOK_URLS": urls, "TPMIRROR_WEBHOOK_SECRET_FILE": str(self.file)}

    def webhooks(self):
        self.opened.append(Webhooks(load(self.variables)))
        return self.opened[-1]

    def delivery(self):
        return Delivery(self.engine, self.webhooks(), lambda sink, outcome: self.outcomes.append((sink, outcome)))

    def turn(self, made=None):
        made = made or self.delivery()
        for sink in ("crm", "chat"):
            made.turn(sink)

    def state(self, name="crm"):
        return next(found for found in read(self.engine, events.sinks) if found.sink == name)

    def hurry(self):
        """As if the pause after a failure were over."""
        write(self.engine, lambda conn: conn.exec_driver_sql("UPDATE event_cursors SET next_try_at = NULL"))


@pytest.fixture
def sinks(tmp_path, engine):
    made = Sinks(tmp_path, engine)
    with made.crm, made.chat:
        yield made
        for webhooks in made.opened:
            webhooks.close()


@pytest.fixture
def waiting(sinks, mirrored):
    """Two sinks that the last five events wait for."""
    sinks.turn()
    tamper(mirrored, "UPDATE event_cursors SET entry = entry - 5")
    return sinks


def newest(sinks):
    return read(sinks.engine, events.head)


def test_nothing_of_the_first_full_sync_is_sent_and_everything_after_it_is(sinks, world, sim, mirror_url):
    made = sinks.delivery()
    sinks.turn(made)
    mirror(sim, mirror_url)
    world.submit()
    mirror(sim, mirror_url)
    sinks.turn(made)
    assert sinks.crm.delivered == sinks.chat.delivered == [newest(sinks)]
    (entry,) = rows(mirror_url, "job_status_history", entry=newest(sinks))
    (one,) = sinks.crm.received
    assert one.id == f"tps_{entry['row_hash'][:32]}"
    assert one.event["data"]["job_id"] == entry["job_id"]
    sinks.turn(made)
    assert len(sinks.crm.received) == 1


def test_events_come_in_order_each_sink_at_its_own_pace(waiting, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    waiting.chat.answer = lambda _event: 503
    waiting.turn()
    assert waiting.crm.delivered == list(range(newest(waiting) - 4, newest(waiting) + 1))
    assert (waiting.state("chat").lag, waiting.state("chat").last_error) == (5, "HTTP 503")
    waiting.turn()
    assert len(waiting.chat.received) == 1
    assert waiting.outcomes.count(("crm", "delivered")) == 5
    assert waiting.outcomes[-1] == ("chat", "failed")


@pytest.mark.parametrize(("status", "tries"), [
    (None, 8), (408, 8), (409, 8), (425, 8), (429, 8), (500, 8), (503, 8), (302, 8), (400, 2), (404, 2), (422, 2),
])  # fmt: skip
def test_the_ladder_is_as_long_as_the_answer_deserves(status, tries):
    delays = [delay_after(attempts, status) for attempts in range(1, tries + 1)]
    assert delays == [*LADDER[: tries - 1], None]


@pytest.mark.parametrize(("status", "tries"), [(400, 2), (503, 8)])
def test_an_event_that_is_never_taken_is_given_up_and_the_next_one_is_sent(waiting, mirror_url, status, tries):
    first = newest(waiting) - 4
    waiting.crm.answer = lambda event: status if event["data"]["entry"] == first else 204
    made = waiting.delivery()
    for attempt in range(1, tries):
        before = datetime.now(UTC)
        made.turn("crm")
        pause = waiting.state().next_try_at - before
        assert timedelta(0) <= pause - timedelta(seconds=LADDER[attempt - 1]) < timedelta(seconds=60)
        assert waiting.state().attempts == attempt
        waiting.hurry()
    made.turn("crm")
    made.turn("crm")
    assert waiting.crm.delivered == list(range(first + 1, newest(waiting) + 1))
    given_up = row(mirror_url, "event_deliveries_dead")
    assert (given_up["sink"], given_up["entry"], given_up["last_error"]) == ("crm", first, f"HTTP {status}")
    assert [code for code in codes(waiting) if "crm" in code] == ["sink_dead:crm"]
    waiting.crm.answer = lambda _event: 204
    assert list(redeliver(waiting.engine, waiting.webhooks(), "crm")) == [(first, None)]
    assert waiting.crm.delivered[-1] == first
    assert len({one.id for one in waiting.crm.received}) == 5
    assert codes(waiting) == []


def codes(sinks, later=0.0, **variables):
    now = datetime.now(UTC) + timedelta(seconds=later)
    status = read(sinks.engine, read_status)
    found = problems_of_mirror(status, load({**sinks.variables, **variables}), now)
    return [problem.code for problem in found if problem.code.startswith("sink_")]


def test_410_disables_a_sink_until_somebody_redelivers(waiting):
    waiting.crm.answer = lambda _event: 410
    made = waiting.delivery()
    made.turn("crm")
    made.turn("crm")
    assert len(waiting.crm.received) == 1
    assert codes(waiting, later=3600) == ["sink_behind:chat", "sink_disabled:crm"]
    waiting.crm.answer = lambda _event: 204
    assert list(redeliver(waiting.engine, waiting.webhooks(), "crm")) == []
    made.turn("crm")
    assert len(waiting.crm.delivered) == 5


def test_a_sink_is_behind_after_a_quarter_of_an_hour_if_it_is_set(waiting):
    assert codes(waiting) == []
    assert codes(waiting, later=901) == ["sink_behind:chat", "sink_behind:crm"]
    assert codes(waiting, later=901, TPMIRROR_WEBHOOK_URLS="crm=https://elsewhere") == ["sink_behind:crm"]


def test_all_there_is_can_be_sent_again(sinks, mirrored):
    sinks.turn()
    assert sinks.crm.received == []
    assert rewind(sinks.engine, "crm", 0) == newest(sinks)
    sinks.turn()
    assert sinks.crm.delivered == list(range(1, newest(sinks) + 1))
    assert sinks.chat.received == []


def test_a_secret_that_was_replaced_signs_from_the_next_event_on(waiting):
    made = waiting.delivery()
    with Receiver("whsec_" + base64.b64encode(b"n" * 32).decode()) as new:
        text = waiting.file.read_text().splitlines()[1]
        waiting.file.write_text(f"crm {new.secret}\n{text}\n")
        waiting.crm.secret = new.secret
        made.turn("crm")
    assert len(waiting.crm.delivered) == 5


def test_a_file_of_secrets_that_cannot_be_read_costs_no_try(waiting, caplog):
    made = waiting.delivery()
    waiting.file.rename(waiting.file.with_name("away"))
    made.turn("crm")
    made.turn("crm")
    assert (waiting.state().attempts, waiting.state().next_try_at) == (0, None)
    assert sum("events cannot be sent" in record.getMessage() for record in caplog.records) == 1
    waiting.file.with_name("away").rename(waiting.file)
    made.turn("crm")
    assert len(waiting.crm.delivered) == 5


def test_two_replicas_send_nothing_twice(waiting, mirror_url):
    with connected(mirror_url) as other:
        second = Delivery(other, waiting.webhooks(), lambda *_: None)

        def answer(_event):
            second.turn("crm")  # the other one finds the sink claimed
            return 204

        waiting.crm.answer = answer
        waiting.delivery().turn("crm")
    assert waiting.crm.delivered == list(range(newest(waiting) - 4, newest(waiting) + 1))


def test_a_process_that_lost_its_claim_records_nothing_and_sends_no_more(waiting):
    """As after a pause longer than the term: another one has claimed the sink."""
    later = datetime.now(UTC) + 2 * events.TERM

    def answer(_event):
        assert write(waiting.engine, lambda conn: events.claim(conn, "crm", later))
        return 204

    waiting.crm.answer = answer
    waiting.delivery().turn("crm")
    assert len(waiting.crm.received) == 1
    assert waiting.state().lag == 5


def test_what_is_asked_to_stop_ends_after_the_event_under_way_and_holds_nothing(waiting):
    made = waiting.delivery()

    def answer(_event):
        made.stop()
        return 204

    waiting.crm.answer = answer
    made.turn("crm")
    made.turn("crm")
    assert (len(waiting.crm.received), waiting.state().lag, waiting.state().next_try_at) == (1, 4, None)
    assert not made.busy


def test_the_command_line_tests_lists_and_redelivers(waiting, tpmirror, program):
    program.variables |= waiting.variables
    said = tpmirror("events", "test")[0]
    assert said.splitlines() == [
        f"{name} (http://127.0.0.1:{receiver.url.split(':')[3].partition('/')[0]}/hook): delivered"
        for name, receiver in (("crm", waiting.crm), ("chat", waiting.chat))
    ]
    assert waiting.crm.received[0].event["type"] == "test"
    waiting.crm.answer = lambda _event: 404
    waiting.delivery().turn("crm")
    waiting.hurry()
    waiting.delivery().turn("crm")
    assert "not every sink took the event" in tpmirror("events", "test", code=1)[1]
    assert "crm does not take entry" in tpmirror("events", "redeliver", "--sink", "crm", code=1)[1]
    listed = json.loads(tpmirror("events", "list", "--json")[0])
    (chat, crm), (given_up,) = listed["sinks"], listed["dead"]
    assert (chat["lag"], crm["lag"], crm["dead"], given_up["entry"]) == (5, 4, 1, newest(waiting) - 4)
    assert "HTTP 404" in tpmirror("events", "list")[0]
    waiting.crm.answer = lambda _event: 204
    assert f"entry {given_up['entry']} delivered to crm" in tpmirror("events", "redeliver", "--sink", "crm")[0]
    assert "3 events after entry" in tpmirror("events", "redeliver", "--sink", "crm", "--after", newest(waiting) - 3)[0]
    assert "has no sink 'nope'" in tpmirror("events", "redeliver", "--sink", "nope", code=2)[1]
    assert "the newest one is" in tpmirror("events", "redeliver", "--sink", "crm", "--after", 10**6, code=2)[1]
    assert "1 event " not in tpmirror("status")[0]


def test_no_message_and_no_row_shows_a_secret(waiting, tpmirror, program, caplog, mirror_url):
    program.variables |= waiting.variables
    waiting.crm.answer = lambda _event: 500
    waiting.turn()
    said = [*tpmirror("events", "list"), *tpmirror("events", "list", "--json"), *tpmirror("events", "test", code=1)]
    said += [caplog.text, repr(load(waiting.variables)), str(query(mirror_url, "SELECT * FROM event_cursors"))]
    assert "crm" in "".join(said)
    assert [text for text in said if "hush" in text or "whsec" in text] == []


def test_what_becomes_of_tries_is_counted(waiting):
    metrics = Metrics()
    Delivery(waiting.engine, waiting.webhooks(), metrics.on_delivery).turn("crm")
    labels = {"sink": "crm", "outcome": "delivered"}
    assert metrics.registry.get_sample_value("tpmirror_webhook_deliveries_total", labels) == 5
