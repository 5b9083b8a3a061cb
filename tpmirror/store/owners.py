"""Takes owners' e-mail addresses out of everything that the mirror holds, the history of changes included."""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, or_, select, update

from tpmirror.db import bulk, schema
from tpmirror.db.guards import lifted
from tpmirror.store.changes import RECHECK

_changes, _scope = schema.field_changes, schema.mirror_scope
_OF_OWNER = (_changes.c.entity == "input_video") & (_changes.c.field == "owner")


class Renaming(Protocol):
    """Replaces addresses; ``tensorpix.owners`` has the only implementation."""

    def owner(self, text: str) -> str:
        """An owner, replaced."""

    def document(self, text: str) -> str:
        """JSON, the addresses in it replaced."""

    def prose(self, text: str) -> str:
        """A text, the addresses in it replaced."""


def replace_owners(conn: Connection, names: Renaming) -> int:
    """Replace every address in one transaction; returns how many rows change, fingerprints not counted.

    The next full sync compares every job again, because a fingerprint is of an answer with the address in it.
    """
    quarantine = schema.quarantined_jobs
    changed = _scope_owners(conn, names)
    changed += _each(conn, schema.input_videos.c.owner, names.owner)
    for table in (schema.jobs, schema.input_videos, schema.output_videos, schema.ml_models):
        changed += _each(conn, table.c.extra, names.document, _is_suspect(table.c.extra))
    changed += _each(conn, quarantine.c.payload, names.document, _is_suspect(quarantine.c.payload))
    changed += _each(conn, quarantine.c.reason, names.prose, _is_suspect(quarantine.c.reason))
    changed += _history(conn, names)
    if changed:
        conn.execute(update(schema.jobs).values(fingerprint=RECHECK))
    return changed


def _is_suspect(column: Column[str]) -> ColumnElement[bool]:
    return or_(column.contains("@"), column.contains('"owner"'))


def _scope_owners(conn: Connection, names: Renaming) -> int:
    is_owner = _scope.c.kind == "input_owner"
    held = set(conn.execute(select(_scope.c.value).where(is_owner)).scalars())
    renamed = {value: names.owner(value) for value in held if names.owner(value) != value}
    for value, name in renamed.items():
        mine = is_owner & (_scope.c.value == value)
        conn.execute(delete(_scope).where(mine) if name in held else update(_scope).where(mine).values(value=name))
    return len(renamed)


def _history(conn: Connection, names: Renaming) -> int:
    """Changes of owners, and of keys without a column: the only rows of the history that are ever rewritten."""
    columns = (_changes.c.old_value, _changes.c.new_value)
    wanted = [(column, names.owner, _OF_OWNER) for column in columns]
    wanted += [(column, names.document, (_changes.c.field == "extra") & _is_suspect(column)) for column in columns]
    found = [(column, rows) for column, rename, where in wanted if (rows := _renamed(conn, column, rename, where))]
    if found:
        with lifted(conn, _changes):
            return sum(_write(conn, column, rows) for column, rows in found)
    return 0


def _each(
    conn: Connection, column: Column[str], rename: Callable[[str], str], where: ColumnElement[bool] | None = None
) -> int:
    return _write(conn, column, _renamed(conn, column, rename, where))


def _renamed(
    conn: Connection, column: Column[str], rename: Callable[[str], str], where: ColumnElement[bool] | None
) -> dict[int, str]:
    """By id, the new value of a column, for the rows in which it differs from the stored one."""
    table: Table = column.table
    wanted = select(table.c.id, column).where(column.is_not(None), *([] if where is None else [where]))
    found = conn.execute(wanted.order_by(table.c.id), execution_options={"yield_per": 5000})
    return {row_id: name for row_id, text in found if (name := rename(text)) != text}


def _write(conn: Connection, column: Column[str], rows: dict[int, str]) -> int:
    table: Table = column.table
    bulk.update(conn, table, [{"id_": row_id, str(column.name): text} for row_id, text in rows.items()])
    return len(rows)
