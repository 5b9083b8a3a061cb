"""The overview: what it says adds up, its figures are those of the jobs that they lead to; on both databases."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import httpx
import pytest

from tests.support import account
from tests.support.account import query, tamper
from tpmirror.config import load
from tpmirror.store.health import Problem
from tpmirror.web import filters, status
from tpmirror.web.app import create_app
from tpmirror.web.pages.overview import _money
from tpmirror.web.server import Server

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HEALTH = {"certified_at": NOW - timedelta(minutes=2), "waiting_for_operator": 0}
JOBS = {"listed": 4869, "missing": 0, "unlisted": 0, "gone": 0, "newer": 0}


def said(found: dict[str, Any], jobs: dict[str, Any], *, is_proven: bool = True) -> list[str]:
    """The parts of the sentence about the jobs."""
    return [part["text"] for part in status.parts(HEALTH | found, JOBS | jobs, NOW, is_proven=is_proven)]


def test_the_jobs_of_the_mirror_are_reconciled():
    assert said({"waiting_for_operator": 150}, {"missing": 150}) == [
        "4,869 listed and certified as of 11:58:00 UTC (2 min ago)",
        "150 wait for you",
    ]
    assert said({"waiting_for_operator": 1}, {"missing": 3, "gone": 2, "newer": 4}) == [
        "4,869 listed and certified as of 11:58:00 UTC (2 min ago), but for 4 newer",
        "3 missing, of them 1 wait for you",
        "2 gone",
    ]
    assert said({}, {"unlisted": 5}, is_proven=False) == [
        "4,869 listed, last certified as of 11:58:00 UTC (2 min ago)",
        "5 not listed any more, but still there",
    ]
    assert said({"certified_at": None}, {}) == ["4,869 listed, never certified"]


def test_severity_is_that_of_the_worst_problem():
    small, great = Problem("a", "b", "c"), Problem("a", "b", "c", critical=True)
    assert [status.level(found) for found in ([], [small], [small, great])] == ["good", "warn", "bad"]


def test_commands_stand_out_in_remedies_and_nothing_else_is_markup():
    assert filters.commands("tpmirror gone list, then gone confirm <b>") == (
        "<code>tpmirror gone list</code>, then <code>gone confirm</code> &lt;b&gt;"
    )


def test_this_month_adds_up_to_the_forecast():
    spent = {date(2026, 11, day): Decimal(10) for day in range(1, 11)} | {date(2026, 10, 31): Decimal(99)}
    chart = _money(spent, date(2026, 11, 10), Decimal(300), 250.0)
    series = {each["name"]: each["values"] for each in chart["series"]}
    assert len(chart["x"]) == 30
    assert series["this month"][:11] == [*range(10, 101, 10), None]
    assert series["forecast"][8:11] == [None, 100, 110]
    assert series["forecast"][-1] == 300
    assert series["last month"] == [0] * 30, "its last day has no place on the axis of a month of 30"
    assert set(series["budget"]) == {250.0}


@pytest.fixture
def mirror(lived_mirror: Any, dialect: str) -> str:
    """The database of a mirror that nothing here writes to."""
    return str(lived_mirror[dialect])


@contextmanager
def opened(database_url: str) -> Iterator[httpx.Client]:
    """A client of the dashboard of a mirror."""
    app = create_app(load({"TPMIRROR_DATABASE_URL": database_url, "TPMIRROR_BUDGET_MONTHLY": "9"}))
    server = Server(app, ("127.0.0.1", 0))
    with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client:
        yield client
    server.stop()
    app.state.engine.dispose()


@pytest.fixture
def client(mirror: str) -> Iterator[httpx.Client]:
    """A client of the dashboard of that mirror."""
    with opened(mirror) as found:
        yield found


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """The tiles of the page: link and figure by title."""
    found = re.findall(r'<h3><a href="([^"]*)">([^<]*)</a></h3><p class="figure">([^<]*)</p>', page)
    return {title: (unescape(link), figure) for link, title, figure in found}


def test_each_tile_leads_to_the_jobs_that_it_counts(client):
    found = tiles(client.get("/").text)
    for title in ("Finished", "Failed"):
        link, figure = found[title]
        (total,) = re.findall(r"<strong>([\d,]+)</strong> job", client.get(link).text) or ["0"]
        assert total == figure
    for title in ("Credits this month", "Credits last month"):
        link, figure = found[title]
        file = link.replace("/jobs?", "/jobs.json?").removesuffix("&sort=-credits")
        charged = [Decimal(job["credits"] or 0) for job in client.get(file).json()]
        assert f"{sum(charged):,.2f}" == figure
    for link, _figure in found.values():
        assert client.get(link).status_code == 200


def test_the_parts_of_the_sentence_lead_to_so_many_jobs(client, mirror):
    (count,) = query(mirror, "SELECT COUNT(*) FROM jobs")[0]
    page = client.get("/").text
    assert f"<strong>{count:,} jobs in the mirror</strong>" in page
    parts = re.findall(r'<a href="/jobs\?presence=(\w+)">([\d,]+) ', page)
    shown = {name: int(number.replace(",", "")) for name, number in parts}
    assert shown == dict(query(mirror, "SELECT presence, COUNT(*) FROM jobs GROUP BY presence"))


def test_a_status_without_a_name_is_not_in_flight(mirror_url, sim):
    sim.world.edit(sim.world.ids()[0], {"status": 7, "processing_progress": 1.0})
    account.mirror(sim, mirror_url)
    with opened(mirror_url) as client:
        page = client.get("/").text
    (number,) = query(mirror_url, "SELECT COUNT(*) FROM active_jobs WHERE status IN (0, 1)")[0]
    assert f"In flight: {number}</a>" in page
    assert "Whether this job is at work is unknown" in page
    assert 'href="/jobs?status=7">Upstream sends a code' in page


def test_a_run_that_failed_once_is_said(mirror_url):
    tamper(
        mirror_url,
        "INSERT INTO sync_runs (kind, outcome, certified, covered, started_at, finished_at, error) VALUES ('poll', "
        "'failed', FALSE, FALSE, '2026-11-30 11:00:00+00:00', '2026-11-30 11:00:01+00:00', 'no route <b>')",
    )
    with opened(mirror_url) as client:
        assert "The last run failed: no route &lt;b&gt;" in client.get("/").text
