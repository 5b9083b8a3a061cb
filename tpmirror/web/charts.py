"""Small sums over plain rows, for cards, tables and charts. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tpmirror.db.types import Row

COLOURS: Final = 8
"""Series of a chart that have a colour of their own; the others are drawn as one."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of them does not exceed (nearest rank); None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def spread(rows: Iterable[Row], column: str) -> dict[str, float | None]:
    """Count, median, 90th and 99th percentile of a column, nulls left out."""
    values = [float(row[column]) for row in rows if row[column] is not None]
    ranks = {"p50": percentile(values, 0.5), "p90": percentile(values, 0.9), "p99": percentile(values, 0.99)}
    return {"n": len(values), **ranks}


def days(first: date, last: date) -> list[date]:
    """Every day from one to the other."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def months(first: str, last: str) -> list[str]:
    """Every month from one to the other, as YYYY-MM."""
    at, end = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (first, last))
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(at, end + 1)]


def epoch(period: date | str) -> float:
    """The beginning of a day or a month in UTC, in seconds, as charts have it."""
    day = date.fromisoformat(f"{period}-01"[:10]) if isinstance(period, str) else period
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


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
