"""Comments, labels, views, triggers and data dictionary: rebuilt at each upgrade from this version's declarations.

The data dictionary keeps a hash of each view's and trigger's definition, from which ``altered`` finds later changes.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.schema import SetColumnComment, SetTableComment

from tpmirror.db import labels, schema
from tpmirror.db.definitions import definitions
from tpmirror.db.guards import create_guards, guards
from tpmirror.db.views import create_views, first_line, sources, view_columns

_LOOSE: Final = {"D": "is disabled", "O": "can be switched off by a session", "R": "can be switched off by a session"}
"""Findings by ``tgenabled``, the first letter of a trigger's definition on PostgreSQL; A (ENABLE ALWAYS) is right."""


@dataclass(frozen=True, slots=True)
class Altered:
    """A view or trigger that differs from the last upgrade's; ``finding`` states the difference and the remedy."""

    kind: str
    finding: str


def describe(conn: Connection) -> None:
    """Rebuild labels, comments, views, triggers and data dictionary as this version declares them."""
    _fill_labels(conn)
    if conn.dialect.supports_comments:
        for table in schema.metadata.sorted_tables:
            conn.execute(SetTableComment(table))
            for column in table.columns:
                conn.execute(SetColumnComment(column))
    create_views(conn)
    create_guards(conn)
    _fill_dictionary(conn)


def altered(conn: Connection) -> list[Altered]:
    """The views and triggers that are gone, disabled or replaced since the last upgrade. Reads only."""
    table = schema.data_dictionary.c
    wanted = select(table.table_name, table.definition).where(table.column_name == "")
    recorded = {row.table_name: row.definition for row in conn.execute(wanted)}
    there = definitions(conn)
    found = []
    for kind, on, name in _defined(conn.dialect.name):
        if what := _alteration(recorded.get(name), there.get((on, name))):
            found.append(Altered(kind, f"the {kind} {name} {what}: tpmirror db upgrade rebuilds it"))
    return found


def dictionary() -> list[dict[str, Any]]:
    """The data dictionary: a row per table, column and view."""
    rows = []
    for table in schema.metadata.sorted_tables:
        rows.append(
            {"table_name": table.name, "column_name": "", "description": table.comment, "api_path": _path(table)}
        )
        for column in table.columns:
            path = _path(table, column.info["api"]) if "api" in column.info else None
            rows.append(
                {"table_name": table.name, "column_name": column.name, "description": column.comment, "api_path": path}
            )
    for name, sql in sources("sqlite").items():
        about = {"": first_line(sql), **{column.name: column.comment for column in view_columns(name)}}
        rows += [
            {"table_name": name, "column_name": column, "description": text, "api_path": None}
            for column, text in about.items()
        ]
    return rows


def _path(table: Table, *inner: str) -> str | None:
    """The path in an API response of a table's object, or of a value in it; None for the mirror's own tables."""
    if "api" not in table.info:
        return None
    return ".".join(part for part in ("results[]", table.info["api"], *inner) if part)


def _fill_dictionary(conn: Connection) -> None:
    dialect, there = conn.dialect.name, definitions(conn)
    triggers = [
        {"table_name": guard.name, "column_name": "", "description": guard.comment, "api_path": None}
        for guard in guards(dialect)
    ]
    hashes = {(name, ""): _hash(there[on, name]) for _, on, name in _defined(dialect)}
    rows = [
        {**row, "definition": hashes.get((row["table_name"], row["column_name"]))} for row in dictionary() + triggers
    ]
    conn.execute(delete(schema.data_dictionary))
    conn.execute(insert(schema.data_dictionary), rows)


def _defined(dialect: str) -> list[tuple[str, str, str]]:
    """Each trigger and view: its kind, its table (for a view, itself), its name."""
    triggers = [("trigger", guard.table, guard.name) for guard in guards(dialect)]
    return triggers + [("view", name, name) for name in sources(dialect)]


def _alteration(recorded: str | None, there: str | None) -> str | None:
    if there is None:
        return "is gone"
    if loose := _LOOSE.get(there[0]):
        return loose
    if recorded is None:
        return "has no definition in the data dictionary"
    return None if _hash(there) == recorded else "was replaced"


def _hash(definition: str) -> str:
    return sha256(definition.encode()).hexdigest()


def _fill_labels(conn: Connection) -> None:
    """Insert or correct the labels of codes that this version knows; the rows of other codes stay."""
    for name, seeds in labels.SEEDS.items():
        table = schema.metadata.tables[name]
        there = {row["code"]: dict(row) for row in conn.execute(table.select()).mappings()}
        for row in seeds:
            if row["code"] not in there:
                conn.execute(insert(table), row)
            elif there[row["code"]] != row:
                conn.execute(update(table).where(table.c.code == row["code"]).values(row))
