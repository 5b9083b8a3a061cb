"""Results of any length as files: JSON, Parquet, and CSV whose cells no spreadsheet evaluates as formulas.

A download holds a snapshot of the mirror and a database connection until its client has read the file, so ``AT_ONCE``
and ``MAX_SECONDS`` limit downloads.
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
"""Makes a SELECT on an open connection."""
CHUNK: Final = 500
"""Rows fetched at a time, and sent as one chunk of the response."""
PIECE: Final = 65_536
"""Bytes of a Parquet file in one chunk of the response."""
AT_ONCE: Final = 4
"""Concurrent downloads; the rest of the pool's connections is for pages."""
MAX_SECONDS: Final = 600.0
"""Seconds after which a download is cut off: SQLite's write-ahead log grows while a reader holds an old snapshot."""


def csv(request: Request, name: str, columns: Sequence[str], wanted: Wanted, period: str | None = "month") -> Response:
    """A response with the rows of a SELECT as CSV (RFC 4180): numbers as numbers, money exact, times in UTC.

    Further columns give ``credits`` in money, where a price is known for the day or month in the column ``period``;
    without ``period``, there are none.
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
    """The rows of a SELECT as one JSON array: money as text, so that no digit is lost, times in ISO 8601."""

    def parts() -> Generator[str | bytes]:
        with _opened(request, wanted, period) as (_, chunks):
            before = "["
            for rows in chunks:
                yield before + ",\n".join(encoder.dumps(row, default=to_plain) for row in rows)
                before = ",\n"
            yield "[]\n" if before == "[" else "]\n"

    return _File(request, parts(), f"{name}.json", "application/json")


def parquet(request: Request, name: str, columns: Sequence[Column[Any]], wanted: Wanted) -> Response:
    """The rows of a SELECT as Parquet, with the types of an export. Raises HTTPException 404 without pyarrow.

    A Parquet file ends with its footer, so it is completed in a private temporary folder before it is sent.
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
    """A streamed file. The first chunk is made before the headers are sent, so an error in it still answers 503."""

    def __init__(self, request: Request, pieces: Generator[str | bytes], name: str, media_type: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="tpmirror-{name}"'}
        super().__init__(chain([next(pieces)], pieces), media_type=media_type, headers=headers)
        self._pieces = pieces
        self._query: Query = request.state.query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks; then close their generator in any case, which holds the snapshot."""
        try:
            with anyio.move_on_after(MAX_SECONDS):
                await super().__call__(scope, receive, send)
        except MirrorError:
            if not self._query.cancelled:  # else the client disconnected
                raise
        finally:
            with anyio.CancelScope(shield=True):  # unshielded, a disconnect would cancel the close too
                await run_in_threadpool(self._pieces.close)


@contextmanager
def _opened(request: Request, wanted: Wanted, period: str | None) -> Iterator[tuple[Prices, Iterator[list[Row]]]]:
    """The prices, and the rows of the executed SELECT in chunks that are fetched as they are consumed.

    Raises HTTPException 503 if ``AT_ONCE`` downloads are under way.
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
