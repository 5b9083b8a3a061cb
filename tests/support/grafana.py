"""The dashboards for Grafana: their panels, and the SQL that becomes of what a panel says."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.support.program import ROOT

BOARDS: Final = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
NOW: Final = datetime.now(UTC)


def board(path: Path) -> Any:
    """One dashboard."""
    return json.loads(path.read_text(encoding="utf-8"))


def panels() -> list[tuple[str, Any]]:
    """Every panel, each with the name of its dashboard."""
    return [(path.stem, panel) for path in BOARDS for panel in board(path)["panels"]]


def expanded(sql: str) -> str:
    """The statement as Grafana's PostgreSQL data source sends it; it takes a macro to end at the first bracket."""
    return re.sub(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)", _macro, sql)


def _macro(match: re.Match[str]) -> str:
    """What becomes of one macro. Raises KeyError for one that is none."""
    column, _, interval = (part.strip() for part in match[2].partition(","))
    first, last = (f"'{moment:%Y-%m-%dT%H:%M:%SZ}'" for moment in (NOW - timedelta(days=90), NOW + timedelta(days=1)))
    length = {"'1d'": 86400, "'1h'": 3600, "": 0}[interval]
    return {
        "__timeFrom": first,
        "__timeTo": last,
        "__timeFilter": f"{column} BETWEEN {first} AND {last}",
        "__timeGroup": f"floor(extract(epoch from {column})/{length})*{length}",
    }[match[1]]
