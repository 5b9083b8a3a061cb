"""What is said to be wrong, and when."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.account import connected, mirror, postdate
from tpmirror.config import Settings
from tpmirror.reports.period import Period
from tpmirror.reports.runs import syncs
from tpmirror.service.watchdog import ProcessStatus, problems_of_process
from tpmirror.store import queries
from tpmirror.store.health import KEY_REFUSED, problems_of_mirror
from tpmirror.store.runs import FUTURE
from tpmirror.store.status import MirrorStatus, read_status
from tpmirror.sync.full import read_listed
from tpmirror.web import status as web_status

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SETTINGS = Settings(sync_interval=900, budget_daily=Decimal(10), budget_monthly=Decimal(100))
FRESH = {"certified_at": NOW - timedelta(seconds=900)}


def codes(**status) -> list[str]:
    return [problem.code for problem in problems_of_mirror(MirrorStatus(**{**FRESH, **status}), SETTINGS, NOW)]


def test_a_fresh_mirror_has_no_problem():
    assert codes() == []


def test_rows_that_nobody_may_remove_are_a_problem():
    assert codes(ungranted=("sync_runs",)) == ["retention"]


def test_a_mirror_is_stale_after_three_intervals():
    assert codes(certified_at=NOW - timedelta(seconds=2700)) == []
    assert codes(certified_at=NOW - timedelta(seconds=2701)) == ["stale"]
    assert codes(certified_at=None) == ["never_certified"]


def test_a_proof_dated_in_the_future_proves_nothing_about_freshness():
    assert codes(certified_at=NOW + timedelta(seconds=60)) == []
    assert codes(certified_at=NOW + timedelta(seconds=61)) == ["stale"]
    (found,) = problems_of_mirror(MirrorStatus(certified_at=NOW + timedelta(days=365)), SETTINGS, NOW)
    assert "certified in the future by this clock" in found.message
    assert found.critical


def test_a_sync_under_a_clock_a_year_ahead_makes_nothing_fresh(sim, mirror_url):
    mirror(sim, mirror_url)
    postdate(mirror_url, 365)
    with connected(mirror_url) as conn:
        now = datetime.now(UTC)
        assert [problem.code for problem in problems_of_mirror(read_status(conn, None), SETTINGS, now)] == ["stale"]
        assert queries.summary(conn)["age_s"] is None
        assert not read_listed(conn).is_recent
        assert web_status.health(conn)["certified_age_s"] is None
        jobs = queries.jobs_by_presence(conn, web_status.health(conn)["certified_at"])
        (shown,) = web_status.parts(web_status.health(conn), jobs, now, is_proven=False)
        assert any(FUTURE in note for note in syncs(conn, Period()).notes)
    assert FUTURE in shown["text"]
    assert mirror(sim, mirror_url)["certified"]
    with connected(mirror_url) as conn:
        assert problems_of_mirror(read_status(conn, None), SETTINGS, datetime.now(UTC)) == []
        assert 0 <= web_status.health(conn)["certified_age_s"] < 60


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"sync_failures": 3, "sync_error": "no route"}, "failing"),
        ({"run_failures": 3, "run_error": "no route"}, "failing"),
        ({"run_failures": 1, "run_error": f"{KEY_REFUSED} (401); put"}, "key_refused"),
        ({"uncertified": 3, "uncertified_reason": "the list moves"}, "uncertified"),
        ({"waiting": 1}, "operator"),
        ({"unanswered_since": NOW - timedelta(days=1, seconds=1)}, "untold"),
        ({"quarantined": 1}, "quarantine"),
        ({"unknown_codes": ("job_statuses=3",)}, "unknown_code:job_statuses=3"),
        ({"credits_today": Decimal("10.0001")}, "budget:day:2026-11-25"),
        ({"credits_month": Decimal("100.0001")}, "budget:month:2026-11"),
    ],
)
def test_each_problem_has_its_sign(status, code):
    (found,) = problems_of_mirror(MirrorStatus(**{**FRESH, **status}), SETTINGS, NOW)
    assert found.code == code
    assert found.message
    assert found.remedy


def test_a_budget_may_be_used_up_to_the_last_credit():
    assert codes(credits_today=Decimal(10), credits_month=Decimal(100)) == []


def test_hiccups_are_no_problem():
    assert codes(sync_failures=2, run_failures=2, run_error="no route", uncertified=2) == []
    assert codes(unanswered_since=NOW - timedelta(hours=23)) == []


def test_only_what_spoils_the_mirror_is_critical():
    status = MirrorStatus(waiting=1, quarantined=1, uncertified=5, run_failures=9, run_error=KEY_REFUSED)
    critical = {problem.code for problem in problems_of_mirror(status, SETTINGS, NOW) if problem.critical}
    assert critical == {"key_refused", "never_certified"}


@pytest.mark.parametrize(
    ("vitals", "code"),
    [
        ({"database_error": "cannot use the database"}, "database"),
        ({"skew": 61.0}, "clock_skew"),
        ({"skew": -61.0}, "clock_skew"),
        ({"jump": 3600.0}, "clock_jump"),
    ],
)
def test_the_process_has_problems_of_its_own(vitals, code):
    assert [problem.code for problem in problems_of_process(ProcessStatus(**vitals))] == [code]
    assert problems_of_process(ProcessStatus(skew=59.0)) == []
