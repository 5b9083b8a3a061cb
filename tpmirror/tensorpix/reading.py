"""An item that is not just as documented, read field by field: one odd value never costs the others.

Accepted besides the documented kind are a whole float or a numeric string for a number, a number for a text, 0 and 1
for a boolean. Any other value is a fault, and its field is left out as if it had not been shown.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias, get_type_hints

import msgspec

from tpmirror.tensorpix.models import (
    MOST_MODELS,
    Flag,
    InputVideo,
    Int16,
    Int32,
    Int64,
    Job,
    MlModel,
    Money,
    OutputVideo,
    PreviewVideos,
    Real,
    Text,
    Time,
    Wire,
    WireId,
)
from tpmirror.tensorpix.redaction import clean, strip_secrets, strip_text

Extra: TypeAlias = dict[str, dict[str, Any]]
"""Unknown keys by the object they stood in: ``job``, ``input_video``, ``output_video``, ``ml_model 44``."""

WRONG_KIND: Final = "wrong kind"
OUT_OF_RANGE: Final = "out of range"
TOO_MANY_DIGITS: Final = "too many digits"
NOT_A_TIME: Final = "not a time"
MISSING: Final = "missing"
UNREADABLE: Final = "unreadable"
"""Kinds of faults; the last one is of whole items."""

NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
"""A number as JSON writes it."""
MOST_DIGITS: Final = 40
"""Digits beyond which no whole number fits any column: it is read as a double, because arithmetic with it takes
long."""
YEARS: Final = "between 1970 and 2200"
"""The times that a column holds."""
_SHOWN: Final = 40
"""Characters of a value that a reason shows."""


class Fault(NamedTuple):
    """A value that cannot be held: where it stood, the kind of fault, and the value as text."""

    entity: str
    """``job``, ``input_video``, ``output_video`` or ``ml_model 44``."""
    path: str
    """Key in that object; dotted where it is nested."""
    kind: str
    reason: str


class _RefusedError(Exception):
    """A value that cannot be read; its arguments are the kind of fault and what was expected."""


def load(text: str) -> Any:
    """Decodes JSON; numbers that no double holds, and those that JSON lacks, become their text."""
    return json.loads(text, parse_int=_integer, parse_float=_double, parse_constant=str, strict=False)


def _integer(digits: str) -> int | float | str:
    return int(digits) if len(digits) <= MOST_DIGITS else _double(digits)


def _double(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def show(value: object) -> str:
    """A value for people: short, and without secrets."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    shown = strip_text(clean(text))
    return json.dumps(shown[:_SHOWN], ensure_ascii=False) if isinstance(value, str) else shown[:_SHOWN]


