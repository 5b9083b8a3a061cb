"""Bulk insert, upsert, update and lookup: many rows in one statement, by each database's fastest way.

SQLite: the driver's ``executemany``, with values converted here column by column; SQLAlchemy would convert each value
by itself, which costs more than the write. PostgreSQL: all rows are one JSON parameter, which the server unpacks within
a few percent of COPY's time; ON CONFLICT, errors and transactions work as with any other statement.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from importlib import import_module
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Result,
    Select,
    Table,
    any_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy import update as sql_update

from tpmirror.db.types import Row


def insert(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that are new, all with the same columns."""
    if rows:
        _execute(conn, table, rows, overwrite=False)


def upsert(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert whole rows, or overwrite those with the same key."""
    if rows:
        _execute(conn, table, rows, overwrite=True)


def update(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Update rows by id: all rows set the same columns, and hold the id under the key ``id_``."""
    if rows:
        names = [name for name in rows[0] if name != "id_"]
        statement = sql_update(table).where(table.c.id == bindparam("id_"))
        conn.execute(statement.values({name: bindparam(name) for name in names}), rows)


def find(
    conn: Connection,
    columns: Iterable[ColumnElement[Any]],
    key: Column[int],
    values: Collection[int],
    *then: Column[Any],
) -> Result[Any]:
    """Rows whose ``key`` is one of ``values``, in order of the key and then of the columns ``then``.

    The values are one parameter, so one statement, built and compiled once, serves any number of them.
    """
    lite, given = conn.dialect.name == "sqlite", sorted(values)
    statement = _find(tuple(columns), key, then, lite=lite)
    return conn.execute(statement, {"keys": msgspec.json.encode(given).decode() if lite else given})


@cache
def _find(columns: tuple[Any, ...], key: Column[int], then: tuple[Any, ...], *, lite: bool) -> Select[Any]:
    wanted = select(*columns).order_by(key, *then)
    if lite:
        return wanted.where(key.in_(select(func.json_each(bindparam("keys")).table_valued("value").c.value)))
    return wanted.where(key == any_(bindparam("keys", type_=ARRAY(BigInteger))))


def _execute(conn: Connection, table: Table, rows: Sequence[Row], *, overwrite: bool) -> None:
    names = tuple(rows[0])
    if conn.dialect.name == "sqlite":
        statement, order, converters = _sqlite(table, names, overwrite=overwrite)
        ready = list(zip(*map(itemgetter(*order), rows), strict=True))
        for place, convert in converters:
            # Convert each distinct value once: the rows of a page share timestamps and flags.
            converted = {value: convert(value) for value in set(ready[place])}
            ready[place] = tuple(map(converted.__getitem__, ready[place]))
        conn.exec_driver_sql(statement, list(zip(*ready, strict=True)))
    else:
        conn.execute(_postgresql(table, names, overwrite=overwrite), {"rows": msgspec.json.encode(rows).decode()})


def insert_of(dialect: str) -> Any:
    """A dialect's ``insert``, with ``ON CONFLICT``. Imported on use: PostgreSQL's takes as long as the whole schema."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert


@cache
def _sqlite(
    table: Table, names: tuple[str, ...], *, overwrite: bool
) -> tuple[str, list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """The statement, its columns in order, and by position the bind processor of each column that has one."""
    from sqlalchemy.dialects.sqlite import dialect as SQLite  # noqa: N812, PLC0415 - a class; only where it is used

    dialect = SQLite()
    compiled = _statement(insert_of("sqlite")(table), table, names, overwrite=overwrite).compile(
        dialect=dialect, column_keys=list(names)
    )
    order: list[str] = list(compiled.positiontup or ())
    converters = (
        (place, table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
        for place, name in enumerate(order)
        if not isinstance(table.c[name].type, Float)  # the values are floats already
    )
    return str(compiled), order, [(place, convert) for place, convert in converters if convert is not None]


@cache
def _postgresql(table: Table, names: tuple[str, ...], *, overwrite: bool) -> Any:
    columns = [column(name, table.c[name].type) for name in names]
    given = (
        func.json_to_recordset(bindparam("rows")).table_valued(*columns, name="given").render_derived(with_types=True)
    )
    statement = insert_of("postgresql")(table).from_select(list(names), select(*given.c))
    return _statement(statement, table, names, overwrite=overwrite)


def _statement(statement: Any, table: Table, names: tuple[str, ...], *, overwrite: bool) -> Any:
    if not overwrite:
        return statement
    keys = [key.name for key in table.primary_key]
    others = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)
