"""What a view's columns are: read from the head of its .sql file, the one place that says so.

A SELECT on SQLite has no declared types, so each view declares them, a line per column, in the words of PostgreSQL:

    -- Credits per day (UTC): what one row is.
    -- day date: the day
    -- credits numeric(14,4): their cost in Credits

The data dictionary, comments, export and tests read these lines. ``name.postgresql.sql`` needs none of them.
"""

import re
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.types import TypeEngine

from tpmirror.columns import Double, Exact, Timestamp

TYPES: Final[dict[str, TypeEngine[Any]]] = {
    "smallint": SmallInteger(),
    "integer": Integer(),
    "bigint": BigInteger(),
    "boolean": Boolean(),
    "text": Text(),
    "date": Date(),
    "timestamptz": Timestamp(),
    "double precision": Double,
}
"""Types by PostgreSQL's name; the only other one is ``numeric(precision,scale)``."""
_LINE: Final = re.compile(r"-- ([a-z]\w*) ([a-z]+(?: precision)?(?:\((\d+),(\d+)\))?): (.+)")


def view_table(name: str, sql: str) -> Table:
    """A view as SQLAlchemy knows tables, to select from with the right types on both databases."""
    return Table(name, MetaData(), *_columns(sql), comment=first_line(sql))


def first_line(sql: str) -> str:
    """What a view is: its file's first line, a comment."""
    return sql.partition("\n")[0].removeprefix("--").strip()


def _columns(sql: str) -> list[Column[Any]]:
    found = []
    for line in sql.splitlines()[1:]:
        if not line.startswith("--"):
            break
        if match := _LINE.fullmatch(line):
            name, word, precision, scale, comment = match.groups()
            type_ = Exact(int(precision), int(scale)) if precision else TYPES[word]
            found.append(Column(name, type_, comment=comment))
    return found
