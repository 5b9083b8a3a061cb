"""One file of an export: rows of a table or view as Parquet, CSV or JSON Lines, typed the same from both databases.

The types come from the declaration, not from the rows: money is decimal, times are UTC, flags are boolean, also where
SQLite holds them as REAL, text and integer, and where a column is null in every row. The same rows give the same bytes.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Float, Integer, SmallInteger, Text

from tpmirror.db.types import Exact, Timestamp
from tpmirror.formatting import FORMULA

FORMATS: Final = ("parquet", "csv", "jsonl")
GROUP: Final = 131_072
"""Rows of a Parquet row group: the most that is held in memory, and a size that engines read well."""
_TYPES: Final = (
    (Exact, lambda type_: pa.decimal128(type_.precision, type_.scale)),
    (Timestamp, lambda _: pa.timestamp("us", "UTC")),
    (Boolean, lambda _: pa.bool_()),
    (Date, lambda _: pa.date32()),
    (SmallInteger, lambda _: pa.int16()),
    (BigInteger, lambda _: pa.int64()),
    (Integer, lambda _: pa.int32()),
    ((Double, Float), lambda _: pa.float64()),
    (Text, lambda _: pa.string()),
)
"""The first match counts: SQLAlchemy's SmallInteger and BigInteger are subclasses of Integer, so Integer comes last."""


def open_private(path: Path, mode: str, encoding: str | None = None) -> Any:
    """Open a file for writing, readable by its owner alone whatever the umask: an export holds personal data."""
    return open(path, mode, encoding=encoding, opener=lambda name, flags: os.open(name, flags, 0o600))


def arrow_schema(columns: Sequence[Column[Any]]) -> pa.Schema:
    """The columns as an Arrow schema, each with its comment."""
    return pa.schema(
        pa.field(column.name, _type(column.type), column.nullable, {"comment": column.comment or ""})
        for column in columns
    )


def _type(type_: Any) -> pa.DataType:
    return next(make(type_) for kind, make in _TYPES if isinstance(type_, kind))  # type: ignore[no-untyped-call]


class ExportFile:
    """A file being written; closed, and complete, at the end of the ``with`` block."""

    def __init__(self, path: Path, format_: str, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._columns = [pa.array([], field.type) for field in schema]
        self._file = open_private(path, "xb")
        self._writer: Any = _WRITERS[format_](self._file, schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if kind is None:
                self._flush()
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, their values in the order of the columns."""
        values = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(values, self._schema, strict=True)]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        self.rows += len(rows)
        if sum(batch.num_rows for batch in self._waiting) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
            self._waiting.clear()


class _Csv:
    """CSV as in RFC 4180, safe to open in a spreadsheet; null is empty, an empty text is quoted."""

    def __init__(self, file: Any, schema: pa.Schema) -> None:
        options = pa.csv.WriteOptions(eol="\r\n", quoting_style="needed")
        self._writer = pa.csv.CSVWriter(file, schema, write_options=options)

    def write_table(self, table: pa.Table) -> None:
        """Add rows."""
        for place, field in enumerate(table.schema):
            if pa.types.is_string(field.type):
                table = table.set_column(place, field, escape_formulas(table.column(place)))
        self._writer.write_table(table)

    def close(self) -> None:
        """End the file."""
        self._writer.close()


class _JsonLines:
    """A JSON object per line; money as text, so that no digit is lost, and times in ISO 8601 UTC."""

    def __init__(self, file: Any, _schema: pa.Schema) -> None:
        self._file = file
        self._encoder = msgspec.json.Encoder(decimal_format="string")

    def write_table(self, table: pa.Table) -> None:
        """Add rows."""
        for batch in table.to_batches(max_chunksize=4096):
            self._file.write(self._encoder.encode_lines(batch.to_pylist()))

    def close(self) -> None:
        """Nothing to end."""


def _parquet(file: Any, schema: pa.Schema) -> Any:
    return pa.parquet.ParquetWriter(file, schema, compression="zstd")


_WRITERS: Final = {"parquet": _parquet, "csv": _Csv, "jsonl": _JsonLines}


def escape_formulas(column: Any) -> Any:
    """``escape_formula`` for a whole column at once."""
    dangerous = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(dangerous, pc.binary_join_element_wise("'", column, ""), column)
