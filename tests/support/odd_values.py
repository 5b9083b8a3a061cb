"""Values that no API should send, and what a mirror holds of them by the contract; shares no reading with the package.

Values are JSON as text: NaN, 1e999 and half a surrogate pair have no value in Python. What a column holds of one is
worked out from its text, with decimals; of times it is stated by hand.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

WRONG_KIND: Final = "wrong kind"
OUT_OF_RANGE: Final = "out of range"
TOO_MANY_DIGITS: Final = "too many digits"
NOT_A_TIME: Final = "not a time"
MISSING: Final = "missing"
UNREADABLE: Final = "unreadable"

TIMES: Final[dict[str, datetime | str]] = {
    "2026-11-01T09:30:00Z": datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
    "2026-11-01T09:30:00": datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
    "2026-11-01T09:30:00.123456Z": datetime(2026, 11, 1, 9, 30, 0, 123456, tzinfo=UTC),
    "2026-11-01T09:30:00+05:30": datetime(2026, 11, 1, 4, 0, tzinfo=UTC),
    "2016-12-31T23:59:60Z": datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "2026-11-01": NOT_A_TIME,
    "2026-02-30T00:00:00Z": OUT_OF_RANGE,
    "2026-11-01T25:00:00Z": OUT_OF_RANGE,
    "1969-12-31T23:59:59Z": OUT_OF_RANGE,
    "2201-01-01T00:00:00Z": OUT_OF_RANGE,
    "0001-01-01T00:00:00+14:00": OUT_OF_RANGE,
    "10000-01-01T00:00:00Z": NOT_A_TIME,
    "infinity": NOT_A_TIME,
}
"""What these texts are as times, or why they are none. Texts that are not here are none."""


def _deep(levels: int) -> str:
    return "[" * levels + "]" * levels


ODD: Final[dict[str, list[str | None]]] = {
    "null": ["null"],
    "no such key": [None],
    "nested": ["[]", "{}", "[5]", '{"a":{"b":[1,null]}}', _deep(30), _deep(60)],
    "boolean": ["true", "false"],
    "zero or one": ["0", "1", "0.0", "1.0"],
    "number": ["5", "-17", "2.5", "1e5", "9" * 45],
    "whole float": ["10.0", "1E2", "-3.0", "9007199254740994.0", "1e18", "1.0e0"],
    "fraction": ["10.5", "0.1", "1e-7"],
    "numeric string": ['"10"', '"0.5"', '"1e1"', '"-7"', '"10.0"', '"0"'],
    "no number": ['"ten"', '""', '" 10"', '"010"', '"+1"', '"1."', '".5"', '"NaN"', '"0x1"', '"\\u0661"', '"1\\n"'],
    "too large": [
        "32768", "2147483648", str(2**63 - 1), str(2**63), "9223372036854776000", str(-(2**63) - 1), "1e16", "1e300",
        '"1e300"', "1000000", '"-1000000.0000"', '"9223372036854775808"', "18446744073709551616",
    ],
    "no double": [
        "NaN", "Infinity", "-Infinity", "1e999", "-1e999", '"1e999"', "9" * 400, '"1e1000000"',
        '"1e99999999999999999999"',
    ],
    "too many digits": ['"1.25001"', "1.25001", '"0.00001"', "0.123456789", '"999999.99995"', "999999.99999"],
    "noise": ["1.2500000001", "0.30000000000000004", '"1.250000001"', "1.25000000000000000000000001"],
    "epoch": ["1761989400", "1761989400000", "1761989400.5", '"1761989400"'],
    "time": [json.dumps(text) for text in TIMES],
    "text": ['"a\\u0000b"', '"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"'],
}  # fmt: skip
"""Values by what is odd about them; None stands for a key that is not there."""

NO_IDS: Final = ["null", None, '"x"', "0", "-1", "2.5", "[]", "{}", "true", str(2**63), "NaN", '""', "1e999"]
"""What is no id."""
NO_OBJECTS: Final = ["5", '"a video"', "[]", "true", "{}", '{"id":0}', '{"name":"no id"}', "NaN", '{"id":null}']
"""What is no object with an id."""
NO_ITEMS: Final = ["null", "5", "[]", '"x"', "true", "{}", "NaN"]
"""What is no item of the list at all."""


class Number(str):
    """A number as JSON writes it, NaN and infinities included."""

    __slots__ = ()


class RepeatedKeyError(Exception):
    """A key stands twice in one object; the argument is whether it is the item's own id."""


