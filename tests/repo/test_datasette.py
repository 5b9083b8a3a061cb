"""Datasette's metadata: all of its SQL runs on SQLite, its tables are there, and nothing in it is shown as HTML."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import yaml
from playwright.sync_api import sync_playwright

from tests.support import browser as chromium
from tests.support.account import KEY, connected, mirror
from tests.support.hostile import HARMFUL, mirror_of_everything
from tests.support.program import ROOT
from tpmirror.db import schema, views
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

METADATA = yaml.safe_load((ROOT / "deploy" / "datasette" / "metadata.yml").read_text(encoding="utf-8"))
DATABASE = METADATA["databases"]["tpmirror"]


@pytest.fixture(scope="module")
def lived(migrated_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("datasette") / "tpmirror.db"
    path.write_bytes(migrated_file.read_bytes())
    world = World(5, 100, now=datetime.now(UTC) - timedelta(minutes=5), days=60, in_flight=4)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, f"sqlite:///{path}")
        world.correct_cost(max(world.ids()), Decimal(7))
        mirror(sim, f"sqlite:///{path}")
    return f"sqlite:///{path}"


@pytest.mark.parametrize("dates", [("", ""), ("2020-01-01", "2099-12-31")], ids=["no filter", "filter"])
@pytest.mark.parametrize("name", DATABASE["queries"])
def test_every_canned_query_runs_and_finds_something(name, dates, lived):
    sql = DATABASE["queries"][name]["sql"]
    with connected(lived) as conn:
        (job_id,) = conn.exec_driver_sql("SELECT MAX(entity_id) FROM field_changes WHERE entity = 'job'").one()
        given = {"date_from": dates[0], "date_to": dates[1], "job_id": str(job_id)}
        assert set(re.findall(r":(\w+)", sql)) <= given.keys()
        assert conn.exec_driver_sql(sql, given).all()


def test_nothing_in_the_kit_can_show_text_as_html():
    """Datasette escapes; a plugin, a template or a description in HTML need not."""
    assert METADATA.keys() == {"title", "description", "databases"}
    assert DATABASE.keys() == {"tables", "queries"}
    for about in (*DATABASE["tables"].values(), *DATABASE["queries"].values()):
        assert about.keys() <= {"title", "description", "hidden", "sort_desc", "facets", "sql"}
    for name in ("docs/bi.md", "deploy/datasette/metadata.yml"):
        (installed,) = re.findall(r"pip install ([^\n]*datasette[^\n]*)", (ROOT / name).read_text(encoding="utf-8"))
        assert installed == "datasette"


@pytest.fixture
def served(migrated_file, tmp_path) -> Iterator[str]:
    """The address of Datasette, started as the guide says, on a mirror whose names are meant to do harm."""
    shutil.copyfile(migrated_file, tmp_path / "tpmirror.db")
    mirror_of_everything(f"sqlite:///{tmp_path}/tpmirror.db")
    (line,) = re.findall(r"^datasette (.*)$", (ROOT / "docs" / "bi.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = line.replace("deploy/", f"{ROOT}/deploy/").split()
    started = [sys.executable, "-m", "datasette", *words, "--port", "0"]
    with subprocess.Popen(
        started, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        found = (re.search(r"running on (http://127\.0\.0\.1:\d+)", line) for line in process.stderr)
        yield next(filter(None, found))[1]
        process.terminate()
        process.stderr.read()


@pytest.mark.exhaustive
def test_harmful_names_are_shown_and_do_nothing(served):
    queries = [f"{name}?date_from=&date_to=&job_id=1" for name in DATABASE["queries"]]
    tables = ["jobs/1", "job_overview", "videos", "ml_models"]
    harmed, showing = [], set()
    with sync_playwright() as playwright:
        page = chromium.launch(playwright).new_page()
        page.on("dialog", lambda dialog: harmed.append((page.url, dialog.message)))
        for path in ["", *tables, *queries]:
            answer = page.goto(f"{served}/tpmirror/{path}")
            assert answer is not None
            assert answer.status == 200, path
            found = page.evaluate("window.harmed"), page.locator("img[src=x], svg[onload]").count()
            harmed += [(path, found)] if found != (None, 0) else []
            showing |= {path.split("?")[0]} if HARMFUL[1] in (page.locator("body").text_content() or "") else set()
    assert harmed == []
    assert {"jobs/1", "job_overview", "videos", "ml_models", "most_expensive_jobs", "failures_by_model"} <= showing


def test_tables_exist_and_working_tables_are_hidden():
    there = {name: table.columns.keys() for name, table in schema.metadata.tables.items()}
    there |= {name: [column.name for column in views.view_columns(name)] for name in views.sources("sqlite")}
    hidden = {name for name, about in DATABASE["tables"].items() if about.get("hidden")}
    assert hidden == {table.name for table in schema.WORKING} | {"alembic_version"}
    for name in DATABASE["tables"].keys() - hidden:
        about = DATABASE["tables"][name]
        assert {about["sort_desc"], *about.get("facets", ())} <= set(there[name])
