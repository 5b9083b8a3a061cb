"""``/metrics`` says what is so, under names that Prometheus's own linter would let pass."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tpmirror.config import Settings
from tpmirror.errors import MirrorError
from tpmirror.service.metrics import HELP, Metrics, Mirror
from tpmirror.service.watchdog import Watchdog
from tpmirror.store.health import Problem
from tpmirror.store.quarantine import Holding
from tpmirror.store.status import ExportStatus, MirrorStatus

CERTIFIED = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROWS = [{"name": "Finished", "jobs": 7, "credits": 12.5}, {"name": "unknown (9)", "jobs": 1, "credits": None}]


@pytest.fixture
def metrics():
    made = Metrics()
    made.on_run("full", "certified", 2.0, retries=3)
    made.on_run("poll", "failed", 0.1)
    made.on_request("200", 0.03)
    made.on_request("503", 70.0)
    made.on_event("poll", "skipped")
    made.on_delivery("crm", "delivered")
    return made


@pytest.fixture
def watch():
    made = Watchdog(Settings(), MirrorStatus, lambda: 0.5)
    made.status = MirrorStatus(certified_at=CERTIFIED, synced_at=CERTIFIED, in_flight=3, waiting=2, quarantined=1)
    made.status = replace(made.status, holding=Holding(unreadable=3, incomplete=4, accepted=5))
    made.problems = [Problem("stale", "old", "look", critical=True)]
    return made


def families(watch, metrics, jobs=lambda: ROWS):
    metrics.registry.register(Mirror(watch, jobs, lambda: True))
    return list(text_string_to_metric_families(generate_latest(metrics.registry).decode()))


def value(found, name, **labels):
    (sample,) = [one for family in found for one in family.samples if (one.name, one.labels) == (name, labels)]
    return sample.value


def test_every_number_arrives(watch, metrics):
    found = families(watch, metrics)
    assert value(found, "tpmirror_last_certified_timestamp_seconds") == CERTIFIED.timestamp()
    assert value(found, "tpmirror_runs_total", kind="full", outcome="certified") == 1
    assert value(found, "tpmirror_runs_total", kind="poll", outcome="failed") == 1
    assert value(found, "tpmirror_api_requests_total", status="503") == 1
    assert value(found, "tpmirror_api_retries_total") == 3
    assert value(found, "tpmirror_jobs", status="Finished") == 7
    assert value(found, "tpmirror_credits", status="Finished") == 12.5
    assert value(found, "tpmirror_vanished_jobs_waiting") == 2
    assert value(found, "tpmirror_quarantined_payloads") == 1
    held = {
        kind: value(found, "tpmirror_jobs_not_held", kind=kind) for kind in ("unreadable", "incomplete", "accepted")
    }
    assert held == {"unreadable": 3, "incomplete": 4, "accepted": 5}
    assert value(found, "tpmirror_problem", code="stale", critical="true") == 1
    assert value(found, "tpmirror_schedule_events_total", job="poll", event="skipped") == 1


def test_a_proof_dated_in_the_future_is_no_instant_to_alert_by(watch, metrics):
    watch.status = MirrorStatus(certified_at=datetime.now(UTC) + timedelta(days=365))
    assert "tpmirror_last_certified_timestamp_seconds" not in {family.name for family in families(watch, metrics)}


def test_histograms_cumulate_and_agree_with_their_count_and_sum(watch, metrics):
    found = families(watch, metrics)
    name = "tpmirror_api_request_duration_seconds"
    counts = [value(found, f"{name}_bucket", le=le) for le in ("0.01", "0.05", "30.0", "+Inf")]
    assert counts == [0, 1, 1, 2]
    assert (value(found, f"{name}_count"), value(found, f"{name}_sum")) == (2, 70.03)
    assert value(found, "tpmirror_run_duration_seconds_count", kind="full") == 1


def test_a_database_that_is_away_takes_only_its_own_numbers_along(watch, metrics):
    def away():
        raise MirrorError

    found = families(watch, metrics, away)
    assert value(found, "tpmirror_database_up") == 0
    assert value(found, "tpmirror_runs_total", kind="full", outcome="certified") == 1
    assert "tpmirror_jobs" not in {family.name for family in found}


def test_every_metric_is_shown(watch, metrics):
    assert {family.name for family in families(watch, metrics)} == {f"tpmirror_{name}" for name in HELP}


def test_exports_are_counted_from_the_start_and_dated(watch, metrics):
    watch.status = MirrorStatus(exports={"": ExportStatus(since=CERTIFIED, succeeded_at=CERTIFIED)})
    metrics.on_export("succeeded", 2.0)
    found = families(watch, metrics)
    assert value(found, "tpmirror_exports_total", outcome="succeeded") == 1
    assert value(found, "tpmirror_exports_total", outcome="failed") == 0
    assert value(found, "tpmirror_export_duration_seconds_sum") == 2
    assert value(found, "tpmirror_last_export_timestamp_seconds") == CERTIFIED.timestamp()


def test_names_are_as_prometheus_asks(watch, metrics):
    """The rules of ``promtool check metrics``."""
    units = "milliseconds|minutes|hours|days|ms|msec|sec|secs|kb|mb|gb|kilobytes|percent"
    types = "gauge|counter|summary|histogram|untyped|metric"
    for family in families(watch, metrics):
        name = family.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name), name
        assert family.documentation, name
        assert not re.search(rf"(^|_)({units}|{types})(_|$)", name), name
        assert not re.search(r"(_total|_count|_sum|_bucket|_created)$", name), name
        assert (family.type == "counter") == any(sample.name.endswith("_total") for sample in family.samples), name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert all(re.fullmatch(r"[a-z_]+", label) for label in labels), name
        assert not labels & {"le", "quantile", "instance"}, name
        assert not any(label in name.split("_") for label in labels - {"version"}), name
