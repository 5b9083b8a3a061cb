"""From a payload to the rows it stands for; what a column cannot hold becomes null, with a note.

The mapping is not written here: each column of ``schema`` says where in the payload its value comes from, and its type
says what it can hold.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import Boolean, Column, Float, Integer, SmallInteger, Table, Text

from tpmirror import schema
from tpmirror.columns import CENT_OF_CENT, Money, Timestamp
from tpmirror.decode import Item, clean, strip_query
from tpmirror.payload import MlModel

Row: TypeAlias = dict[str, Any]
Note: TypeAlias = Callable[[str], None]


@dataclass(slots=True)
class Rows:
    """The rows of one job: what upstream states, none of the mirror's own columns."""

    job: Row
    input_video: Row | None
    output_video: Row | None
    model_ids: list[int]
    cost_weights: list[float | None]
    notes: list[str] = field(default_factory=list)
    """What could not be held, one sentence each."""


def normalize(item: Item) -> Rows:
    """The rows of a job. Never fails: whatever decodes can be stored."""
    notes: list[str] = []
    job = item.job
    source, made = job.input_video, job.output_video
    models = job.ml_models or []
    return Rows(
        job=_row(schema.jobs, job, item.extra.get("job"), "", notes),
        input_video=None
        if source is None
        else _row(schema.input_videos, source, item.extra.get("input_video"), "input_video.", notes),
        output_video=None
        if made is None
        else _row(schema.output_videos, made, _output_extra(item), "output_video.", notes),
        model_ids=[model.id for model in models],
        cost_weights=[_real(model.cost_weight, notes.append) for model in models],
        notes=notes,
    )


def normalize_model(model: MlModel, item: Item) -> tuple[Row, list[str]]:
    """The row of a model as one job shows it, and notes."""
    notes: list[str] = []
    row = _row(schema.ml_models, model, item.extra.get(f"ml_model {model.id}"), f"ml_model {model.id}.", notes)
    return row, notes


def _row(table: Table, wire: Any, extra: dict[str, Any] | None, where: str, notes: list[str]) -> Row:
    row: Row = {}
    for name, read, convert in _MAPPINGS[table.name]:
        value, noted = read(wire), len(notes)
        row[name] = None if value is None else convert(value, notes.append)
        if len(notes) > noted:
            notes[noted:] = [f"{where}{name}: {note}" for note in notes[noted:]]
    row["extra"] = json.dumps(extra, sort_keys=True) if extra else None
    return row


def _output_extra(item: Item) -> dict[str, Any] | None:
    nested = item.extra.get("preview_videos")
    return {**item.extra.get("output_video", {}), **({"preview_videos": nested} if nested else {})}


def _whole(bits: int) -> Callable[[int, Note], int | None]:
    limit = 1 << (bits - 1)

    def convert(value: int, note: Note) -> int | None:
        if -limit <= value < limit:
            return value
        shown = str(value) if abs(value) < 10**30 else "a number of more than 30 digits"
        note(f"{shown} does not fit {bits} bits; stored as null")
        return None

    return convert


def _real(value: float | None, note: Note) -> float | None:
    if value is None or math.isfinite(value):
        return value
    note(f"{value} is not a number; stored as null")
    return None


def _flag(value: bool, note: Note) -> bool:  # noqa: ARG001 - the signature all converters share
    return value


def _text(value: str, note: Note) -> str:
    cleaned = clean(value)
    if cleaned != value:
        note("has characters that no database holds; replaced")
    return cleaned


def _url(value: str, note: Note) -> str:
    return _text(strip_query(value) or "", note)


def _money(value: Decimal, note: Note) -> Decimal | None:
    if value.is_finite() and abs(value) < 10**6 and value == (exact := value.quantize(CENT_OF_CENT)):
        return exact
    note(f"{str(value)[:40]} does not fit 6 digits and 4 decimals; stored as null")
    return None


_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_YEARS: Final = range(1970, 2201)


def _time(value: str, note: Note) -> datetime | None:
    """RFC 3339, as DRF prints it; a time without zone is UTC, a leap second the last microsecond of its minute."""
    found = _TIME.fullmatch(value)
    if found is None:
        note(f"{clean(value).partition('?')[0][:40]!r} is not a time; stored as null")
        return None
    second, fraction, zone = found["second"] or "00", (found["fraction"] or "")[:7], found["zone"]
    if second == "60":
        second, fraction = "59", ".999999"
        note(f"{value[:40]!r} is a leap second; stored as the microsecond before its end")
    if zone is None:
        note(f"{value[:40]!r} has no time zone; taken as UTC")
    try:
        moment = datetime.fromisoformat(
            f"{found['date']}T{found['minute']}:{second}{fraction}{zone or 'Z'}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.year not in _YEARS:
        note(f"{value[:40]!r} is not a time between 1970 and 2200; stored as null")
        return None
    return moment


def _converter(column: Column[Any]) -> Callable[[Any, Note], Any]:
    """By what the column can hold."""
    if column.info.get("url"):
        return _url
    by_type: list[tuple[type, Callable[[Any, Note], Any]]] = [
        (Timestamp, _time), (Money, _money), (Boolean, _flag), (Text, _text), (Float, _real),
    ]  # fmt: skip
    for type_, convert in by_type:
        if isinstance(column.type, type_):
            return convert
    if isinstance(column.type, SmallInteger):
        return _whole(16)
    return _whole(32 if type(column.type) is Integer else 64)


def _reader(path: str) -> Callable[[Any], Any]:
    """A getter that goes down a dotted path and stops at a null."""
    first, _, rest = path.partition(".")
    if not rest:
        return lambda wire: getattr(wire, first)
    inner = _reader(rest)
    return lambda wire: None if (part := getattr(wire, first)) is None else inner(part)


_MAPPINGS: Final = {
    table.name: [
        (column.name, _reader(column.info["api"]), _converter(column))
        for column in table.columns
        if "api" in column.info
    ]
    for table in (schema.jobs, schema.input_videos, schema.output_videos, schema.ml_models)
}
