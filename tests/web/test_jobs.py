"""The page of all jobs and the search: filters by name and code, chips, pages, orders; on both databases."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.account import query
from tests.support.served import dashboard
from tpmirror.web.pages.jobs import ORDERS, PER_PAGE, pager


@pytest.fixture
def mirror(lived_mirror: Any, dialect: str) -> str:
    """The database of a mirror that nothing here writes to."""
    return str(lived_mirror[dialect])


def ids(page: str) -> list[int]:
    """The jobs on a page, in order."""
    return [int(found) for found in re.findall(r'<tr data-job="(\d+)"', page)]


def total(page: str) -> int:
    """How many jobs a page says that there are."""
    (found,) = re.findall(r"<strong>([\d,]+)</strong> job", page)
    return int(found.replace(",", ""))


def shown(client: httpx.Client, **asked: Any) -> list[int]:
    """The jobs on every page of a list."""
    found: list[int] = []
    page = client.get("/jobs", params=asked).text
    pages = -(-total(page) // PER_PAGE)
    for number in range(1, pages + 1):
        found += ids(client.get("/jobs", params={**asked, "page": number}).text)
    assert len(found) == total(page)
    return found


NAMES = [f"COALESCE({name}, '') || '|'" for name in ("input_name", "output_name", "description")]
FILTERS = [
    ({"status": "failed"}, "status = -1"),
    ({"status": "-1"}, "status = -1"),
    ({"status": "In Queue"}, "status = 0"),
    ({"status": "in-flight"}, "NOT is_terminal AND presence <> 'gone'"),
    ({"resolution": "1080P"}, "resolution = '1080p'"),
    ({"presence": "Gone"}, "presence = 'gone'"),
    ({"q": "MOV"}, f"lower({' || '.join(NAMES)}) LIKE '%mov%'"),
]


@pytest.mark.parametrize(("asked", "condition"), FILTERS)
def test_a_filter_shows_the_jobs_that_the_view_has(mirror, asked, condition):
    wanted = query(mirror, f"SELECT job_id FROM job_overview WHERE {condition} ORDER BY job_id DESC")
    with dashboard(mirror) as client:
        assert shown(client, **asked) == [job_id for (job_id,) in wanted]
        assert len(client.get("/jobs.json", params=asked).json()) == len(wanted) > 0


def test_days_are_those_on_which_jobs_count(mirror):
    """As the sums have it: what a day's bar counts is the list behind it."""
    days = query(mirror, "SELECT day, COUNT(*) FROM job_overview GROUP BY day ORDER BY day")
    with dashboard(mirror) as client:
        for day, count in (days[0], days[len(days) // 2], days[-1]):
            assert total(client.get("/jobs", params={"from": str(day), "to": str(day)}).text) == count
        since = sum(count for _day, count in days[-9:])
        assert total(client.get("/jobs", params={"from": str(days[-9][0])}).text) == since


def test_every_order_shows_every_job_once(mirror):
    """With a value first, in order, equal ones by number; without one last."""
    with dashboard(mirror) as client:
        for order in ORDERS:
            name, down = order.lstrip("-"), order.startswith("-")
            rows = query(mirror, f"SELECT {name}, job_id FROM job_overview")
            known = sorted(((value, job_id) for value, job_id in rows if value is not None), reverse=down)
            unknown = sorted((job_id for value, job_id in rows if value is None), reverse=True)
            assert shown(client, sort=order) == [job_id for _value, job_id in known] + unknown, order


def test_a_chip_for_each_filter_takes_that_one_away(mirror):
    with dashboard(mirror) as client:
        page = client.get("/jobs", params={"status": "2", "q": "a&b", "sort": "-credits"}).text
        chips = re.findall(r'<a href="([^"]*)" aria-label="Remove the filter ([^"]*)"', page)
        kept = {unescape(name): parse_qs(urlsplit(unescape(link)).query) for link, name in chips}
        assert kept == {
            "Name, text or number: a&b": {"status": ["2"], "sort": ["-credits"]},
            "Status: Finished": {"q": ["a&b"], "sort": ["-credits"]},
        }
        assert "No job matches these filters" in page


def test_jobs_of_the_same_input_are_found_by_it(mirror):
    (video, count), *_ = query(
        mirror, "SELECT input_video_id, COUNT(*) FROM jobs GROUP BY input_video_id ORDER BY COUNT(*) DESC"
    )
    with dashboard(mirror) as client:
        assert total(client.get("/jobs", params={"input": video}).text) == count


def test_the_range_is_named_and_a_page_beyond_the_last_is_refused(mirror):
    (count,) = query(mirror, "SELECT COUNT(*) FROM jobs")[0]
    with dashboard(mirror) as client:
        page = client.get("/jobs?page=2").text
        assert f"51\u2013100 of <strong>{count}</strong> jobs" in page
        assert 'aria-current="page">2</a>' in page
        last = -(-count // PER_PAGE)
        assert client.get(f"/jobs?page={last}").status_code == 200
        assert f"it accepts 1 to {last}" in client.get(f"/jobs?page={last + 1}").text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/jobs?stauts=failed", "&#39;stauts&#39; is no parameter of this page; it accepts q, status, model, "),
        ("/jobs?stauts=failed", "Did you mean status?"),
        ("/jobs.csv?page=2", "&#39;page&#39; is no parameter of this page"),
        ("/search?query=a", "&#39;query&#39; is no parameter of this page; it accepts q."),
        ("/jobs?status=fialed", "status is &#39;fialed&#39;; it accepts in flight, Finished, Processing"),
        ("/jobs?page=0", "page is &#39;0&#39;; it accepts 1 and more"),
    ],
)
def test_what_nobody_knows_is_named(mirror, path, said):
    with dashboard(mirror) as client:
        answer = client.get(path)
    assert answer.status_code == 400
    assert said in answer.text


def test_the_search_jumps_where_one_job_is_meant(mirror):
    rows = query(mirror, "SELECT job_id, lower(input_name), lower(output_name), lower(description) FROM job_overview")
    texts = {job_id: " ".join(map(str, names)) for job_id, *names in rows}
    job_id, alone = next(
        (job_id, name) for job_id, name, *_ in rows if sum(str(name) in each for each in texts.values()) == 1
    )
    with dashboard(mirror, TPMIRROR_HTTP_PREFIX="/mirror", TPMIRROR_HTTP_OPEN="yes") as client:
        for text, target in {
            alone: f"/mirror/jobs/{job_id}",
            str(job_id): f"/mirror/jobs/{job_id}",
            f"#{job_id}": f"/mirror/jobs/{job_id}",
            ".": "/mirror/jobs?q=.",
            "no such & job": "/mirror/jobs?q=no+such+%26+job",
            "": "/mirror/jobs",
        }.items():
            answer = client.get("/mirror/search", params={"q": text})
            assert (answer.status_code, answer.headers["location"]) == (303, target)


def test_an_empty_mirror_says_what_to_do(mirror_url):
    with dashboard(mirror_url) as client:
        assert "<code>tpmirror sync</code> fetches them" in client.get("/jobs").text


def test_pages_in_between_are_left_out():
    assert pager(1, 1) == [1]
    assert pager(1, 5) == [1, 2, 3, 4, 5]
    assert pager(10, 101) == [1, None, 8, 9, 10, 11, 12, None, 101]
    assert pager(5, 9) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
