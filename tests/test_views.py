"""The views: what they declare is what both databases give, row for row; sums are exact to the last unit."""

import re
from typing import Any

import pytest
from sqlalchemy import inspect, select

from tests.support.account import connected, query, rows
from tpmirror import describe

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


@pytest.fixture
def lived(lived_mirror):
    """The mirror by dialect."""
    return lived_mirror


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
    jobs = rows(lived[dialect], "jobs")
    charged = sum(job["cost_usd"] or 0 for job in jobs if not job["preview"])
    truth = sum(job["cost_usd"] or 0 for job in jobs)
    assert charged != truth, "a preview has to have a cost, or this shows nothing"
    assert sum(amounts) == (charged if view == "daily_costs" else truth) > 0
