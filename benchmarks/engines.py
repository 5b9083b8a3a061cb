"""How long ClickHouse and Spark SQL take for a question to a lake; run by the Python of ``.venv-readers``.

The question comes on standard input, the lake is in the current folder. A line for each engine: seconds, twice.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chdb.session

from tests.support.readers import sail

TABLES = ("job_overview", "job_model_costs", "ml_models")


def main() -> None:
    """Ask both."""
    question, lake = sys.stdin.read(), Path.cwd() / "lake" / "tensorpix"
    with chdb.session.Session() as clickhouse:
        for name in TABLES:
            clickhouse.query(f"CREATE VIEW {name} AS SELECT * FROM icebergLocal('{lake / name}/')")
        asked = f"SELECT count(), sum(credits) FROM ({question})"
        measured("ClickHouse", lambda: clickhouse.query(asked, "TSV").bytes().decode().split())
    with sail() as spark:
        for name in TABLES:
            spark.read.format("iceberg").load(str(lake / name)).createOrReplaceTempView(name)
        asked = f"SELECT count(*), sum(credits) FROM ({question})"
        measured("Spark SQL (Sail)", lambda: spark.sql(asked).collect()[0])


def measured(name: str, ask: Callable[[], Any]) -> None:
    """Ask twice, and print."""
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        rows, money = ask()
        seconds.append(time.monotonic() - started)
    print(f"| {name} | {seconds[0]:.1f} | {seconds[1]:.1f} | {rows} | {money} |", flush=True)


if __name__ == "__main__":
    main()
