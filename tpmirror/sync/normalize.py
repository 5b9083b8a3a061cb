"""Turns an answer into rows; a value that a column cannot hold is left out, with a fault.

``schema`` has the mapping: each column states where in the answer its value comes from, and its type states what it can
hold. A column that a row lacks keeps its stored value: the answer states none for it, or none that can be held.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias

from msgspec import UNSET
from msgspec.structs import astuple
from sqlalchemy import Boolean, Column, Float, Integer, SmallInteger, Table, Text

from tpmirror.db import schema
from tpmirror.db.types import CENT_OF_CENT, Money, Row, Timestamp
from tpmirror.tensorpix.decode import ParsedJob
from tpmirror.tensorpix.models import LARGEST, MlModel
from tpmirror.tensorpix.reading import (
    MISSING,
    NUMBER,
    OUT_OF_RANGE,
    TOO_MANY_DIGITS,
    WRONG_KIND,
    YEARS,
    Extra,
    Fault,
    show,
)
from tpmirror.tensorpix.redaction import clean, unsigned

Converter: TypeAlias = Callable[[Any], Any]
"""Turns a value that is not null into the value of the column. Raises UnheldError."""


class UnheldError(Exception):
    """A value that no column holds; its arguments are the kind of fault and the reason."""


@dataclass(slots=True)
class Rows:
    """The rows of one job: values that upstream states and the columns can hold, without the mirror's own columns."""

    job: Row
    input_video: Row | None
    output_video: Row | None
    models: list[Row]
    model_ids: list[int] | None
    """None if the answer does not state the models: null, no such key, or one that cannot be read."""
    faults: dict[str, Fault] = field(default_factory=dict)
    """Values that could not be held, by field as the quarantine names it: ``job.finished``, ``ml_model 44.name``."""


def normalize(item: ParsedJob) -> Rows:
    """The rows of a job. Never fails: a value that no column holds becomes a fault."""
    faults: dict[str, Fault] = {}
    job, source, made, extra = item.job, item.input_video, item.output_video, item.extra
    rows = Rows(
        job=_row(job, extra, "job", faults, item),
        input_video=_row(source, extra, "input_video", faults, item) if source else None,
        output_video=_row(made, extra, "output_video", faults, item) if made else None,
        models=[_model(model, extra, faults) for model in item.models],
        model_ids=[model.id for model in item.models] if isinstance(job.ml_models, list) else None,
        faults=faults,
    )
    for fault in item.faults:
        faults |= dict.fromkeys(_fields(fault), fault)
    if "job.ml_models" in faults:  # the other models are read, but which of them the job uses is not known
        rows.model_ids = None
    if rows.job.get("status") is None and "job.status" not in faults:
        rows.job.pop("status", None)
        faults["job.status"] = Fault("job", "status", MISSING, "a job has a status, this one has none")
    return rows


def _model(model: MlModel, extra: Extra, faults: dict[str, Fault]) -> Row:
    """The row of a model. Most jobs show one of a few models alike: the row of each is cached."""
    entity = f"ml_model {model.id}"
    if entity in extra:
        return _row(model, extra, entity, faults)
    row, found = _usual_model(astuple(model))
    faults |= found
    return row


@lru_cache(maxsize=1000)
def _usual_model(values: tuple[Any, ...]) -> tuple[Row, dict[str, Fault]]:
    faults: dict[str, Fault] = {}
    return _row(MlModel(*values), {}, f"ml_model {values[0]}", faults), faults


def _fields(fault: Fault) -> Iterator[str]:
    """The columns whose value comes from the path of a fault, or from below it."""
    entity = fault.entity.partition(" ")[0]
    paths = _MAPPINGS[entity].paths
    names = [name for name, path in paths.items() if path == fault.path or path.startswith(f"{fault.path}.")]
    return (f"{fault.entity}.{name}" for name in names or [fault.path])


def _row(wire: Any, extra: Extra, entity: str, faults: dict[str, Fault], item: ParsedJob | None = None) -> Row:
    """The row of one object. Its ``item`` tells which values need no conversion; without it each value is converted."""
    mapping = _MAPPINGS[entity.partition(" ")[0]]
    row: Row = dict(zip(mapping.names, mapping.read(wire), strict=False))
    for name, read in mapping.nested:
        row[name] = read(wire)
    if UNSET in row.values():
        row = {name: value for name, value in row.items() if value is not UNSET}
    for name, convert in mapping.converters_for(item):
        value = row.get(name)
        if value is not None:
            try:
                row[name] = convert(value)
            except UnheldError as unheld:
                del row[name]
                faults[f"{entity}.{name}"] = Fault(entity, name, *unheld.args)
    if entity in extra:
        row["extra"] = json.dumps(extra[entity], sort_keys=True)
    return row


