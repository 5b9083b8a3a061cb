"""The dashboard and the documents as the role ``tpmirror_reader``: everything works, and no owner is anywhere."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from starlette.routing import Route

from tests.support.account import connected, query
from tests.support.hostile import CORRECTED, mirror_of_everything
from tests.support.program import ROOT
from tpmirror.config import load
from tpmirror.db.privileges import readable
from tpmirror.db.schema import input_videos
from tpmirror.db.views import view
from tpmirror.web.app import ROUTES, create_app
from tpmirror.web.pages.data import examples
from tpmirror.web.server import Server

DBNAME = "reader_of_everything"
DENIED = psycopg.errors.InsufficientPrivilege
NOT_FOR_READERS = "Not for the role `tpmirror_reader`"
DOCUMENTS = ("README.md", "docs/tables.md", "docs/cookbook.md", "docs/costs.md", "docs/bi.md")
OWNERS = "SELECT DISTINCT owner FROM input_videos WHERE owner IS NOT NULL"


@pytest.fixture(scope="module")
def mirror(migrated_postgres) -> Iterator[Any]:
    """A server with a mirror in which everything has happened, and the three roles."""
    migrated_postgres.create(DBNAME, "migrated")
    mirror_of_everything(migrated_postgres.url(DBNAME))
    migrated_postgres.psql(DBNAME, ROOT / "deploy" / "postgres-roles.sql")
    yield migrated_postgres
    migrated_postgres.drop(DBNAME)


@pytest.fixture(scope="module")
def owners(mirror) -> list[str]:
    """Every e-mail address that the mirror holds."""
    found = [owner for (owner,) in query(mirror.url(DBNAME), OWNERS)]
    assert found
    return found


@pytest.fixture(scope="module")
def dashboard(mirror) -> Iterator[httpx.Client]:
    """A client of the dashboard that reads as the role."""
    app = create_app(load({"TPMIRROR_DATABASE_URL": mirror.url(DBNAME, "tpmirror_reader")}))
    server = Server(app, ("127.0.0.1", 0))
    with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client:
        yield client
    server.stop()
    app.state.engine.dispose()


PAGES = [route.path for route in ROUTES if isinstance(route, Route) and "{" not in route.path]
FILES = ["/report/costs.csv", "/report/storage.json?by=output", "/data/job_overview.csv", "/data/videos.json"]


SINGLE = [f"/jobs/{CORRECTED}", "/jobs/130", "/jobs/131/live", "/jobs?sort=-credits&q=a"]


@pytest.mark.parametrize("path", [*PAGES, *SINGLE, *FILES])
def test_every_page_works_without_owners(path, dashboard, owners):
    answer = dashboard.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert [owner for owner in owners if owner in answer.text] == []


def test_the_filter_by_owner_is_offered_to_those_who_may_see_owners(dashboard, mirror):
    assert 'name="owner"' not in dashboard.get("/jobs").text
    for path in ("/jobs", "/jobs.csv", "/jobs.json"):
        answer = dashboard.get(path, params={"owner": "a"})
        assert answer.status_code == 400
        assert "may not see owners" in answer.text
    app = create_app(load({"TPMIRROR_DATABASE_URL": mirror.url(DBNAME, "tpmirror_writer")}))
    server = Server(app, ("127.0.0.1", 0))
    with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client:
        page, file = client.get("/jobs", params={"owner": "a"}), client.get("/jobs.csv")
    server.stop()
    app.state.engine.dispose()
    assert 'name="owner"' in page.text
    assert "input_owner" in file.text.partition("\r\n")[0]


def test_costs_by_owner_are_for_those_who_may_see_owners(dashboard):
    assert ">owner</a>" not in dashboard.get("/costs").text
    for path in ("/costs", "/costs.csv", "/report/costs.json"):
        answer = dashboard.get(path, params={"by": "owner"})
        assert (answer.status_code, "may not see owners" in answer.text) == (400, True)


def test_the_questions_of_each_view_run_as_the_reader(mirror):
    with psycopg.connect(host=str(mirror.home), user="tpmirror_reader", dbname=DBNAME, autocommit=True) as conn:
        for some in examples().values():
            for one in some:
                conn.execute(one["sql"].encode())


def test_files_lack_the_column_and_nothing_else(dashboard):
    names = dashboard.get("/jobs.csv").text.partition("\r\n")[0].split(",")
    assert names == [column.name for column in view("job_overview").c if column.name != "input_owner"]
    assert names == view("job_overview_public").c.keys()


def statements(page: str) -> list[str]:
    """The SQL of a document, but for what says that it is not for this role."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:([^\n]+)\n\n)?```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return [
        statement
        for before, block in blocks
        if not before.startswith(NOT_FOR_READERS)
        for statement in block.split(";")
        if statement.strip()
    ]


@pytest.mark.parametrize("page", DOCUMENTS)
def test_the_sql_of_documents_runs_as_the_reader(page, mirror):
    with psycopg.connect(host=str(mirror.home), user="tpmirror_reader", dbname=DBNAME, autocommit=True) as conn:
        for statement in statements(page):
            conn.execute(statement.encode())


def test_what_is_not_for_the_reader_is_marked_because_it_is_refused(mirror):
    text = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
    marked = re.findall(rf"^{NOT_FOR_READERS}[^\n]*\n\n```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert marked
    for statement in marked:
        with (
            psycopg.connect(host=str(mirror.home), user="tpmirror_reader", dbname=DBNAME) as conn,
            pytest.raises(DENIED),
        ):
            conn.execute(statement.encode())


def test_public_views_hold_the_same_rows_without_owners(mirror):
    for name, left_out in (("job_overview", "input_owner"), ("videos", "owner")):
        columns = [column.name for column in view(name).c if column.name != left_out]
        assert view(f"{name}_public").c.keys() == columns
        same = ", ".join(columns)
        for one, other in ((name, f"{name}_public"), (f"{name}_public", name)):
            assert query(mirror.url(DBNAME), f"SELECT {same} FROM {one} EXCEPT SELECT {same} FROM {other}") == []


def test_readable_columns_are_those_that_the_role_was_granted(mirror, lite_url):
    names = [column.name for column in input_videos.columns]
    for url, hidden in (
        (mirror.url(DBNAME, "tpmirror_reader"), {"owner"}),
        (mirror.url(DBNAME), set()),
        (lite_url, set()),
    ):
        with connected(url) as conn:
            assert [column.name for column in readable(conn, input_videos)] == [n for n in names if n not in hidden]
