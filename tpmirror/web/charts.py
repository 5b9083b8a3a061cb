"""Charts of plain rows: their periods, the sums of their series, and their colours. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from tpmirror.db.types import Row
from tpmirror.months import start_of
from tpmirror.reports.period import days_of

COLOURS: Final = 8
"""Series of a chart that have a colour of their own; the others are drawn as one, in the colour of this number."""
PALETTE: Final = (*range(COLOURS), *range(COLOURS + 1, 25))
"""The numbers of all other colours, ``--c0`` and so on in the style sheet."""
STATUSES: Final = {"Finished": 2, "Failed": 7, "Canceled": 8, "Processing": 0, "In Queue": 5}
"""The colour of each status, in charts and labels."""

NAMELESS: Final = "none"
"""The series of jobs without a name, for example jobs without a model."""


def days(first: date, last: date) -> list[date]:
    """Every day from ``first`` to ``last``."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def months(first: str, last: str) -> list[str]:
    """Every month from ``first`` to ``last``, as YYYY-MM."""
    at, end = (int(month[:4]) * 12 + int(month[5:7]) - 1 for month in (first, last))
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(at, end + 1)]


def weeks(first: date, last: date) -> list[str]:
    """Every week from that of ``first`` to that of ``last``, by ISO 8601: ``2026-W44``."""
    monday = first - timedelta(days=first.weekday())
    return [f"{monday + timedelta(days=n):%G-W%V}" for n in range(0, (last - monday).days + 1, 7)]


def span(step: str, first: date, last: date) -> Sequence[Any]:
    """Every day, week or month from that of ``first`` to that of ``last``."""
    if step == "month":
        return months(f"{first:%Y-%m}", f"{last:%Y-%m}")
    return days(first, last) if step == "day" else weeks(first, last)


def epoch(period: date | str) -> float:
    """The beginning of a day, week or month in UTC, as the Unix time in seconds that charts take."""
    return start_of(days_of(period)[0]).timestamp()


def colours(keys: Iterable[Any]) -> dict[Any, int]:
    """A colour for each key by its position alone: a key has one colour on every page and for every range of days."""
    return {key: PALETTE[place % len(PALETTE)] for place, key in enumerate(dict.fromkeys(keys))}


def lines(step: str, periods: Sequence[Any], series: list[dict[str, Any]]) -> dict[str, Any]:
    """A line chart of series with one value for each day or month."""
    return {"kind": "lines", "step": step, "x": [epoch(period) for period in periods], "series": series}


def stacked(
    rows: Iterable[Row],
    periods: Sequence[Any],
    step: str,
    names: Mapping[str, int] | None = None,
    colours: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """A chart of stacked bars from rows of ``period``, ``name`` and ``amount``.

    ``names`` are the series to show, with their colours; without ``names``, the largest names are a series each, with
    their colour in ``colours``, and the rest is one series.
    """
    sums: dict[str, dict[Any, Decimal | float]] = {}
    for row in rows:
        of_name = sums.setdefault(row["name"] or NAMELESS, {})
        of_name[row["period"]] = of_name.get(row["period"], 0) + (row["amount"] or 0)
    ranked = list(names or sorted(sums, key=lambda name: (-sum(sums[name].values()), name)))
    known = names or colours or {}
    series = [
        {**_series(name, [sums.get(name, {})], periods), "colour": known.get(name, place if not known else COLOURS)}
        for place, name in enumerate(ranked[:COLOURS])
    ]
    if len(ranked) > COLOURS:
        rest = [sums[name] for name in ranked[COLOURS:]]
        series.append({**_series(f"{len(rest)} others", rest, periods), "colour": COLOURS})
    x = [epoch(period) for period in periods] if series else []
    return {"kind": "bars", "step": step, "x": x, "series": series}


def _series(name: str, sums: Sequence[dict[Any, Any]], periods: Sequence[Any]) -> dict[str, Any]:
    return {"name": name, "values": [sum(each.get(period, 0) for each in sums) for period in periods]}
