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
"""The beginning of a text that a spreadsheet may evaluate as a formula (OWASP ASVS 1.2.10), full-width forms and blanks
before it included. Its syntax is common to Python's re and RE2, with which Arrow searches whole columns."""


_STEERS: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_formula: Final = re.compile(FORMULA).match
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def to_json(value: Any) -> str:
    """One JSON document: times in ISO 8601 UTC, money as text, so that no digit is lost.

    Control and bidi characters, which steer a terminal, are escaped; JSON has them in strings only.
    """
    return _escape_steers(json.dumps(value, default=to_plain, ensure_ascii=False, indent=2))


def to_json_line(value: Any) -> str:
    """One JSON document as ``to_json`` makes it, on one line without blanks between its tokens."""
    return _escape_steers(json.dumps(value, default=to_plain, ensure_ascii=False, separators=(",", ":")))


def _escape_steers(text: str) -> str:
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def to_plain(value: Any) -> str:
    """The text of a time (ISO 8601 UTC), a day or a Decimal, which JSON has no type for. TypeError for others."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def cell(value: Any) -> str:
    """A value as a cell of a table for people, without characters that steer the terminal."""
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
    """Text with an apostrophe before it if a spreadsheet would evaluate it as a formula (CWE-1236)."""
    return f"'{text}" if _formula(text) else text


def csv_cell(value: Any) -> Any:
    """A value for the csv module: formulas escaped, times in ISO 8601 UTC; numbers stay numbers, None stays None."""
    if isinstance(value, str):
        return escape_formula(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_plain(value) if isinstance(value, datetime) else value


def hanging(label: str, text: str) -> str:
    """A label and a text with a hanging indent, wrapped to the terminal's width; one line if stdout is no terminal."""
    if not sys.stdout.isatty():
        return label + escape_terminal(text)
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(escape_terminal(text), width, initial_indent=label, subsequent_indent=" " * len(label))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``3 h 20 min``; below 0, as between two clocks, with a minus sign."""
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
