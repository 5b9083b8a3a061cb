"""People are told once of each thing that is wrong, and once when it is over: through a real webhook."""

import io
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from tests.support.account import KEY, connected, mirror, query, rows, settings
from tests.support.program import Program
from tests.support.webhook import Webhook
from tpmirror import log
from tpmirror.credentials import Secret
from tpmirror.db import schema
from tpmirror.db.engine import write
from tpmirror.db.migrate import downgrade, upgrade
from tpmirror.errors import UsageError
from tpmirror.service.alerting import Alerter
from tpmirror.service.notifier import Notifier
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import alerts
from tpmirror.store.health import Problem
from tpmirror.store.status import MirrorStatus, credits_since
from tpmirror.sync.poll import poll

NOW = datetime.now(UTC)
FRESH = MirrorStatus(certified_at=NOW)


@pytest.fixture
def hook():
    with Webhook() as receiver:
        yield receiver


@pytest.fixture
def sim():
    with Simulator(World(seed=5, jobs=30, in_flight=3, jobs_per_day=0, now=NOW), token=KEY) as simulator:
        yield simulator


def alerter(hook, engine, status, **options):
    """A new one each time, as after a restart: it remembers nothing itself."""
    from tpmirror.config import load

    chosen = load({f"TPMIRROR_{name.upper()}": str(value) for name, value in options.items()})
    return Alerter(chosen, engine, lambda: status, Notifier([Secret(hook.url)]))


def test_told_once_and_once_when_it_is_over(hook, engine):
    for status in (
        FRESH,
        MirrorStatus(certified_at=NOW, waiting=2),
        MirrorStatus(certified_at=NOW, waiting=3),
        FRESH,
        FRESH,
    ):
        alerter(hook, engine, status).send_due()
    assert hook.titles() == ["2 vanished jobs wait for an operator", "solved: 2 vanished jobs wait for an operator"]
    assert "tpmirror gone list" in hook.posts[0]["message"]
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=1)).send_due()
    assert hook.titles()[2:] == ["1 vanished job waits for an operator"]


def test_what_could_not_be_told_is_told_later_unless_it_is_over_by_then(hook, engine, mirror_url):
    hook.status = 500
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=2)).send_due()
    assert [alert["notified_at"] for alert in rows(mirror_url, "alerts")] == [None]
    hook.status = 200
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=2)).send_due()
    assert hook.posts == [], "it is tried again after a minute, not at once"
    with connected(mirror_url) as conn:
        conn.execute(update(schema.alerts).values(attempted_at=NOW - timedelta(minutes=2)))
        conn.commit()
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=2)).send_due()
    assert len(hook.posts) == 1


def test_two_replicas_tell_it_once(engine):
    later = NOW + timedelta(seconds=1)

    def look(conn, now):
        alerts.record(conn, [Problem("stale", "old", "look")], now)
        return alerts.claim(conn, now)

    first = write(engine, lambda conn: look(conn, later))
    second = write(engine, lambda conn: look(conn, NOW))  # it looked at its clock before, and waited for the other
    assert ([alert["code"] for alert in first], second) == (["stale"], [])


def test_a_job_that_fails_upstream_is_told_once_and_old_failures_are_not(hook, engine, sim, mirrored):
    assert query(mirrored, "SELECT count(*) FROM jobs WHERE status = -1")[0][0] > 0
    alerter(hook, engine, FRESH).send_due()
    assert hook.posts == [], "what a first full sync found failed long ago is no news"
    sim.world.fail(29)
    poll(settings(sim, mirrored))
    for _ in range(2):
        alerter(hook, engine, FRESH).send_due()
    (post,) = hook.posts
    assert post["title"].startswith("tpmirror: job 29 failed upstream at ")


def test_a_budget_is_told_once_a_day(hook, engine):
    spent = MirrorStatus(certified_at=NOW, credits_today=Decimal("10.5"))
    for status in (spent, spent, FRESH, spent):
        alerter(hook, engine, status, budget_daily=10).send_due()
    (title,) = hook.titles()
    assert title.startswith("10.50 Credits were spent in the day ")


