"""Results of any length as files: CSV that no spreadsheet runs as formulas, and JSON."""

import csv as writer
import io
import json as encoder
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tpmirror.normalize import Row
from tpmirror.spreadsheet import cell
from tpmirror.web import render

Wanted = Callable[[Connection], Select[Any]]
"""A SELECT, made when the mirror is open."""
CHUNK: Final = 500
"""Rows in memory, and in one piece of the answer."""


def csv(request: Request, name: str, columns: Sequence[str], wanted: Wanted) -> Response:
    """An answer with the rows of a SELECT as CSV (RFC 4180): numbers as numbers, money exact, times in UTC."""

    def lines() -> Iterator[str]:
        yield ",".join(columns) + "\r\n"
        for rows in _chunks(request, wanted):
            text = io.StringIO()
            writer.writer(text).writerows([cell(row[column]) for column in columns] for row in rows)
            yield text.getvalue()

    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=_named(name, "csv"))


def json(request: Request, name: str, wanted: Wanted) -> Response:
    """An answer with the rows as one JSON array: money as text, so that no digit is lost, times in ISO 8601."""

    def parts() -> Iterator[str]:
        before = "["
        for rows in _chunks(request, wanted):
            for row in rows:
                yield before + encoder.dumps({key: _value(value) for key, value in row.items()})
                before = ",\n"
        yield "[]\n" if before == "[" else "]\n"

    return StreamingResponse(parts(), media_type="application/json", headers=_named(name, "json"))


def _chunks(request: Request, wanted: Wanted) -> Iterator[list[Row]]:
    with render.snapshot(request) as conn:
        found = conn.execution_options(yield_per=CHUNK).execute(wanted(conn)).mappings()
        for some in found.partitions(CHUNK):
            yield [dict(row) for row in some]


def _named(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="tpmirror-{name}.{ending}"'}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | Decimal):
        return str(value)
    return value
