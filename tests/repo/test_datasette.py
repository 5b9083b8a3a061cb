"""Datasette's metadata: all of its SQL runs on SQLite, and its charts draw columns that are there."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml

from tests.support.account import KEY, connected, mirror
from tests.support.program import ROOT
from tpmirror.db import schema, views
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

METADATA = yaml.safe_load((ROOT / "deploy" / "datasette" / "metadata.yml").read_text(encoding="utf-8"))
DATABASE = METADATA["databases"]["tpmirror"]
BOARDS = METADATA["plugins"]["datasette-dashboards"]
CHARTS = {f"{board}.{name}": chart for board, found in BOARDS.items() for name, chart in found["charts"].items()}
PARAMETERS = {"date_from": "2020-01-01", "date_to": "2099-12-31", "job_id": "1"}


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


def fields(chart: Any) -> set[str]:
    """The columns that a chart draws."""
    display = chart["display"]
    return {axis["field"] for axis in display.get("encoding", {}).values()} | set(filter(None, [display.get("field")]))


@pytest.mark.parametrize("filled", [False, True], ids=["no filter", "filters"])
@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_runs_and_has_what_it_draws(name, filled, lived):
    chart = CHARTS[name]
    sql = re.sub(r"\[\[(.*?)\]\]", r"\1" if filled else "", chart["query"])
    with connected(lived) as conn:
        found = conn.exec_driver_sql(sql, PARAMETERS)
        columns, rows = set(found.keys()), found.all()
    assert rows
    assert chart["db"] == "tpmirror"
    assert fields(chart) <= columns
    assert chart["library"] != "metric" or len(rows) == 1


@pytest.mark.parametrize("name", DATABASE["queries"])
def test_every_canned_query_runs(name, lived):
    with connected(lived) as conn:
        conn.exec_driver_sql(DATABASE["queries"][name]["sql"], PARAMETERS).all()


def test_layouts_name_every_chart_once():
    for board in BOARDS.values():
        assert {chart for row in board["layout"] for chart in row} == set(board["charts"])


def test_tables_exist_and_working_tables_are_hidden():
    there = {name: table.columns.keys() for name, table in schema.metadata.tables.items()}
    there |= {name: [column.name for column in views.view_columns(name)] for name in views.sources("sqlite")}
    hidden = {name for name, about in DATABASE["tables"].items() if about.get("hidden")}
    assert hidden == {table.name for table in schema.WORKING} | {"alembic_version"}
    for name in DATABASE["tables"].keys() - hidden:
        about = DATABASE["tables"][name]
        assert {about["sort_desc"], *about.get("facets", ())} <= set(there[name])
