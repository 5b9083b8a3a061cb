"""The views: what they declare is what both databases give, row for row; sums are exact to the last unit."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import inspect, select

from tests.support.account import KEY, connected, mirror, query, rows
from tpmirror import describe
from tpmirror.simulator import Simulator, World

VIEWS = sorted(describe.views("sqlite"))
NOW_COLUMNS = {"waiting_s", "status_s", "certified_age_s"}
"""Those that depend on the time of the query."""
TYPES = {
    "integer": {"bigint", "integer", "smallint"},
    "real": {"double precision"},
    "money": {"numeric"},
    "text": {"text"},
    "boolean": {"boolean"},
    "date": {"date"},
    "time": {"timestamp with time zone"},
}
"""By kind of column: the types it may have on PostgreSQL."""


def live(database_url: str) -> dict[str, Any]:
    """A mirror of all that views tell of: jobs in flight, corrections, previews, deletions."""
    world = World(3, 400, now=datetime.now(UTC), in_flight=12)
    with Simulator(world, token=KEY) as simulator:
        mirror(simulator, database_url)
        ids = [job for job in world.ids() if not world.job(job)["preview"]]
        for step, job_id in enumerate(ids[:9]):
            world.correct_cost(job_id, Decimal(step) / 7)
        for job_id in ids[10:14]:
            world.edit(job_id, {"preview": True})
        world.edit(ids[20], {"ml_models": []})
        world.edit(ids[21], {"cost_usd": None})
        world.delete(ids[22])
        world.delete_input(ids[23])
        world.advance(200)
        mirror(simulator, database_url)
        for job_id in ids[11:14]:
            world.edit(job_id, {"preview": False, "cost_usd": "7.7777"})
        world.correct_cost(ids[2], Decimal("-3.3333"))
        world.advance(400)
        return mirror(simulator, database_url)


@pytest.fixture(scope="module")
def lived(request, tmp_path_factory):
    """The same lived-in mirror on both databases, by dialect: on PostgreSQL a copy of every row of the SQLite file."""
    template = request.getfixturevalue("migrated_file")
    path = tmp_path_factory.mktemp("views") / "mirror.db"
    path.write_bytes(template.read_bytes())
    server = request.getfixturevalue("migrated_postgres")
    server.create("views", "migrated")
    urls = {"sqlite": f"sqlite:///{path}", "postgresql": server.url("views")}
    live(urls["sqlite"])
    copy(urls["sqlite"], urls["postgresql"])
    yield urls
    server.drop("views")


def copy(source: str, target: str) -> None:
    """Every row of every table, labels and dictionary apart, which are there already."""
    from tpmirror import schema

    with connected(source) as old, connected(target) as new, new.begin():
        for table in schema.metadata.sorted_tables:
            held = [dict(row) for row in old.execute(table.select()).mappings()]
            if table.name in {"data_dictionary", "writer_lease"}:
                continue
            if table.name in {"job_statuses", "ml_tasks", "output_resolutions"}:
                new.execute(table.delete())
            if held:
                new.execute(table.insert(), held)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_explains_its_columns(view, lived):
    declared = describe.view_columns(view)
    assert {column.kind for column in declared} <= describe.KINDS.keys()
    for url in lived.values():
        with connected(url) as conn:
            assert [column["name"] for column in inspect(conn).get_columns(view)] == [c.name for c in declared]


@pytest.mark.parametrize("view", VIEWS)
def test_columns_have_the_kinds_that_they_declare(view, lived):
    """On PostgreSQL by their types, on SQLite by their values."""
    types = dict(
        query(
            lived["postgresql"],
            f"SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = '{view}'::regclass",
        )
    )
    declared = describe.view_columns(view)
    assert {c.name: types[c.name] for c in declared if types[c.name] not in TYPES[c.kind]} == {}
    for row in query(lived["sqlite"], f"SELECT * FROM {view}"):
        for column, value in zip(declared, row, strict=True):
            assert value is None or fits(column.kind, value), f"{view}.{column.name}: {value!r} is no {column.kind}"


def fits(kind: str, value: Any) -> bool:
    """Whether SQLite's value is what it should be."""
    if kind in {"date", "time"}:
        pattern = r"\d{4}-\d\d-\d\d" if kind == "date" else r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?\+00:00"
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None
    if kind == "boolean":
        return value in (0, 1) and isinstance(value, int)
    return isinstance(value, {"integer": int, "real": float, "money": float, "text": str}[kind])


@pytest.mark.parametrize("view", VIEWS)
def test_both_databases_give_the_same_rows(view, lived):
    """And the same types. Seconds may differ by what SQLite rounds its times to: milliseconds."""
    lite, server = (sorted(read(url, view), key=stable) for url in lived.values())
    assert lite, "an empty view proves nothing"
    assert len(lite) == len(server)
    for row, other in zip(lite, server, strict=True):
        assert {name: (row[name], other[name]) for name in row if not close(row[name], other[name])} == {}


def read(database_url: str, view: str) -> list[dict[str, Any]]:
    """The rows of a view, typed; without what depends on the time of the query."""
    columns = [column for column in describe.view(view).columns if column.name not in NOW_COLUMNS]
    with connected(database_url) as conn:
        return [dict(row) for row in conn.execute(select(*columns)).mappings()]


def stable(row: dict[str, Any]) -> list[str]:
    """What rows are sorted by: all that does not differ in the last digit."""
    return [repr(value) for value in row.values() if not isinstance(value, float)]


def close(left: Any, right: Any) -> bool:
    """Equal and of one type; numbers nearly."""
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= 0.002 + 1e-9 * abs(left)
    return type(left) is type(right) and bool(left == right)


@pytest.mark.parametrize("view", ["daily_costs", "cost_by_model", "cost_ledger", "job_model_costs", "focus_costs"])
def test_costs_add_up_to_what_the_jobs_cost(view, lived, dialect):
    amounts = [row["BilledCost" if view == "focus_costs" else "credits"] for row in read(lived[dialect], view)]
    truth = [job["cost_usd"] or 0 for job in rows(lived[dialect], "jobs") if not job["preview"]]
    assert sum(amounts) == sum(truth) > 0
