"""The triggers that keep history append-only: declared here, and restored at each upgrade.

The first migration creates triggers too; the end of each upgrade replaces those that differ from these declarations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Table, UniqueConstraint

from tpmirror.db import schema
from tpmirror.db.definitions import definitions

_BODY: Final = " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END "
_FUNCTION: Final = (
    f"CREATE OR REPLACE FUNCTION tpmirror_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"
)


@dataclass(frozen=True, slots=True)
class Guard:
    """A trigger: its purpose, its definition in the catalog, and the statements that create or replace it."""

    name: str
    table: str
    comment: str
    definition: str
    statements: tuple[str, ...]


def guards(dialect: str) -> list[Guard]:
    """Every trigger that a mirror must have on this dialect."""
    guard = _on_sqlite if dialect == "sqlite" else _on_postgresql
    return [found for table in schema.APPEND_ONLY for found in guard(table)]


def create_guards(conn: Connection) -> None:
    """Create triggers that are missing or differ, and no others: on PostgreSQL DROP TRIGGER waits for every reader."""
    there = definitions(conn)
    for guard in guards(conn.dialect.name):
        if there.get((guard.table, guard.name)) != guard.definition:
            for statement in guard.statements:
                # no_parameters: the driver would take a percent sign for a placeholder.
                conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


@contextmanager
def lifted(conn: Connection, table: Table) -> Iterator[None]:
    """Drop a table's triggers for the block, and create them again after it. Raises if another role owns the table."""
    on = f" ON {table}" if conn.dialect.name == "postgresql" else ""
    for guard in guards(conn.dialect.name):
        if guard.table == table.name:
            conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {guard.name}{on}")
    yield
    create_guards(conn)


def _on_sqlite(table: Table) -> Iterator[Guard]:
    """Refuse UPDATE, DELETE and any INSERT over an existing row; by default REPLACE fires no DELETE trigger."""
    unique = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    keys = [table.primary_key.columns.keys(), *sorted(constraint.columns.keys() for constraint in unique)]
    taken = " OR ".join(_is_taken(table, key) for key in (*keys, ["rowid"]))  # INSERT OR REPLACE can name the rowid too
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for suffix, when, refused in (
        ("no_update", f"UPDATE ON {table}", "changes of rows"),
        ("no_delete", f"DELETE ON {table}", "removals of rows"),
        ("no_replace", f"INSERT ON {table} WHEN {taken}", "rows that would replace others"),
    ):
        name = f"{table}_{suffix}"
        create = f"CREATE TRIGGER {name} BEFORE {when} {refuse}"
        comment = f"refuses {refused} in {table}"
        yield Guard(name, table.name, comment, create, (f"DROP TRIGGER IF EXISTS {name}", create))


def _is_taken(table: Table, key: list[str]) -> str:
    same = " AND ".join(f"{name} = NEW.{name}" for name in key)
    return f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names are ours


def _on_postgresql(table: Table) -> Iterator[Guard]:
    """Refuse UPDATE, DELETE and TRUNCATE, also where session_replication_role would switch triggers off."""
    for suffix, when, refused in (
        ("no_change", f"DELETE OR UPDATE ON {table} FOR EACH ROW", "changes and removals of rows"),
        ("no_truncate", f"TRUNCATE ON {table} FOR EACH STATEMENT", "the removal of all rows at once"),
    ):
        name = f"{table}_{suffix}"
        create = f"CREATE TRIGGER {name} BEFORE {when} EXECUTE FUNCTION tpmirror_refuse_change()"
        comment = f"refuses {refused} in {table}"
        always = f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
        made = (_FUNCTION, f"DROP TRIGGER IF EXISTS {name} ON {table}", create, always)
        yield Guard(name, table.name, comment, f"A\n{create}\n{_BODY}", made)
