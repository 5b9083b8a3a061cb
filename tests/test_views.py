"""The views: what they declare is what both databases give, row for row; sums are exact to the last unit."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import inspect, text

from tests.support.account import KEY, connected, mirror, query
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
            rows = [dict(row) for row in old.execute(table.select()).mappings()]
            if table.name in {"data_dictionary", "writer_lease"}:
                continue
            if table.name in {"job_statuses", "ml_tasks", "output_resolutions"}:
                new.execute(table.delete())
            if rows:
                new.execute(table.insert(), rows)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_explains_its_columns(view, lived):
    declared = describe.view_columns(view)
    assert {column.kind for column in declared} <= describe.KINDS
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
    """Seconds may differ by what SQLite rounds its times to: milliseconds."""
    kinds = [column.kind for column in describe.view_columns(view)]
    keep = [n for n, column in enumerate(describe.view_columns(view)) if column.name not in NOW_COLUMNS]
    found = []
    for url in lived.values():
        rows = [
            tuple(plain(kinds[n], row[n]) for n in keep if kinds[n] != "real")
            + tuple(row[n] for n in keep if kinds[n] == "real")
            for row in query(url, f"SELECT * FROM {view}")
        ]
        found.append(sorted(rows, key=repr))
    assert found[0], "an empty view proves nothing"
    assert len(found[0]) == len(found[1])
    for lite, server in zip(*found, strict=True):
        assert [pair for pair in zip(lite, server, strict=True) if not close(*pair)] == []


def close(left: Any, right: Any) -> bool:
    """Equal; numbers nearly."""
    numbers = isinstance(left, float) and isinstance(right, float)
    return abs(left - right) <= 0.002 + 1e-9 * abs(left) if numbers else left == right


def plain(kind: str, value: Any) -> Any:
    """A value in one form for both databases."""
    if value is None:
        return None
    if kind == "money":
        return Decimal(str(value)).quantize(Decimal("0.0001"))
    if kind == "boolean":
        return bool(value)
    if kind == "date":
        return value if isinstance(value, str) else date.isoformat(value)
    if kind == "time":
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return value


@pytest.mark.parametrize("view", ["daily_costs", "cost_by_model", "cost_ledger", "job_model_costs", "focus_costs"])
def test_costs_add_up_to_what_the_jobs_cost(view, lived, dialect):
    column = '"BilledCost"' if view == "focus_costs" else "credits"
    amounts = [plain("money", row[0]) for row in query(lived[dialect], f"SELECT {column} FROM {view}")]
    with connected(lived[dialect]) as conn:
        costs = conn.execute(text("SELECT cost_usd FROM jobs WHERE NOT COALESCE(preview, FALSE)")).scalars()
        truth = sum((plain("money", cost) for cost in costs if cost is not None), Decimal(0))
    assert truth > 0
    assert sum(amounts, Decimal(0)) == truth
