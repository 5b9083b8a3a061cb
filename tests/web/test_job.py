"""The page of a job: its name, facts for people, the drawn timeline, what it links to; on both databases."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from tests.support.account import query
from tpmirror.config import load
from tpmirror.web.app import create_app
from tpmirror.web.server import Server
from tpmirror.web.timeline import timeline

BEGIN = datetime(2026, 11, 30, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def change(name: str, not_before: float | None, observed: float, occurred: float | None = None) -> dict[str, Any]:
    """A transition as the view has it, in seconds."""
    moments = {"not_before": not_before, "observed_at": observed, "occurred_at": occurred}
    return {"to_name": name, **{key: None if value is None else at(value) for key, value in moments.items()}}


def drawn(transitions: list[dict[str, Any]], *, is_terminal: bool, now: float = 100) -> list[tuple[Any, ...]]:
    """The parts of a job's bar: status, seconds from its start to begin and end, and whether that is sure."""
    found = timeline({"started": BEGIN, "is_terminal": is_terminal}, transitions, at(now))
    parts = found["parts"] if found else []
    ends = [[(part[end] - BEGIN).total_seconds() for end in ("start", "end")] for part in parts]
    return [(part["status"], *end, part["is_sure"]) for part, end in zip(parts, ends, strict=True)]


def test_a_change_between_two_looks_is_drawn_as_unsure():
    seen = [change("In Queue", None, 5, 0), change("Processing", 20, 40), change("Finished", 60, 90, 80)]
    assert drawn(seen, is_terminal=True) == [
        ("In Queue", 0, 20, True),
        ("Processing", 20, 40, False),
        ("Processing", 40, 80, True),
        ("Finished", 80, 80, True),
    ]


def test_what_lies_before_the_first_sight_is_drawn_as_not_seen():
    assert drawn([change("Finished", None, 900, 80)], is_terminal=True) == [
        ("not seen", 0, 80, False),
        ("Finished", 80, 80, True),
    ]


def test_a_job_in_flight_is_drawn_until_now():
    assert drawn([change("In Queue", None, 5, 0)], is_terminal=False) == [("In Queue", 0, 100, True)]


def test_a_clock_that_was_set_back_draws_nothing_backwards():
    seen = [change("In Queue", None, 50, 0), change("Processing", 60, 30), change("Finished", 30, 90, 20)]
    parts = timeline({"started": BEGIN, "is_terminal": True}, seen, at(100))
    assert parts is not None
    assert all(part["seconds"] >= 0 for part in parts["parts"])
    assert all(0 <= part["x"] <= 100 and part["x"] + part["width"] <= 100.01 for part in parts["parts"])


def test_without_any_length_nothing_is_drawn():
    assert timeline({"started": None, "is_terminal": True}, [change("Finished", None, 5)], at(9)) is None
    assert timeline({"started": BEGIN, "is_terminal": False}, [], at(9)) is None


@pytest.fixture
def mirror(lived_mirror: Any, dialect: str) -> str:
    """The database of a mirror that nothing here writes to."""
    return str(lived_mirror[dialect])


@pytest.fixture
def client(mirror: str) -> Iterator[httpx.Client]:
    """A client of its dashboard."""
    app = create_app(load({"TPMIRROR_DATABASE_URL": mirror}))
    server = Server(app, ("127.0.0.1", 0))
    with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as found:
        yield found
    server.stop()
    app.state.engine.dispose()


def test_a_job_leads_to_what_belongs_to_it(client, mirror):
    """Its siblings by input, the runs that saw it change, its answer at TensorPix; the title is the file's name."""
    job_id, name, video, count = query(
        mirror,
        "SELECT o.job_id, o.input_name, o.input_video_id, s.jobs FROM job_overview AS o JOIN ("
        "SELECT input_video_id, COUNT(*) AS jobs FROM jobs GROUP BY input_video_id HAVING COUNT(*) > 1"
        ") AS s ON s.input_video_id = o.input_video_id ORDER BY o.job_id DESC LIMIT 1",
    )[0]
    page = client.get(f"/jobs/{job_id}").text
    (title,) = re.findall(r"<h1><bdi[^>]*>(.*?)</bdi>", page)
    assert unescape(title) == name
    assert f'href="/jobs?input={video}">All {count} jobs of this input</a>' in page
    assert f'href="https://backend.tensorpix.ai/api/jobs/{job_id}/"' in page
    for (run,) in query(mirror, f"SELECT DISTINCT sync_run_id FROM job_status_history WHERE job_id = {job_id}"):
        assert f'href="/sync?before={run + 1}#runs"' in page
        sync = client.get(f"/sync?before={run + 1}").text
        assert re.search(rf">\s*{run}\s*<", sync)


def test_facts_are_for_people_and_the_raw_ones_at_hand(client, mirror):
    job_id, size, resolution = query(
        mirror,
        "SELECT job_id, output_size, resolution FROM job_overview "
        "WHERE output_size >= 10000000 AND resolution IS NOT NULL AND output_size < 1000000000 LIMIT 1",
    )[0]
    page = client.get(f"/jobs/{job_id}").text
    assert f"<td>{size / 1e6:.1f} MB</td>" in page
    assert f", {resolution}</td>" in page
    assert f"<dd>{size}</dd>" in page


def test_what_is_in_flight_says_where_its_news_are_and_what_is_over_does_not(client, mirror):
    (flying,) = query(mirror, "SELECT job_id FROM active_jobs WHERE status = 1 LIMIT 1")[0]
    (over,) = query(mirror, "SELECT job_id FROM job_overview WHERE is_terminal LIMIT 1")[0]
    assert f'data-live="/jobs/{flying}/live"' in client.get(f"/jobs/{flying}").text
    assert "data-live" not in client.get(f"/jobs/{over}").text
    part = client.get(f"/jobs/{flying}/live").text
    assert "<progress" in part
    assert "<html" not in part
    assert client.get("/jobs/999999999/live").status_code == 404
