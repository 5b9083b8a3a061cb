"""Data: every view and table with its columns' descriptions, example queries in SQL, and each view as a file.

The page runs no SQL of its user; the database's own tools do.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Date, Integer, Select, Table, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import engine, schema, views
from tpmirror.db.privileges import readable
from tpmirror.db.types import Row
from tpmirror.web import downloads, templating
from tpmirror.web.cache import remembered

EXAMPLES: Final = Path(__file__).parent.parent / "examples.sql"
_EXAMPLE: Final = re.compile(r"^-- (\w+): (.+)\n([^-].*?;)$", re.MULTILINE)


def page(request: Request) -> Response:
    """``/data``, and its former address ``/sql``; ``q`` searches names and descriptions."""
    templating.check_parameters(request, "q")
    sought = templating.query_text(request, "q")
    with templating.snapshot(request) as conn:
        entries = remembered(request, conn, "entries", lambda: _entries(conn))
        dialect = conn.dialect.name
    found = [{**entry, "columns": _matching(entry, sought)} for entry in entries]
    found = [entry for entry in found if not sought or entry["columns"] or _has(entry, sought)]
    return templating.page(
        request,
        "data.html",
        views=[entry for entry in found if entry["sql"]],
        tables=[entry for entry in found if not entry["sql"]],
        sought=sought,
        url=engine.display(request.app.state.engine),
        dialect=dialect,
    )


def entry(request: Request) -> Response:
    """``/data/NAME``: one view or table."""
    templating.check_parameters(request)
    name = request.path_params["name"]
    with templating.snapshot(request) as conn:
        entries = remembered(request, conn, "entries", lambda: _entries(conn))
    chosen = next((each for each in entries if each["name"] == name), None)
    if chosen is None:
        raise HTTPException(404)
    return templating.page(request, "entry.html", entry=chosen, examples=examples().get(name, []))


def csv(request: Request) -> Response:
    """``/data/NAME.csv``: a view as CSV."""
    columns, wanted = _rows_of(request)
    return downloads.csv(request, request.path_params["name"], [one.name for one in columns], lambda _: wanted, None)


def json(request: Request) -> Response:
    """``/data/NAME.json``: a view as JSON."""
    _, wanted = _rows_of(request)
    return downloads.json(request, request.path_params["name"], lambda _: wanted, None)


def parquet(request: Request) -> Response:
    """``/data/NAME.parquet``: a view as Parquet."""
    columns, wanted = _rows_of(request)
    return downloads.parquet(request, request.path_params["name"], columns, lambda _: wanted)


@cache
def examples() -> dict[str, list[dict[str, str]]]:
    """By view: questions, each with the statement that answers it on both databases."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, question, sql in _EXAMPLE.findall(EXAMPLES.read_text(encoding="utf-8")):
        found.setdefault(name, []).append({"question": question, "sql": sql})
    return found


def _rows_of(request: Request) -> tuple[list[Column[Any]], Select[Any]]:
    """The columns of a view that the role may read, and all of its rows. Raises HTTPException 404."""
    templating.check_parameters(request)
    name = request.path_params["name"]
    if name not in views.sources("sqlite"):
        raise HTTPException(404)
    with templating.snapshot(request) as conn:
        columns = readable(conn, views.view(name))
    return columns, select(*columns)


def _has(entry: Row, sought: str) -> bool:
    return any(sought.lower() in (text or "").lower() for text in (entry["name"], entry["description"]))


def _matching(entry: Row, sought: str) -> list[Row]:
    """The columns whose name, description or API path contains ``sought``; none if it is empty."""
    texts = ("name", "description", "api_path")
    return [
        column
        for column in entry["columns"]
        if sought and any(sought.lower() in (column[text] or "").lower() for text in texts)
    ]


def _entries(conn: Connection) -> list[Row]:
    """Every table and view: name, description, columns with their types, and for a view its SELECT."""
    table = schema.data_dictionary
    rows = conn.execute(select(table).order_by(table.c.table_name, table.c.column_name)).mappings().all()
    notes = {(row["table_name"], row["column_name"]): row for row in rows}
    selects = views.sources(conn.dialect.name)
    there = inspect(conn)
    present = {*there.get_table_names(), *there.get_view_names()}  # the dictionary has triggers too
    names = [name for name, column in notes if not column and name in present]
    return [
        {
            "name": name,
            "description": notes[name, ""]["description"],
            "sql": selects.get(name),
            "columns": [_column(column, notes.get((name, column.name))) for column in _declared(name).columns],
        }
        for name in names
    ]


def _declared(name: str) -> Table:
    """A table or view as this version declares it."""
    return schema.metadata.tables[name] if name in schema.metadata.tables else views.view(name)


def _column(column: Column[Any], note: Any) -> Row:
    return {
        "name": column.name,
        "postgresql": str(column.type.compile(postgresql.dialect())).lower(),  # type: ignore[no-untyped-call]
        "sqlite": _on_sqlite(column),
        "description": note and note["description"],
        "api_path": note and note["api_path"],
    }


def _on_sqlite(column: Column[Any]) -> str:
    """The type of a column on SQLite, which has no types for booleans, dates and times."""
    if isinstance(column.type, Date):
        return "text"
    if isinstance(column.type, Integer | Boolean):
        return "integer"
    text = str(column.type.compile(sqlite.dialect())).lower()
    return "real" if text == "float" else text
