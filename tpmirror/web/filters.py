"""Jinja filters that show values as text; ``escape_invisible`` handles upstream's text before Jinja escapes it."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from rich import filesize

from tpmirror.db.types import Row
from tpmirror.formatting import brief, duration
from tpmirror.formatting import money as in_currency

NOTHING: Final = "\u2013"
"""The text of a null."""
_COMMAND: Final = re.compile(
    r"((?:tpmirror )?(?:gone|quarantine) [a-z]+(?: --[a-z]+)?|tpmirror (?:doctor|sync|report|status))"
)
"""The commands in the remedies of problems."""
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
    """Jinja's ``finalize``: it runs on every expression, so that no template can omit ``escape_invisible``."""
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
    """A time in UTC, with its exact value in the attribute ``datetime``."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), utc.strftime(pattern))


def ago(value: datetime | None, now: datetime) -> Markup | str:
    """How long ago a time was, with the time itself in the attribute ``datetime`` and as a tooltip."""
    if value is None:
        return NOTHING
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{} ago</time>').format(
        utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S}", duration(max(0.0, (now - utc).total_seconds()))
    )


def count(value: float | None) -> str:
    """An integer with thousands separators."""
    return NOTHING if value is None else f"{value:,.0f}"


def number(value: float | Decimal | None, digits: int = 2) -> str:
    """A number with ``digits`` decimals."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def credit(value: float | Decimal | None) -> str:
    """Credits, exact to the fourth decimal."""
    return number(value, 4)


def money(worth: Row) -> str:
    """The value of Credits in money, to the cent, from a row with ``amount`` and ``currency``."""
    return NOTHING if worth["amount"] is None else in_currency(worth["amount"], worth["currency"])


def percent(part: float | Decimal | None, digits: int = 1) -> str:
    """A ratio, 0 to 1, in per cent."""
    return NOTHING if part is None else f"{100 * part:.{digits}f} %"


def seconds(value: float | Decimal | None) -> str:
    """A duration in its two largest units."""
    if value is None:
        return NOTHING
    return f"{value:.1f} s" if 0 < value < 10 else duration(float(value))


def bounds(row: Row | None, name: str) -> str:
    """A percentile of durations: one figure, or the two bounds between which it lies."""
    return NOTHING if row is None else brief(row[f"{name}_lower_s"], row[f"{name}_upper_s"])


def between(row: Row) -> str:
    """The bounds of a duration, from a row with ``lower_s`` and ``upper_s``."""
    lower, upper = row["lower_s"], row["upper_s"]
    if upper is None:
        return f"at least {seconds(lower)}"
    return seconds(lower) if lower == upper else f"at least {seconds(lower)}, at most {seconds(upper)}"


def bitrate(value: float | None) -> str:
    """Bits per second in the unit that fits."""
    if value is None:
        return NOTHING
    factor, unit = next(((10**n, name) for n, name in ((6, "Mbit/s"), (3, "kbit/s")) if value >= 10**n), (1, "bit/s"))
    return f"{value / factor:,.1f} {unit}"


def size(value: int | None) -> str:
    """Bytes in the unit that fits."""
    return NOTHING if value is None else filesize.decimal(value)


def query(state: Mapping[str, Any], **changes: Any) -> str:
    """A query string of the page's state with ``changes``; empty values are left out."""
    merged = {**state, **changes}
    return "?" + urlencode({name: value for name, value in merged.items() if value not in {None, ""}})


def without(state: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The page's state without one parameter."""
    return {**state, name: None}


def slug(value: str) -> str:
    """A name for a class or an id: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")


def change(value: float | Decimal, before: float | Decimal) -> str:
    """The relative change of a figure since ``before``, as the beginning of a comparison: ``12% more than``."""
    if not before:
        return "none" if value else "as many as"
    share = float(value) / float(before) - 1
    return "as many as" if round(share, 2) == 0 else f"{abs(share):,.0%} {'more' if share > 0 else 'less'} than"


def commands(text: str) -> Markup:
    """A text with its commands in ``<code>`` elements."""
    parts = _COMMAND.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else Markup("{}").format(escape_invisible(part))
        for n, part in enumerate(parts)
    )


def day_before(value: date) -> date:
    """The day before."""
    return value - timedelta(days=1)


def day(value: date | str | None) -> str:
    """A day as ISO text: SQLite hands over text, PostgreSQL dates."""
    return NOTHING if value is None else str(value)[:10]


def plain(value: float | Decimal | None, digits: int = 4) -> str:
    """A number without trailing zeros, with at most ``digits`` decimals."""
    return NOTHING if value is None else f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def axis(value: float, step: str) -> str:
    """A time on a chart's axis, to the month, the day or the second."""
    moment = datetime.fromtimestamp(value, UTC)
    return moment.strftime({"month": "%Y-%m", "day": "%Y-%m-%d"}.get(step, "%Y-%m-%d %H:%M:%S"))


def job_title(job: Row) -> str:
    """The title of a job: the name of its input, else of its output, else its number."""
    names = (job.get("input_name"), job.get("output_name"))
    return next((name for name in names if name and name.strip()), f"Job {job['job_id']}")


def shorten(text: str, letters: int = 120) -> str:
    """A text of at most ``letters`` characters: of a longer one its beginning, and its end with a file's extension."""
    return text if len(text) <= letters else f"{text[: letters - 21]}\u2026{text[-20:]}"


FILTERS: Final = {
    "axis": axis,
    "plain": plain,
    "ago": ago,
    "between": between,
    "bitrate": bitrate,
    "bounds": bounds,
    "change": change,
    "commands": commands,
    "count": count,
    "credits": credit,
    "day": day,
    "day_before": day_before,
    "job_title": job_title,
    "money": money,
    "number": number,
    "percent": percent,
    "seconds": seconds,
    "shorten": shorten,
    "size": size,
    "slug": slug,
    "escape_invisible": escape_invisible,
    "when": when,
    "without": without,
}
