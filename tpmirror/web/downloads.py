"""Results of any length as files: CSV that no spreadsheet runs as formulas, and JSON.

A file holds one snapshot of the mirror until its client has read it all, and a connection to the database: so there are
few at once, and none for long.
"""

import csv as writer
import io
import json as encoder
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final

import anyio
from sqlalchemy import Column, Connection, Select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tpmirror.db.types import Row
from tpmirror.errors import MirrorError
from tpmirror.formatting import csv_cell, to_json, to_plain
from tpmirror.reports import formats
from tpmirror.reports.model import Report
from tpmirror.store.prices import UNPRICED, Prices
from tpmirror.web import templating
from tpmirror.web.cancellation import Query

Wanted = Callable[[Connection], Select[Any]]
"""A SELECT, made when the mirror is open."""
CHUNK: Final = 500
"""Rows in memory, and in one piece of the answer."""
PIECE: Final = 65_536
"""Bytes of a file that was written, in one piece of the answer."""
AT_ONCE: Final = 4
"""Files under way; the rest of the pool's connections is for pages."""
MAX_SECONDS: Final = 600.0
"""Seconds after which a file is cut off: SQLite's write-ahead log grows as long as a reader holds an old snapshot."""


def csv(request: Request, name: str, columns: Sequence[str], wanted: Wanted, period: str | None = "month") -> Response:
    """An answer with the rows of a SELECT as CSV (RFC 4180): numbers as numbers, money exact, times in UTC.

    Beside ``credits`` stands what they are in money, if a price is known for the day or month that ``period`` names;
    nothing, without ``period``.
    """

    def lines() -> Generator[str | bytes]:
        with _opened(request, wanted, period) as (prices, chunks):
            names = [*columns, *prices.columns]
            yield ",".join(names) + "\r\n"
            for rows in chunks:
                text = io.StringIO()
                writer.writer(text).writerows([csv_cell(row[name]) for name in names] for row in rows)
                yield text.getvalue()

    return _File(request, lines(), f"{name}.csv", "text/csv; charset=utf-8")


def json(request: Request, name: str, wanted: Wanted, period: str | None = "month") -> Response:
    """The same rows as one JSON array: money as text, so that no digit is lost, times in ISO 8601."""

    def parts() -> Generator[str | bytes]:
        with _opened(request, wanted, period) as (_, chunks):
            before = "["
            for rows in chunks:
                yield before + ",\n".join(encoder.dumps(row, default=to_plain) for row in rows)
                before = ",\n"
            yield "[]\n" if before == "[" else "]\n"

    return _File(request, parts(), f"{name}.json", "application/json")


def parquet(request: Request, name: str, columns: Sequence[Column[Any]], wanted: Wanted) -> Response:
    """The same rows as Parquet, typed as an export has them. Raises HTTPException 404 without pyarrow.

    A file of it ends with its index: it is written whole, where only this process finds it, before it is sent.
    """
    try:
        from tpmirror.export.files import ExportFile, arrow_schema  # noqa: PLC0415 - pyarrow is an extra
    except ImportError:
        raise HTTPException(404, "Parquet needs pyarrow; install tpmirror[export]") from None

    def pieces() -> Generator[str | bytes]:
        with _opened(request, wanted, None) as (_, chunks), tempfile.TemporaryDirectory(prefix="tpmirror-") as folder:
            path = Path(folder) / f"{name}.parquet"
            with ExportFile(path, "parquet", arrow_schema(columns)) as file:
                for rows in chunks:
                    file.add([tuple(row.values()) for row in rows])
            with path.open("rb") as held:
                yield from iter(lambda: held.read(PIECE), b"")

    return _File(request, pieces(), f"{name}.parquet", "application/vnd.apache.parquet")


def report_csv(name: str, report: Report) -> Response:
    """The rows of a report, as ``tpmirror report --format csv`` prints them."""
    return _whole(formats.to_csv(name, report), f"{name}.csv", "text/csv; charset=utf-8")


def report_json(name: str, report: Report) -> Response:
    """A report as ``tpmirror report --format json`` prints it."""
    return _whole(formats.to_json(name, report), f"{name}.json", "application/json")


def rows_json(name: str, rows: Sequence[Row]) -> Response:
    """Rows as one JSON array."""
    return _whole(to_json(list(rows)) + "\n", f"{name}.json", "application/json")


def _whole(text: str, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="tpmirror-{name}"'}
    return Response(text, media_type=media_type, headers=headers)


class _File(StreamingResponse):
    """Pieces of text. The first is made before the answer begins: if the mirror cannot be read, it can still say so."""

    def __init__(self, request: Request, pieces: Generator[str | bytes], name: str, media_type: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="tpmirror-{name}"'}
        super().__init__(chain([next(pieces)], pieces), media_type=media_type, headers=headers)
        self._pieces = pieces
        self._query: Query = request.state.query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the mirror is let go of however that ends."""
        try:
            with anyio.move_on_after(MAX_SECONDS):
                await super().__call__(scope, receive, send)
        except MirrorError:
            if not self._query.cancelled:  # else its client left
                raise
        finally:
            with anyio.CancelScope(shield=True):  # also when all that is done for a client that left is cancelled
                await run_in_threadpool(self._pieces.close)


@contextmanager
def _opened(request: Request, wanted: Wanted, period: str | None) -> Iterator[tuple[Prices, Iterator[list[Row]]]]:
    """The prices, and the rows, chunk by chunk, once the database has begun to find them.

    Raises HTTPException 503 if too many ask.
    """

    def priced(row: Row) -> Row:
        return {**row, **prices.worth(row["credits"], row[period])} if prices and period is not None else row

    turns = request.app.state.downloads
    if not turns.acquire(blocking=False):
        raise HTTPException(503, f"{AT_ONCE} files are under way already; try again when one of them has ended.")
    try:
        with templating.snapshot(request, MAX_SECONDS + templating.PAGE_SECONDS) as conn:
            prices = templating.prices(request, conn) if period is not None else UNPRICED
            with conn.execution_options(yield_per=CHUNK).execute(wanted(conn)) as found:
                yield prices, ([priced(dict(row)) for row in some] for some in found.mappings().partitions(CHUNK))
    finally:
        turns.release()
