"""Values as text for a page; upstream's go through ``escape_invisible``, and Jinja escapes them after that."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from rich import filesize

from tpmirror.db.types import Row
from tpmirror.formatting import brief, duration
from tpmirror.formatting import money as in_currency

NOTHING: Final = "\u2013"
"""What stands for null."""
_JOINER: Final = "\u200d"
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that show nothing, or change how others are shown: control, format (bidi), separators."""


def escape_invisible(text: str) -> str:
    r"""Text whose invisible characters show as escapes, ``\u202e``; line breaks and the joiners of emoji stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(ch) if unicodedata.category(ch) in _HIDDEN else ch for ch in text)


def _escape(ch: str) -> str:
    return ch if ch in f"\n\t{_JOINER}" else f"\\u{ord(ch):04x}"


def finish(value: Any) -> Any:
    """Jinja's last word on every expression of every template: nothing can be forgotten."""
    if value is None:
        return NOTHING
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return when(value)
    return escape_invisible(value) if isinstance(value, str) else value


def when(value: datetime | None, pattern: str = "%Y-%m-%d %H:%M:%S") -> Markup | str:
    """A moment in UTC, with its exact value for programs."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), utc.strftime(pattern))


def ago(value: datetime | None, now: datetime) -> Markup | str:
    """How long ago a moment was, with the moment itself for programs and as a tip."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{} ago</time>').format(
        utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S}", duration(max(0.0, (now - utc).total_seconds()))
    )


def count(value: float | None) -> str:
    """A whole number with its thousands."""
    return NOTHING if value is None else f"{value:,.0f}"


def number(value: float | Decimal | None, digits: int = 2) -> str:
    """A number with so many decimals."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def credit(value: float | Decimal | None) -> str:
    """Credits, exact to the fourth decimal."""
    return number(value, 4)


def money(worth: Row) -> str:
    """What Credits are in money, to the cent, from a row with ``amount`` and ``currency``."""
    return NOTHING if worth["amount"] is None else in_currency(worth["amount"], worth["currency"])


def percent(part: float | Decimal | None, digits: int = 1) -> str:
    """A share of one as per cent."""
    return NOTHING if part is None else f"{100 * part:.{digits}f} %"


def seconds(value: float | Decimal | None) -> str:
    """A length of time in its two largest units."""
    if value is None:
        return NOTHING
    return f"{value:.1f} s" if 0 < value < 10 else duration(float(value))


def bounds(row: Row | None, name: str) -> str:
    """A percentile of lengths of time: one figure, or the two that it lies between."""
    return NOTHING if row is None else brief(row[f"{name}_lower_s"], row[f"{name}_upper_s"])


def size(value: int | None) -> str:
    """Bytes in the unit that fits."""
    return NOTHING if value is None else filesize.decimal(value)


def query(state: Mapping[str, Any], **changes: Any) -> str:
    """A query string: the page's state with some changes; what is empty is left out."""
    merged = {**state, **changes}
    return "?" + urlencode({name: value for name, value in merged.items() if value not in {None, ""}})


def slug(value: str) -> str:
    """A name for a class or an id: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")


def day(value: date | str | None) -> str:
    """A day as ISO text: SQLite hands over text, PostgreSQL dates."""
    return NOTHING if value is None else str(value)[:10]


def plain(value: float | Decimal | None, digits: int = 4) -> str:
    """A number with as many decimals as it has, so many at most."""
    return NOTHING if value is None else f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def axis(value: float, step: str) -> str:
    """A moment of a chart: a month, a day, or to the second."""
    moment = datetime.fromtimestamp(value, UTC)
    return moment.strftime({"month": "%Y-%m", "day": "%Y-%m-%d"}.get(step, "%Y-%m-%d %H:%M:%S"))


FILTERS: Final = {
    "axis": axis,
    "plain": plain,
    "ago": ago,
    "bounds": bounds,
    "count": count,
    "credits": credit,
    "day": day,
    "money": money,
    "number": number,
    "percent": percent,
    "seconds": seconds,
    "size": size,
    "slug": slug,
    "escape_invisible": escape_invisible,
    "when": when,
}
