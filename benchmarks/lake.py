"""``python -m benchmarks.lake``: what a mirror weighs in each place, and what an export costs, first and again.

A mirror of two years is filled by ``year.sql``. Then it is exported into a folder and into Iceberg tables of a local
catalog; 1,000 jobs of two months are changed, and it is exported again. Last, the lake is asked what each model cost in
each month. ``--made-up`` asks ClickHouse and Spark SQL that, of more jobs than any mirror has. Seconds are of processor
and of wall: other work on the machine lengthens the wall time.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pyarrow as pa
from pyarrow import compute
from pyiceberg.catalog import load_catalog
from sqlalchemy import Engine, text

from benchmarks.year import SECONDS, fill
from tpmirror.db import migrate
from tpmirror.db.engine import connected
from tpmirror.export import iceberg, writer

PLACES = ("folder", "iceberg")
ROOT = Path(__file__).parents[1]
READERS, ENGINES = ROOT / ".venv-readers" / "bin" / "python", ROOT / "benchmarks" / "engines.py"
CHANGED = 1000
"""Jobs that change before the second export."""
AGAIN = """
INSERT INTO field_changes (entity, entity_id, field, old_value, new_value, observed_at, sync_run_id)
SELECT 'job', id, 'description', description, 'changed', changed_at, (SELECT MAX(id) FROM sync_runs) FROM jobs
WHERE id IN (SELECT id FROM jobs WHERE started >= :first AND started < :after LIMIT :some)
"""
QUESTION = """
SELECT o.started_month, m.name, SUM(c.credits) AS credits
FROM job_model_costs AS c JOIN job_overview AS o ON o.job_id = c.job_id JOIN ml_models AS m ON m.id = c.ml_model_id
GROUP BY o.started_month, m.name
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lake", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--only", choices=PLACES, help="export there alone")
    parser.add_argument(
        "--made-up", type=int, metavar="JOBS", help="export nothing; write so many jobs into a lake, and ask"
    )
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tpm-lake-"))
    try:
        if asked.made_up:
            make_up(home, asked.made_up)
        else:
            measure(home, asked.jobs, [asked.only] if asked.only else PLACES)
    finally:
        shutil.rmtree(home)


def measure(home: Path, jobs: int, places: Sequence[str]) -> None:
    """All steps, each with its line."""
    url = f"sqlite:///{home}/mirror.db"
    now = datetime.now(UTC).timestamp()
    runs = {"runs": jobs, "samples": 30, "per_job": 1, "every": 2 * SECONDS / jobs}
    with connected(url) as engine:
        migrate.upgrade(engine)
        fill(url, {**runs, "jobs": jobs, "now": now})
        load = os.getloadavg()[0]
        print(f"{jobs:,} jobs, two years; {os.cpu_count()} cores, load {load:.0f} at the start")
        print("| step | processor s | wall s | MB | files |\n| --- | ---: | ---: | ---: | ---: |")
        print(f"| SQLite | | | {(home / 'mirror.db').stat().st_size / 1e6:,.0f} | 1 |")
        catalog = _catalog(home)
        for step in ("first", "again"):
            if "folder" in places:
                with counted(f"Parquet, {step}", home / "archive"):
                    writer.export(engine, home / "archive", "parquet", _quiet)
            if "iceberg" in places:
                with counted(f"Iceberg, {step}", home / "lake"):
                    done = iceberg.export(engine, "iceberg:tensorpix@bench", _quiet)
                print(f"| | | | {len(done.written)} months written | |")
            if step == "first":
                change(engine)
    if "iceberg" in places:
        ask(home, catalog)


def ask(home: Path, catalog: Any) -> None:
    """What each model cost in each month, from the lake; its sum is that of all jobs."""
    with counted("cost by model and month, DuckDB", home / "lake"), duckdb.connect() as db:
        for name in ("job_model_costs", "job_overview", "ml_models"):
            catalog.load_table(f"tensorpix.{name}").scan().to_duckdb(name, connection=db)
        summed = sum((row[2] for row in db.sql(QUESTION).fetchall()), Decimal(0))
        ((held,),) = db.sql("SELECT SUM(credits) FROM job_overview").fetchall()
    assert summed == held, (summed, held)


def make_up(home: Path, jobs: int) -> None:
    """The tables of an empty mirror, and rows in them in which only what the question reads is not null."""
    catalog, months = _catalog(home), [f"{year}-{month:02}" for year in (2025, 2026) for month in range(1, 13)]
    with connected(f"sqlite:///{home}/mirror.db") as engine:
        migrate.upgrade(engine)
        iceberg.export(engine, "iceberg:tensorpix@bench", _quiet)
    some = jobs // len(months)
    with counted(f"{some * len(months):,} made-up jobs", home / "lake"):
        for number, month in enumerate(months):
            ids = pa.array(range(number * some, (number + 1) * some), pa.int64())
            model = compute.subtract(ids, compute.multiply(compute.divide(ids, 20), 20))
            money = compute.add(model, 1).cast(pa.decimal128(23, 4))
            shared = {"job_id": ids, "credits": money, "started_month": month}
            _append(catalog, "job_overview", some, {**shared, "month": month, "preview": False})
            _append(catalog, "job_model_costs", some, {**shared, "position": 0, "ml_model_id": model})
        names = pa.array([f"Model {number}" for number in range(20)])
        _append(catalog, "ml_models", 20, {"id": pa.array(range(20), pa.int64()), "name": names})
    print("| engine | seconds, first time | again | rows | Credits |\n| --- | ---: | ---: | ---: | ---: |", flush=True)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([READERS, ENGINES], cwd=home, env=environ, input=QUESTION, text=True, check=True)


def _append(catalog: Any, name: str, rows: int, values: dict[str, Any]) -> None:
    """Rows of a table: a value for each or the same for all, null where none is given."""
    table = catalog.load_table(f"tensorpix.{name}")
    schema = table.schema().as_arrow()
    columns = [
        value.cast(column.type)
        if isinstance(value := values.get(column.name), pa.Array)
        else pa.repeat(pa.scalar(value, column.type), rows)
        for column in schema
    ]
    table.append(pa.table(columns, schema=schema))


def change(engine: Engine) -> None:
    """Other descriptions in two months, noted as the syncer notes them."""
    with engine.begin() as conn:
        months = [row[0] for row in conn.execute(text("SELECT DISTINCT substr(started, 1, 7) FROM jobs ORDER BY 1"))]
        for month in (months[3], months[9]):
            bounds = {"first": month, "after": f"{month}-99", "some": CHANGED // 2}
            conn.execute(text(AGAIN), bounds)
        newest = "SELECT entity_id FROM field_changes ORDER BY id DESC LIMIT :some"
        conn.execute(text(f"UPDATE jobs SET description = 'changed' WHERE id IN ({newest})"), {"some": CHANGED})


@contextmanager
def counted(name: str, place: Path) -> Iterator[None]:
    """Print what the block cost, and what lies in the place after it."""
    wall, cpu = time.monotonic(), time.process_time()
    yield
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    files = [path for path in place.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"| {name} | {cpu:.1f} | {wall:.1f} | {size:,.0f} | {len(files)} |", flush=True)


def _catalog(home: Path) -> Any:
    """A catalog in a file, in the place of the configured ones."""
    properties = {"type": "sql", "uri": f"sqlite:///{home}/catalog.db", "warehouse": f"file://{home}/lake"}
    patch.object(iceberg, "load_catalog", lambda name: load_catalog(name, **properties)).start()
    return load_catalog("bench", **properties)


def _quiet(_name: str, _rows: int) -> None:
    """Show nothing."""


if __name__ == "__main__":
    main()
