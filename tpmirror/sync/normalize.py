"""From a payload to the rows it stands for; what a column cannot hold becomes null, with a note.

The mapping is not written here: each column of ``schema`` says where in the payload its value comes from, and its type
says what it can hold.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import Boolean, Column, Float, Integer, SmallInteger, Table, Text

from tpmirror.db import schema
from tpmirror.db.types import CENT_OF_CENT, Money, Row, Timestamp
from tpmirror.tensorpix.decode import ParsedJob
from tpmirror.tensorpix.models import MlModel
from tpmirror.tensorpix.redaction import clean, strip_query, strip_text, unsigned

Notes: TypeAlias = list[str]
Converter: TypeAlias = Callable[[Any, Notes], Any]
"""From a value that is not null to what the column holds; what could not be held is noted."""


@dataclass(slots=True)
class Rows:
    """The rows of one job: what upstream states, none of the mirror's own columns."""

    job: Row
    input_video: Row | None
    output_video: Row | None
    model_ids: list[int] | None
    """None if the answer does not state the models: null, or no such key."""
    cost_weights: list[float | None]
    notes: list[str] = field(default_factory=list)
    """What could not be held, one sentence each."""


def normalize(item: ParsedJob) -> Rows:
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
        model_ids=None if job.ml_models is None else [model.id for model in models],
        cost_weights=[_weight(model, notes) for model in models],
        notes=notes,
    )


def normalize_model(model: MlModel, item: ParsedJob) -> tuple[Row, list[str]]:
    """The row of a model as one job shows it, and notes."""
    notes: list[str] = []
    row = _row(schema.ml_models, model, item.extra.get(f"ml_model {model.id}"), f"ml_model {model.id}.", notes)
    return row, notes


def _row(table: Table, wire: Any, extra: dict[str, Any] | None, where: str, notes: Notes) -> Row:
    mapping, found = _MAPPINGS[table.name], Notes()
    row: Row = dict(zip(mapping.names, mapping.read(wire), strict=False))
    for name, read in mapping.nested:
        row[name] = read(wire)
    odd = [name for name, low, high in mapping.numbers if (value := row[name]) is not None and not low <= value <= high]
    for name in [*odd, *mapping.others]:
        value = row[name]
        if value is not None:
            row[name] = mapping.converters[name](value, found)
            if found:
                notes += [f"{where}{name}: {note}" for note in found]
                found.clear()
    row["extra"] = json.dumps(extra, sort_keys=True) if extra else None
    return row


def _output_extra(item: ParsedJob) -> dict[str, Any] | None:
    nested = item.extra.get("preview_videos")
    return {**item.extra.get("output_video", {}), **({"preview_videos": nested} if nested else {})}


def _whole(bits: int) -> Callable[[int, Notes], int | None]:
    limit = 1 << (bits - 1)

    def convert(value: int, notes: Notes) -> int | None:
        if -limit <= value < limit:
            return value
        shown = str(value) if abs(value) < 10**30 else "a number of more than 30 digits"
        notes.append(f"{shown} does not fit {bits} bits; stored as null")
        return None

    return convert


def _weight(model: MlModel, notes: Notes) -> float | None:
    return None if model.cost_weight is None else _real(model.cost_weight, notes)


def _real(value: float, notes: Notes) -> float | None:
    if abs(value) <= LARGEST:
        return value
    notes.append(f"{value:g} is no measure; stored as null")
    return None


def _text(value: str, notes: Notes) -> str:
    cleaned = clean(value)
    if cleaned is not value and cleaned != value:
        notes.append("has characters that no database holds; replaced")
    return unsigned(cleaned)


def _url(value: str, notes: Notes) -> str:
    return _text(strip_query(value) or "", notes)


def _money(value: Decimal, notes: Notes) -> Decimal | None:
    if value.is_finite() and abs(value) < 10**6 and value == (exact := value.quantize(CENT_OF_CENT)):
        return exact
    notes.append(f"{str(value)[:40]} does not fit 6 digits and 4 decimals; stored as null")
    return None