def whole(value: object) -> int:
    """A whole number, also as a float or a string."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = _integer(value) if value.lstrip("-").isdigit() else _double(value)
        if isinstance(value, str):
            raise _RefusedError(OUT_OF_RANGE, "no whole number of 63 bits")
    if isinstance(value, float) and value.is_integer():
        if abs(value) > 2**53:  # a double has no digits for the units any more: the number is ambiguous
            raise _RefusedError(OUT_OF_RANGE, "no whole number that a double holds")
        return int(value)
    if type(value) is int:
        return value
    raise _RefusedError(WRONG_KIND, "not a whole number")


def _real(value: object) -> float:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = _double(value)
        if isinstance(value, str):
            raise _RefusedError(OUT_OF_RANGE, "no measure")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _RefusedError(WRONG_KIND, "not a number")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _RefusedError(WRONG_KIND, "not a text")


_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


def _time(value: object) -> datetime:
    """A time; without a zone it is in UTC, a leap second is the last microsecond of its minute."""
    found = _TIME.fullmatch(_text(value))
    if found is None:
        raise _RefusedError(NOT_A_TIME, "not a time")
    second, fraction, zone = found["second"] or "00", found["fraction"] or "", found["zone"] or "Z"
    if second == "60":
        second, fraction = "59", ".999999"
    zone = f"{zone}:00" if len(zone) == len("+05") else zone
    try:
        return msgspec.convert(f"{found['date']}T{found['minute']}:{second}{fraction}{zone}", datetime)
    except msgspec.ValidationError:
        raise _RefusedError(OUT_OF_RANGE, f"not a time {YEARS}") from None


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in {0, 1}:
        return bool(value)
    raise _RefusedError(WRONG_KIND, "neither true nor false")


def _money(value: object) -> str | int | float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise _RefusedError(WRONG_KIND, "not a number")


_READERS: Final[dict[Any, Callable[[object], Any]]] = {
    **dict.fromkeys((Int16, Int32, Int64, WireId), whole),
    Real: _real, Text: _text, Time: _time, Flag: _flag, Money: _money,
}  # fmt: skip


class ItemReader:
    """Reads one item; collects its ``faults``, and its unknown keys in ``extra``."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.extra: Extra = {}

    def job(self, value: dict[str, Any]) -> Job | None:
        """The job with all that can be read of it; None if not even its id can."""
        found: Job | None = self._object(Job, "job", value, nested=self._part_of_job)
        return found

    def _part_of_job(self, key: str, value: object) -> Any:
        if key == "input_video":
            return self._video(InputVideo, key, value)
        if key == "output_video":
            return self._video(OutputVideo, key, value, nested=self._previews)
        return self._models(value)

    def _video(self, wire: type[Wire], key: str, value: object, **nested: Any) -> Wire:
        found: Wire | None = self._object(wire, key, value, **nested) if isinstance(value, dict) else None
        if found is None:
            raise _RefusedError(WRONG_KIND, "no object with an id")
        return found

    def _previews(self, _key: str, value: object) -> Wire:
        if not isinstance(value, dict):
            raise _RefusedError(WRONG_KIND, "no object")
        found: Wire = self._object(PreviewVideos, "output_video", value, "preview_videos.")
        return found

    def _models(self, value: object) -> list[Wire]:
        """The readable models; an unreadable one is a fault of the list, which then states no models."""
        if not isinstance(value, list) or len(value) > MOST_MODELS:
            raise _RefusedError(WRONG_KIND, f"no list of at most {MOST_MODELS} models")
        found = [self._object(MlModel, "ml_model", model) if isinstance(model, dict) else None for model in value]
        if None in found:
            self.faults.append(Fault("job", "ml_models", WRONG_KIND, f"{show(value)} is no list of objects with ids"))
        return [model for model in found if model is not None]

    def _object(self, wire: Any, entity: str, value: dict[str, Any], prefix: str = "", nested: Any = None) -> Any:
        """An object of the wire format; None if its type has an id that cannot be read."""
        kinds = _KINDS[wire]
        fields: dict[str, Any] = {}
        if "id" in kinds:
            try:
                fields["id"] = readable_id(value.get("id"))
            except _RefusedError:
                return None
            entity = f"{entity} {fields['id']}" if wire is MlModel else entity
        self._keep_unknown(entity, value, kinds, prefix)
        for key, kind in kinds.items():
            if key in value and key != "id":
                try:
                    read = _READERS.get(kind)
                    fields[key] = None if value[key] is None else read(value[key]) if read else nested(key, value[key])
                except _RefusedError as refused:
                    kind_of_fault, expected = refused.args
                    reason = f"{show(value[key])} is {expected}"
                    self.faults.append(Fault(entity, prefix + key, kind_of_fault, reason))
        return wire(**fields)

    def _keep_unknown(self, entity: str, value: dict[str, Any], kinds: dict[str, Any], prefix: str) -> None:
        unknown = {key: inner for key, inner in value.items() if key not in kinds}
        if not unknown:
            return
        try:
            found = strip_secrets(unknown)
        except ValueError as error:
            self.faults.append(Fault(entity, "extra", OUT_OF_RANGE, str(error)))
            return
        extra = self.extra.setdefault(entity, {})
        if prefix:
            extra[prefix.rstrip(".")] = found
        else:
            extra.update(found)


_KINDS: Final[dict[type[Wire], dict[str, Any]]] = {
    wire: get_type_hints(wire, include_extras=True) for wire in (Job, InputVideo, OutputVideo, PreviewVideos, MlModel)
}


def readable_id(value: object) -> int:
    """The id if it is one: a whole number above 0 that 63 bits hold. Raises a refusal otherwise."""
    number = whole(value)
    if not 0 < number < 2**63:
        raise _RefusedError(OUT_OF_RANGE, "no id")
    return number
