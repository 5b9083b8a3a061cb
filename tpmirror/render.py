"""Plain data as text for a terminal, and as JSON."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tpmirror.normalize import Row

LONGEST: Final = 50
"""Rows of a table shown."""
SHORT: Final = 20
"""Characters up to which a text is not broken into lines."""
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def to_json(value: Any) -> str:
    """One JSON document: times in ISO 8601 UTC, money as text, so that no digit is lost."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2)


def show_table(title: str, rows: Sequence[Row], columns: Mapping[str, str], *, empty: str = "none") -> None:
    """A table on stdout: a heading for each column shown; numbers to the right; long tables cut, with the count."""
    from rich import box  # noqa: PLC0415 - commands that print no table need not wait for rich
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    if not rows:
        console.print(Text(f"{title}: {empty}"))
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, heading in columns.items():
        values = [row[name] for row in rows]
        numbers = all(isinstance(value, int | float | Decimal | None) for value in values)
        free_text = any(isinstance(value, str) and len(value) > SHORT for value in values)
        table.add_column(heading, justify="right" if numbers else "left", no_wrap=not free_text, overflow="fold")
    for row in rows[:LONGEST]:
        table.add_row(*(Text(cell(row[name])) for name in columns))
    console.print(table)
    if len(rows) > LONGEST:
        console.print(Text(f"... and {len(rows) - LONGEST:,} more; --json lists all"))


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
    shown = "".join(ch if ch == "\u200d" or unicodedata.category(ch) not in _CONTROL else "\ufffd" for ch in text)
    return re.sub(r"\s+", " ", shown)


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``3 h 20 min``."""
    left, parts = timedelta(seconds=round(seconds)), []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, timedelta(seconds=unit))
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
