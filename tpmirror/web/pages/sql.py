"""SQL: every view and table with what its columns hold. No SQL is run here: that is for the database's own tools."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, inspect, select
from starlette.requests import Request
from starlette.responses import Response

from tpmirror.db import engine, schema, views
from tpmirror.db.types import Row
from tpmirror.web import templating
from tpmirror.web.cache import remembered


def page(request: Request) -> Response:
    """``/sql``."""
    with templating.snapshot(request) as conn:
        entries = remembered(request, conn, "entries", lambda: _entries(conn))
        dialect = conn.dialect.name
    return templating.page(
        request,
        "sql.html",
        views=[entry for entry in entries if entry["sql"]],
        tables=[entry for entry in entries if not entry["sql"]],
        url=engine.display(request.app.state.engine),
        dialect=dialect,
    )


def _entries(conn: Connection) -> list[Row]:
    """A table or view each: name, description, columns, and for a view its SELECT."""
    table = schema.data_dictionary
    rows = conn.execute(select(table).order_by(table.c.table_name, table.c.column_name)).mappings().all()
    notes = {(row["table_name"], row["column_name"]): row for row in rows}
    selects = views.sources(conn.dialect.name)
    there = inspect(conn)
    present = {*there.get_table_names(), *there.get_view_names()}  # triggers have notes too, and no columns
    names = [name for name, column in notes if not column and name in present]
    return [
        {
            "name": name,
            "description": notes[name, ""]["description"],
            "sql": selects.get(name),
            "columns": [_column(column, notes.get((name, column["name"]))) for column in there.get_columns(name)],
        }
        for name in names
    ]


def _column(column: Mapping[str, Any], note: Any) -> Row:
    return {
        "name": column["name"],
        "type": str(column["type"]).lower(),
        "description": note and note["description"],
        "api_path": note and note["api_path"],
    }