_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_USUAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{6})?Z", re.ASCII)
"""As DRF prints it nearly always, and as the standard library reads it."""
_YEARS: Final = range(1970, 2201)
LARGEST: Final = 1e15
"""The largest real number that is taken for a measure: PostgreSQL refuses a sum or product that leaves its range, and
with it the whole view."""


def _time(value: str, notes: Notes) -> datetime | None:
    """RFC 3339, as DRF prints it; a time without zone is UTC, a leap second the last microsecond of its minute."""
    if _USUAL.fullmatch(value):
        return _within_years(value, _moment(value), notes)
    found = _TIME.fullmatch(value)
    if found is None:
        notes.append(f"{strip_text(clean(value))[:40]!r} is not a time; stored as null")
        return None
    second, fraction, zone = found["second"] or "00", (found["fraction"] or "")[:7], found["zone"]
    if second == "60":
        second, fraction = "59", ".999999"
        notes.append(f"{value[:40]!r} is a leap second; stored as the microsecond before its end")
    if zone is None:
        notes.append(f"{value[:40]!r} has no time zone; taken as UTC")
    moment = _moment(f"{found['date']}T{found['minute']}:{second}{fraction}{zone or 'Z'}")
    return _within_years(value, moment, notes)


def _moment(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _within_years(value: str, moment: datetime | None, notes: Notes) -> datetime | None:
    if moment is None or moment.year not in _YEARS:
        notes.append(f"{value[:40]!r} is not a time between 1970 and 2200; stored as null")
        return None
    return moment


def _converter(column: Column[Any]) -> Converter | None:
    """By what the column can hold; None where it holds whatever the wire format lets through."""
    if column.info.get("url"):
        return _url
    by_type: list[tuple[type, Converter | None]] = [
        (Timestamp, _time), (Money, _money), (Boolean, None), (Text, _text), (Float, _real),
    ]  # fmt: skip
    for type_, convert in by_type:
        if isinstance(column.type, type_):
            return convert
    return _whole(_bits(column))


def _bits(column: Column[Any]) -> int:
    if isinstance(column.type, SmallInteger):
        return 16
    return 32 if type(column.type) is Integer else 64


def _is_number(column: Column[Any]) -> bool:
    return isinstance(column.type, Integer | Float)


def _range(column: Column[Any]) -> tuple[float, float]:
    """The numbers that a column holds as they are."""
    if isinstance(column.type, Float):
        return -LARGEST, LARGEST
    limit = 1 << (_bits(column) - 1)
    return -limit, limit - 1


def _reader(path: str) -> Callable[[Any], Any]:
    """A getter that goes down a dotted path and stops at a null."""
    first, _, rest = path.partition(".")
    if not rest:
        return lambda wire: getattr(wire, first)
    inner = _reader(rest)
    return lambda wire: None if (part := getattr(wire, first)) is None else inner(part)


class _Mapping:
    """From an object of the wire format to the columns of a table, those on the object itself all at once."""

    def __init__(self, table: Table) -> None:
        # str: SQLAlchemy's names are of a class of their own, which dictionaries look up more slowly.
        columns = {str(column.name): column for column in table.columns if "api" in column.info}
        paths = {name: column.info["api"] for name, column in columns.items()}
        self.names = [name for name, path in paths.items() if "." not in path]
        self.read = attrgetter(*(paths[name] for name in self.names))
        self.nested = [(name, _reader(path)) for name, path in paths.items() if "." in path]
        found = {name: _converter(column) for name, column in columns.items()}
        self.converters = {name: convert for name, convert in found.items() if convert is not None}
        # Nearly every number fits: checked inline, because a call for each would cost more than all the rest.
        self.numbers = [(name, *_range(columns[name])) for name in self.converters if _is_number(columns[name])]
        self.others = [name for name in self.converters if not _is_number(columns[name])]


_MAPPINGS: Final = {
    table.name: _Mapping(table) for table in (schema.jobs, schema.input_videos, schema.output_videos, schema.ml_models)
}
