"""Plain data as text: for a terminal, as JSON, and as cells of CSV files."""

import json
import re
import shutil
import sys
import textwrap
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

FORMULA: Final = "^[ \f\v\u00a0\ufeff]*[=+@\t\r\n\0\uff1d\uff0b\uff0d\uff20-]"
"""What a spreadsheet may take for the beginning of a formula (OWASP ASVS 1.2.10), full-width forms and blanks before it
included. A pattern of the kind that Python and RE2 read alike: Arrow searches whole columns with it."""


_STEERS: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_formula: Final = re.compile(FORMULA).match
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def to_json(value: Any) -> str:
    """One JSON document: times in ISO 8601 UTC, money as text, so that no digit is lost.

    Characters that steer a terminal, or the order of what it shows, are escaped: they occur in strings only.
    """
    return _escape_steers(json.dumps(value, default=to_plain, ensure_ascii=False, indent=2))


def to_json_line(value: Any) -> str:
    """The same on one line, as short as it goes."""
    return _escape_steers(json.dumps(value, default=to_plain, ensure_ascii=False, separators=(",", ":")))


def _escape_steers(text: str) -> str:
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def to_plain(value: Any) -> str:
    """A value that JSON has no form of, as text: a time in ISO 8601 UTC, a day, exact money. Raises TypeError."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def cell(value: Any) -> str:
    """A value for people: nothing in it may steer the terminal."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal | float):
        return f"{value:,.4f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return escape_terminal(str(value))


def count(number: int, one: str, many: str | None = None) -> str:
    """A number of things: ``1 job``, ``1,000 jobs``; ``many`` is the plural where it does not end with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def money(amount: Decimal | None, currency: str | None) -> str:
    """An amount to the cent, halves to even: ``1,234.50 EUR``; a dash for a sum of several currencies."""
    return "-" if amount is None else f"{amount:z,.2f} {currency}"


def escape_terminal(text: str, *, keep_lines: bool = False) -> str:
    """Text without control, format (bidi) and unassigned characters, which steer a terminal; joiners inside emoji stay.

    In one line, unless ``keep_lines``: then line breaks and tabs stay too.
    """
    keep = "\u200d\r\n\t" if keep_lines else "\u200d"
    escaped = "".join(ch if ch in keep or unicodedata.category(ch) not in _CONTROL else "\ufffd" for ch in text)
    return escaped if keep_lines else re.sub(r"\s+", " ", escaped)


def escape_formula(text: str) -> str:
    """Text with an apostrophe before whatever a spreadsheet would take for a formula (CWE-1236)."""
    return f"'{text}" if _formula(text) else text


def csv_cell(value: Any) -> Any:
    """A value for the csv module: no formulas, times in ISO 8601 UTC; numbers stay numbers, None stays None."""
    if isinstance(value, str):
        return escape_formula(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_plain(value) if isinstance(value, datetime) else value


def hanging(label: str, text: str) -> str:
    """A label and a text whose further lines stand below its first one, as wide as the terminal; outside one line."""
    if not sys.stdout.isatty():
        return label + escape_terminal(text)
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(escape_terminal(text), width, initial_indent=label, subsequent_indent=" " * len(label))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``3 h 20 min``. One below 0, by two clocks, has a minus before it."""
    left, parts = round(abs(seconds)), []
    for unit, name in _UNITS:
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count} {name}")
    return ("-" if seconds < 0 and parts else "") + (" ".join(parts[:2]) or "0 s")


def brief(*lengths: float) -> str:
    """Lengths of time in one unit, with a dash between them: ``8.9-17.4 min``."""
    longest = max(map(abs, lengths))
    unit, name = next((one for one in _UNITS if longest >= 2 * one[0]), _UNITS[-1])
    shown = list(dict.fromkeys(f"{length / unit:,.1f}".removesuffix(".0") for length in lengths))
    return f"{'-'.join(shown)} {name}"
