"""The file of a simulated mirror as a plain reader has it: a connection on which no fault is inflicted."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import sqlite

from tpmirror.db import schema
from tpmirror.db.types import Row


class MirrorFile:
    """Opens with the first question, so that the program may make the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._conn: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._conn:
            self._conn.close()

    def query(self, statement: str, *values: object) -> list[Row]:
        """The rows of a statement."""
        if self._conn is None:
            self._conn = sqlite3.connect(self.path, isolation_level=None)
            self._conn.row_factory = sqlite3.Row
        return [dict(row) for row in self._conn.execute(statement, values)]

    def rows(self, table: str, **equal: object) -> list[Row]:
        """Rows of a table with these values, typed."""
        wanted = " AND ".join(["TRUE", *(f"{name} IS ?" for name in equal)])
        found = self.query(f"SELECT * FROM {table} WHERE {wanted}", *equal.values())
        for row in found:
            row.update((name, read(row[name])) for name, read in _types(table))
        return found

    def is_ready(self) -> bool:
        """Whether there is a mirror."""
        return self.path.exists() and bool(self.query("SELECT 1 FROM sqlite_master WHERE name = 'sync_runs'"))

    def copy(self) -> sqlite3.Connection:
        """The whole database as it is now, in memory."""
        self.query("SELECT 1")
        assert self._conn is not None
        copy = sqlite3.connect(":memory:")
        self._conn.backup(copy)
        return copy

    def put_back(self, copy: sqlite3.Connection) -> bool:
        """Put a copy in its place, unless somebody is writing."""
        with closing(copy), closing(sqlite3.connect(self.path, timeout=0)) as there:
            try:
                copy.backup(there)
            except sqlite3.OperationalError:
                return False
        return True

    def secrets(self, *words: bytes) -> Iterator[str]:
        """Words that must be in no file of the mirror."""
        for path in sorted(self.path.parent.glob(f"{self.path.name}*")):
            content = path.read_bytes()
            yield from (f"{word.decode()} is in {path.name}" for word in words if word in content)


@cache
def _types(table: str) -> list[tuple[str, Callable[[Any], Any]]]:
    """What makes values of what SQLite holds, by column; of a view, none."""
    if table not in schema.metadata.tables:
        return []
    dialect = sqlite.dialect()
    columns = schema.metadata.tables[table].columns
    readers = [(column.name, column.type.dialect_impl(dialect).result_processor(dialect, None)) for column in columns]
    return [(name, read) for name, read in readers if read]
