"""Small sums over plain rows, for cards, tables and charts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from tpmirror.db.types import Row
from tpmirror.months import start_of

COLOURS: Final = 8
"""Series of a chart that have a colour of their own; the others are drawn as one."""


def days(first: date, last: date) -> list[date]:
    """Every day from one to the other."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def months(first: str, last: str) -> list[str]:
    """Every month from one to the other, as YYYY-MM."""
    at, end = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (first, last))
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(at, end + 1)]


def first_day(period: date | str) -> date:
    """The first day of a day or a month."""
    return date.fromisoformat(f"{period}-01"[:10]) if isinstance(period, str) else period


def epoch(period: date | str) -> float:
    """The beginning of a day or a month in UTC, in seconds, as charts have it."""
    return start_of(first_day(period)).timestamp()


def lines(step: str, periods: Sequence[Any], series: list[dict[str, Any]]) -> dict[str, Any]:
    """Series of a value for each day or month as a chart of lines."""
    return {"kind": "lines", "step": step, "x": [epoch(period) for period in periods], "series": series}


def stacked(
    rows: Iterable[Row], periods: Sequence[Any], step: str, names: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Rows of ``period``, ``name`` and ``amount`` as a chart of stacked bars.

    ``names`` are those to show, with their colours; without, the largest have a colour each and the rest is one.
    """
    sums: dict[str, dict[Any, Decimal | float]] = {}
    for row in rows:
        of_name = sums.setdefault(row["name"] or "none", {})
        of_name[row["period"]] = of_name.get(row["period"], 0) + (row["amount"] or 0)
    ranked = list(names or sorted(sums, key=lambda name: (-sum(sums[name].values()), name)))
    series = [
        {**_series(name, [sums.get(name, {})], periods), "colour": names[name] if names else place}
        for place, name in enumerate(ranked[:COLOURS])
    ]
    if len(ranked) > COLOURS:
        rest = [sums[name] for name in ranked[COLOURS:]]
        series.append({**_series(f"{len(rest)} others", rest, periods), "colour": COLOURS})
    return {"kind": "bars", "step": step, "x": [epoch(period) for period in periods], "series": series}


def _series(name: str, sums: Sequence[dict[Any, Any]], periods: Sequence[Any]) -> dict[str, Any]:
    return {"name": name, "values": [sum(each.get(period, 0) for each in sums) for period in periods]}
