"""The page docs/data-dictionary.md, made from what the code declares: ``make docs`` writes it, a test holds it."""

import sys
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy.dialects import postgresql

from tpmirror.db import dictionary, schema
from tpmirror.export.datasets import relations

HEAD: Final = """# Data dictionary

What every table and view holds, with the same names on SQLite and PostgreSQL. Made by `make docs` from the declaration;
the database has the same in the table `data_dictionary`, and PostgreSQL in its comments. Types are PostgreSQL's. On
SQLite, times are text like `2026-11-01 09:30:00.000000+00:00`, flags 0 and 1, money REAL. Times are UTC, money is in
Credits unless it says otherwise. "In the API" is where a value comes from in the answer of `GET /api/jobs/`.
"""
WORDS: Final = {"timestamp with time zone": "timestamptz", "numeric(20, 4)": "numeric", "numeric(28, 10)": "numeric"}


def page() -> str:
    """The whole page."""
    return HEAD + "".join(
        _section(name, list(rows)) for name, rows in groupby(dictionary.dictionary(), key=itemgetter("table_name"))
    )


def _section(name: str, rows: list[dict[str, Any]]) -> str:
    about, *columns = rows
    kind = "View: " if name not in schema.metadata.tables else ""
    working = "Working table, not to be relied on: " if name in {table.name for table in schema.WORKING} else ""
    lines = [f"| `{c['column_name']}` | {_type(name, c['column_name'])} | {_cell(c)} |" for c in columns]
    head = "| column | type | what it holds | in the API |\n| --- | --- | --- | --- |\n"
    return f"\n## {name}\n\n{working}{kind}{about['description']}\n\n{head}" + "\n".join(lines) + "\n"


def _cell(column: dict[str, Any]) -> str:
    text = str(column["description"]).replace("|", "\\|")
    return f"{text} | `{column['api_path']}`" if column["api_path"] else f"{text} | -"


def _type(table: str, column: str) -> str:
    if table in schema.metadata.tables:
        type_ = schema.metadata.tables[table].c[column].type
    else:
        type_ = next(relation for relation in relations() if relation.name == table).table.c[column].type
    word = type_.compile(dialect=postgresql.dialect()).lower()
    return WORDS.get(word, word)


if __name__ == "__main__":
    sys.stdout.write(page())