def _whole(bits: int) -> Converter:
    limit = 1 << (bits - 1)

    def convert(value: int) -> int:
        if -limit <= value < limit:
            return value
        raise UnheldError(OUT_OF_RANGE, f"{show(value)} does not fit {bits} bits")

    return convert


def _real(value: float) -> float:
    if abs(value) <= LARGEST:
        return value
    raise UnheldError(OUT_OF_RANGE, f"{value:g} is no measure")


def _text(value: str) -> str:
    return unsigned(clean(value))


def _money(value: str | float) -> Decimal:
    if isinstance(value, str) and _USUAL_MONEY.fullmatch(value):
        return Decimal(value)
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise UnheldError(WRONG_KIND, f"{show(value)} is not a number")
    try:
        stated = Decimal(value if isinstance(value, str) else repr(value))
        fits = abs(stated) < MOST_CREDITS
    except ArithmeticError:  # an exponent beyond those that decimals are computed with
        fits = False
    if not fits:
        raise UnheldError(OUT_OF_RANGE, f"{show(value)} does not fit {MONEY}")
    exact = stated.quantize(CENT_OF_CENT)
    if abs(stated - exact) > NOISE:
        raise UnheldError(TOO_MANY_DIGITS, f"{show(value)} does not fit {MONEY}")
    if not abs(exact) < MOST_CREDITS:
        raise UnheldError(OUT_OF_RANGE, f"{show(value)} does not fit {MONEY}")
    return exact


_USUAL_MONEY: Final = re.compile(r"-?(?:0|[1-9]\d{0,5})\.\d{4}", re.ASCII)
"""Money as the API states it: it fits the column, so no check follows."""
MONEY: Final = "6 digits and 4 decimals"
MOST_CREDITS: Final = 10**6
NOISE: Final = Decimal("0.000000005")
"""How far a number may be from one with four decimals and still count as it: the error that adding doubles leaves."""


def _time(value: datetime) -> datetime:
    """The time in UTC."""
    try:
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError:
        moment = None
    if moment is None or not 1970 <= moment.year <= 2200:
        raise UnheldError(OUT_OF_RANGE, f"{show(value.isoformat())} is not a time {YEARS}")
    return moment


def _converter(column: Column[Any]) -> Converter | None:
    """The converter for a column's type; None if the column holds every value that the wire format accepts."""
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


def _reader(path: str) -> Callable[[Any], Any]:
    """A getter that goes down a dotted path and stops at a null."""
    first, _, rest = path.partition(".")
    if not rest:
        return lambda wire: getattr(wire, first)
    inner = _reader(rest)
    return lambda wire: inner(part) if (part := getattr(wire, first)) else part  # null or UNSET


class _Mapping:
    """Maps an object of the wire format to the columns of a table; reads those on the object itself all at once."""

    def __init__(self, table: Table) -> None:
        # str: SQLAlchemy's names are a subclass of str, which dictionaries look up more slowly.
        columns = {str(column.name): column for column in table.columns if "api" in column.info}
        paths = {name: column.info["api"] for name, column in columns.items()}
        self.paths = paths
        self.names = [name for name, path in paths.items() if "." not in path]
        self.read = attrgetter(*(paths[name] for name in self.names))
        self.nested = [(name, _reader(path)) for name, path in paths.items() if "." in path]
        found = {name: _converter(column) for name, column in columns.items()}
        self._all = [(name, convert) for name, convert in found.items() if convert is not None]
        self._documented = [(name, convert) for name, convert in self._all if convert in {_time, _money, _text}]
        self._plain = [(name, convert) for name, convert in self._documented if convert is not _text]

    def converters_for(self, item: ParsedJob | None) -> Sequence[tuple[str, Converter]]:
        """The columns whose values need conversion in an item; without an item, all that have a converter."""
        if item is None or not item.is_documented:
            return self._all
        return self._plain if item.is_plain else self._documented


_MAPPINGS: Final = {
    "job": _Mapping(schema.jobs),
    "input_video": _Mapping(schema.input_videos),
    "output_video": _Mapping(schema.output_videos),
    "ml_model": _Mapping(schema.ml_models),
}
