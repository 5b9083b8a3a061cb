"""Grafana's dashboards: every panel's SQL runs on PostgreSQL and gives what its panel draws."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.support.account import KEY, mirror
from tests.support.grafana import BOARDS, NOW, board, expanded, panels
from tpmirror.db.engine import connected, reading
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

SOURCE = {"type": "grafana-postgresql-datasource", "uid": "tpmirror"}
EMPTY_IS_WELL = {"Runs that need attention", "Quarantine", "How far off the ETA was"}
"""Panels that show nothing when nothing is wrong, or when no job was watched to its end."""


@pytest.fixture(scope="module")
def lived(migrated_postgres) -> Iterator[str]:
    """A mirror with all that dashboards show, up to now."""
    migrated_postgres.create("grafana", "migrated")
    url = migrated_postgres.url("grafana")
    world = World(5, 150, now=NOW - timedelta(minutes=5), days=60, in_flight=5)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, url)
        world.correct_cost(max(world.ids()), Decimal(7))
        world.advance(60)
        mirror(sim, url)
    yield url
    migrated_postgres.drop("grafana")


def test_there_are_three_dashboards():
    assert [path.stem for path in BOARDS] == ["cost", "operations", "sync-health"]
    assert {board(path)["uid"] for path in BOARDS} == {f"tpmirror-{path.stem}" for path in BOARDS}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_panels_have_their_place_and_their_source(path):
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in board(path)["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board(path)["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["datasource"] == SOURCE
        assert all(target["datasource"] == SOURCE for target in panel["targets"])


@pytest.mark.parametrize(
    ("name", "panel"), panels(), ids=lambda value: value if isinstance(value, str) else value["title"]
)
def test_every_panel_runs_and_has_what_it_draws(name, panel, lived):
    (target,) = panel["targets"]
    with connected(lived) as engine, reading(engine) as conn:
        conn.execute(text("SET LOCAL timezone = 'America/New_York'"))  # a server's own time zone must not matter
        found = conn.exec_driver_sql(expanded(target["rawSql"]), execution_options={"no_parameters": True})
        columns, rows = list(found.keys()), found.all()
    assert rows or panel["title"] in EMPTY_IS_WELL
    if target["format"] == "time_series":
        assert columns[0] == "time"
        assert all(isinstance(row[0], Decimal) or row[0].tzinfo for row in rows), "seconds since 1970, or a time"
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    if panel["type"] == "stat":
        assert len(rows) == len(columns) == 1
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["options"] in columns
