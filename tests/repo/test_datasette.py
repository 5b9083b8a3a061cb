"""Datasette's metadata: all of its SQL runs on SQLite, its tables are there, and nothing in it is shown as HTML."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import yaml

from tests.support.account import KEY, connected, mirror
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


def test_tables_exist_and_working_tables_are_hidden():
    there = {name: table.columns.keys() for name, table in schema.metadata.tables.items()}
    there |= {name: [column.name for column in views.view_columns(name)] for name in views.sources("sqlite")}
    hidden = {name for name, about in DATABASE["tables"].items() if about.get("hidden")}
    assert hidden == {table.name for table in schema.WORKING} | {"alembic_version"}
    for name in DATABASE["tables"].keys() - hidden:
        about = DATABASE["tables"][name]
        assert {about["sort_desc"], *about.get("facets", ())} <= set(there[name])