def test_what_was_spent_is_what_the_view_says(sim, engine, mirrored):
    days = query(mirrored, "SELECT day, credits FROM daily_costs WHERE day IS NOT NULL ORDER BY day DESC LIMIT 9")
    since = str(days[-1][0])
    with connected(mirrored) as conn:
        spent = credits_since(conn, datetime.fromisoformat(since).date())
    assert spent == sum((Decimal(str(credits_)) for _, credits_ in days), Decimal(0)) > 0


def test_many_alerts_come_in_one_message(hook, engine, sim, mirror_url):
    world = World(seed=5, jobs=30, in_flight=25, jobs_per_day=0, now=NOW)
    sim.world = world
    mirror(sim, mirror_url)
    for job_id in world.listed(active_only=True):
        world.fail(job_id)
    poll(settings(sim, mirror_url))
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=2)).send_due()
    (post,) = hook.posts
    assert post["title"] == "tpmirror: 2 vanished jobs wait for an operator (and 25 more)"
    assert post["message"].count("What to do") == 10
    assert "And 16 more" in post["message"]
    assert all(alert["notified_at"] for alert in rows(mirror_url, "alerts"))


def test_a_service_that_takes_nothing_is_not_tried_with_all_that_waits(hook, engine):
    hook.status = 500
    many = [Problem(f"job_failed:{job}:1", f"job {job} failed", "look") for job in range(25)]
    write(engine, lambda conn: alerts.record(conn, many, NOW))
    alerter(hook, engine, FRESH).send_due()
    assert hook.asked == 1


def test_an_alert_that_was_tried_by_a_clock_ahead_is_tried_again(hook, engine, mirror_url):
    hook.status = 500
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=2)).send_due()
    with connected(mirror_url) as conn:
        conn.execute(update(schema.alerts).values(attempted_at=NOW + timedelta(days=365)))
        conn.commit()
    hook.status = 200
    alerter(hook, engine, MirrorStatus(certified_at=NOW, waiting=2)).send_due()
    assert len(hook.posts) == 1


@pytest.mark.parametrize("revision", ["base", "0001"])
def test_that_there_is_no_mirror_of_this_version_is_told_in_time(hook, engine, revision, monkeypatch, caplog):
    downgrade(engine, revision)
    waiting = alerter(hook, engine, FRESH)
    waiting.send_due()
    assert (hook.posts, caplog.text) == ([], ""), "so does every mirror begin"
    monkeypatch.setattr("tpmirror.service.alerting.AWAY", -1)
    for _ in range(2):
        waiting.send_due()
    upgrade(engine)
    waiting.send_due()
    assert hook.titles() == ["the database cannot be used", "solved: the database can be used again"]
    assert "tpmirror doctor" in hook.posts[0]["message"]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_alerts_that_cannot_be_kept_are_told_in_the_log_once(hook, engine, caplog):
    with engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE alerts")
    broken = alerter(hook, engine, FRESH)
    for _ in range(3):
        broken.send_due()
    assert caplog.text.count("no such table: alerts") == 1


def test_alert_test_sends_to_every_service_and_shows_no_secret(hook, tmp_path, capsys):
    program = Program(tmp_path, {"TPMIRROR_ALERT_URLS": f"{hook.url} json://user:hush-hush@127.0.0.1:9/none"})
    said, complained = program.call(capsys, "alert", "test", code=1)
    assert said == "json (1): delivered\njson (2): not delivered\n"
    assert complained.startswith("error: not every service took the message")
    assert hook.titles() == ["test"]
    assert "hush" not in said + complained


def test_the_log_shows_no_secret_of_an_alert_at_any_level(hook):
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure("json", "debug", stream)
    try:
        Notifier([Secret(hook.url.replace("/hook", "/hush-hush"))]).send("title", "body")
        logging.getLogger("urllib3.connection").warning("Failed to parse headers (url=http://host/hush-hush)")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger(log.OURS).setLevel(logging.NOTSET)
    assert hook.posts
    assert "hush" not in stream.getvalue()


@pytest.mark.parametrize("url", ["bogus://user:hush-hush@host", "hush-hush", "hush-hush:abc", "json://"])
def test_a_url_that_nobody_understands_is_refused_without_being_shown(url):
    with pytest.raises(UsageError, match="entry") as caught:
        Notifier([Secret(url)])
    assert "hush" not in str(caught.value)
