"""Plain data as text for a terminal, and as JSON."""

import json
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tpmirror.columns import Row

LONGEST: Final = 50
"""Rows of a table shown."""
SHORT: Final = 20
"""Characters up to which a text is not broken into lines."""
_STEERS: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def to_json(value: Any) -> str:
    """One JSON document: times in ISO 8601 UTC, money as text, so that no digit is lost.

    Characters that steer a terminal, or the order of what it shows, are escaped: they occur in strings only.
    """
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=2)
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def show_table(title: str, rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "none") -> None:
    """A table of rows on stdout: a heading for each column shown, numbers to the right."""
    lines = [[cell(row[name]) for name in columns] for row in rows]
    numbers = [all(isinstance(row[name], int | float | Decimal | None) for row in rows) for name in columns]
    show_lines(title, list(zip(columns.values(), numbers, strict=True)), lines, empty=empty)


def show_lines(
    title: str, headings: Sequence[tuple[str, bool]], lines: Sequence[Sequence[str]], *, empty: str = "none"
) -> None:
    """A table of texts on stdout. A heading says whether its column stands right. Long tables are cut."""
    from rich import box  # noqa: PLC0415 - commands that print no table need not wait for rich
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    if not lines:
        console.print(Text(f"{title}: {empty}"))
        return
    console.print(Text(title, style="bold"))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, (heading, right) in enumerate(headings):
        free_text = not right and any(_breaks(line[place]) for line in lines)
        table.add_column(heading, justify="right" if right else "left", no_wrap=not free_text, overflow="fold")
    for line in lines[:LONGEST]:
        table.add_row(*map(Text, line))
    console.print(table)
    if len(lines) > LONGEST:
        console.print(Text(f"... and {len(lines) - LONGEST:,} more; --json lists all"))


def _breaks(text: str) -> bool:
    """Whether a text may stand in several lines: long ones, and words; a time may not."""
    return len(text) > SHORT or (" " in text and not text[:1].isdigit())


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
    return harmless(str(value))


def harmless(text: str) -> str:
    """Text without control, format (bidi) and unassigned characters; joiners inside emoji stay."""
    return re.sub(r"\s+", " ", calmed(text, keep="\u200d"))


def calmed(text: str, keep: str = "\u200d\r\n\t") -> str:
    """The same of lines and columns, which stay as they are."""
    return "".join(ch if ch in keep or unicodedata.category(ch) not in _CONTROL else "\ufffd" for ch in text)


def hanging(label: str, text: str) -> str:
    """A label and a text whose further lines stand below its first one, as wide as the terminal; outside one line."""
    if not sys.stdout.isatty():
        return label + harmless(text)
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(harmless(text), width, initial_indent=label, subsequent_indent=" " * len(label))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``3 h 20 min``. One below 0, by two clocks, has a minus before it."""
    left, parts = round(abs(seconds)), []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{count} {name}")
    return ("-" if seconds < 0 and parts else "") + (" ".join(parts[:2]) or "0 s")


def brief(*lengths: float) -> str:
    """Lengths of time in one unit, with a dash between them: ``8.9-17.4 min``."""
    longest = max(map(abs, lengths))
    unit, name = next((one for one in ((86400, "d"), (3600, "h"), (60, "min")) if longest >= 2 * one[0]), (1, "s"))
    shown = list(dict.fromkeys(f"{length / unit:,.1f}".removesuffix(".0") for length in lengths))
    return f"{'-'.join(shown)} {name}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
