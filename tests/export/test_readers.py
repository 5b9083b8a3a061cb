"""What other engines read of an export is what the mirror holds: every row, and money to its last digit."""

import json
import re
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyiceberg.catalog import load_catalog

from tests.support.account import mirror, query
from tests.support.program import ROOT
from tpmirror.db.engine import open_engine
from tpmirror.export import destination, iceberg
from tpmirror.simulator.world import World

PYTHON = ROOT / ".venv-readers" / "bin" / "python"
SCRIPT = ROOT / "tests" / "support" / "readers.py"
COSTS = re.findall(
    r"```sql\n(.*?)```", (ROOT / "docs" / "cookbook.md").read_text("utf-8").partition("\n## Time\n")[0], re.DOTALL
)
# Tables whose rows every engine counts, and the column that it sums up.
MONEY = {"jobs": "cost_usd", "job_overview": "credits", "job_model_costs": "credits", "cost_by_model": "credits"}
ENGINES = {"polars", "daft", "clickhouse", "spark", "polars, files", "clickhouse, files", "spark, files"}


@pytest.fixture
def world() -> World:
    return World(4, 150, now=datetime(2026, 11, 20, tzinfo=UTC), days=100, in_flight=3, jobs_per_day=0)


@pytest.fixture
def lived(sim, world, lite_url) -> str:
    """A mirror that knows of corrections too."""
    mirror(sim, lite_url)
    for job_id in world.ids()[::20]:
        world.edit(job_id, {"cost_usd": "12.3456"})
    mirror(sim, lite_url)
    return str(lite_url)


@pytest.mark.exhaustive
def test_every_engine_reads_the_rows_and_the_sums_of_the_mirror(lived, tmp_path, monkeypatch):
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"file://{tmp_path}/lake"}
    (tmp_path / "lake").mkdir()
    monkeypatch.setattr(iceberg, "load_catalog", lambda name: load_catalog(name, **properties))
    engine = open_engine(lived)
    for to in ("iceberg:tensorpix@lake", str(tmp_path / "archive")):
        destination.export(engine, to, "parquet", lambda _name, _rows: None)
    engine.dispose()
    given = json.dumps({"asked": COSTS, "money": MONEY})
    asked = {"cwd": tmp_path, "input": given, "text": True, "timeout": 300}
    found = json.loads(subprocess.run([PYTHON, SCRIPT], stdout=subprocess.PIPE, check=True, **asked).stdout)
    here = {name: held(lived, name) for name in MONEY}
    assert found["figures"] == dict.fromkeys(ENGINES, here)
    for sql, spark, clickhouse in zip(COSTS, *found["answers"].values(), strict=True):
        wanted = rows(query(lived, sql.rstrip("; \n")))
        assert wanted, sql
        assert same(rows(spark), wanted), sql
        assert same(rows(clickhouse), wanted), sql


def held(url: str, name: str) -> list[Any]:
    """How many rows the mirror has, and their sum as it is exact in SQLite: in ten-thousandths."""
    ((count, units),) = query(url, f"SELECT COUNT(*), SUM(CAST(ROUND({MONEY[name]} * 10000) AS integer)) FROM {name}")
    return [count, f"{Decimal(units) / 10000:.4f}"]


Rows = list[list[float | str | None]]


def same(found: Rows, wanted: Rows) -> bool:
    """Whether rows are the same but for the last digits of quotients, of which each engine has others."""
    pairs = [pair for rows in zip(found, wanted, strict=True) for pair in zip(*rows, strict=True)]
    return all(
        abs(one - other) < 0.0002 if isinstance(one, float) and isinstance(other, float) else one == other
        for one, other in pairs
    )


def rows(found: Any) -> Rows:
    """Rows in an order that ties do not change."""
    made = [[plain(value) for value in row] for row in found]
    return sorted(made, key=lambda row: [f"{value:.1f}" if isinstance(value, float) else str(value) for value in row])


def plain(value: Any) -> float | str | None:
    """A number as such, a time to the second."""
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return str(value)[:19]