def parsed(text: str) -> Any:
    """What a text says, numbers as they are written. Raises ValueError for no JSON, RepeatedKeyError."""
    last: list[str] = []
    repeats = False

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeats, last
        last = [key for key, _ in pairs]
        repeats = repeats or len(set(last)) < len(last)
        return dict(pairs)

    found = json.loads(
        text, object_pairs_hook=note, parse_int=Number, parse_float=Number, parse_constant=Number, strict=False
    )
    if repeats:
        raise RepeatedKeyError(last.count("id") > 1)
    return found


class Unheld(str):
    """Why a value cannot be held: the kind of fault."""

    __slots__ = ()


def held(value: Any, kind: str) -> Any:
    """A parsed value as a column of this kind holds it, or Unheld."""
    return None if value is None else READ[kind](value)


_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def _whole(bits: int) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not _is_number(value):
            return Unheld(WRONG_KIND)
        if re.fullmatch(r"-?[0-9]+", value):
            number = int(value)
        elif not math.isfinite(double := float(value)):
            return Unheld(OUT_OF_RANGE)
        elif double != int(double):
            return Unheld(WRONG_KIND)
        else:  # beyond 2**53 a double has no units
            number = int(double) if abs(double) <= 2**53 else 2**100
        return number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else Unheld(OUT_OF_RANGE)

    return read


def _real(value: Any) -> Any:
    if not _is_number(value):
        return Unheld(WRONG_KIND)
    return float(value) if abs(float(value)) <= 10**15 else Unheld(OUT_OF_RANGE)


def _money(value: Any) -> Any:
    if not _is_number(value):
        return Unheld(WRONG_KIND)
    if isinstance(value, Number) and math.isfinite(float(value)) and not re.fullmatch(r"-?[0-9]+", value):
        value = repr(float(value))  # what the double means, not how many digits it was written with
    digits, _, exponent = value.lower().partition("e")
    if len(exponent.lstrip("+-0")) > 5:
        return Unheld(OUT_OF_RANGE)
    stated = Decimal(digits).scaleb(int(exponent or 0))
    if abs(stated) >= 10**6:
        return Unheld(OUT_OF_RANGE)
    near = round(stated, 4)
    if abs(near - stated) > Decimal("5e-9"):
        return Unheld(TOO_MANY_DIGITS)
    return near if abs(near) < 10**6 else Unheld(OUT_OF_RANGE)


def _flag(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, Number) and float(value) in {0.0, 1.0}:
        return float(value) == 1.0
    return Unheld(WRONG_KIND)


def plain(value: Any) -> Any:
    """A parsed value as Python and JSON have it; numbers beyond them as their text."""
    if isinstance(value, Number):
        if re.fullmatch(r"-?[0-9]+", value) and len(value) <= 40:
            return int(value)
        return float(value) if math.isfinite(float(value)) else str(value)
    if isinstance(value, str):
        whole = value.replace("\0", "\u2400").encode("utf-16", "surrogatepass")
        return whole.decode("utf-16", "replace")
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> Any:
    return str(plain(value)) if isinstance(value, str) else Unheld(WRONG_KIND)


def _url(value: Any) -> Any:
    text = _text(value)
    return text if isinstance(text, Unheld) else re.split(r"[?#]", text)[0]


def _time(value: Any) -> Any:
    if not isinstance(value, str):
        return Unheld(WRONG_KIND)
    if value not in TIMES and re.fullmatch(r"2026-11-\d\dT\d\d:\d\d:\d\dZ", value):
        return datetime.fromisoformat(value)
    known = TIMES.get(value, NOT_A_TIME)
    return Unheld(known) if isinstance(known, str) else known


READ: Final[dict[str, Callable[[Any], Any]]] = {
    "i16": _whole(16), "i32": _whole(32), "i64": _whole(64), "real": _real, "money": _money, "flag": _flag,
    "text": _text, "url": _url, "time": _time,
}  # fmt: skip
"""By kind of column, as ``columns`` names them."""


def identity(value: Any) -> int | None:
    """The id that a parsed value is, if it is one."""
    number = READ["i64"](value) if value is not None else 0
    return number if isinstance(number, int) and number > 0 else None


def depth(value: Any) -> int:
    """How deep a value is nested."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0)
