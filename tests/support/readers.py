"""What other engines read of an export: run by the Python of ``.venv-readers``, where they are installed.

It reads a JSON from standard input: under ``asked`` the statements to run in SQL, under ``money`` the tables whose rows
to count, with the column to sum up. It prints, as JSON, the rows of each statement in Spark SQL and ClickHouse, and
what each engine finds in each table. The current folder holds a warehouse of Iceberg tables with its SQL catalog, and
an archive of Parquet files; ClickHouse reads no other folder.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import chdb.session
import daft
import polars as pl
from pyiceberg.catalog import load_catalog
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

Figures = dict[str, tuple[int, str]]


def main() -> None:
    """Read, ask, print."""
    folder, given = Path.cwd(), json.load(sys.stdin)
    asked, money = given["asked"], given["money"]
    catalog = load_catalog("lake", type="sql", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/lake")
    names = [identifier[-1] for identifier in catalog.list_tables("tensorpix")]
    tables = {name: catalog.load_table(("tensorpix", name)) for name in names}
    places = {name: table.location().removeprefix("file://") for name, table in tables.items()}
    with sail() as spark, chdb.session.Session() as clickhouse:
        for name, place in places.items():
            spark.read.format("iceberg").load(place).createOrReplaceTempView(name)
            clickhouse.query(f"CREATE VIEW {name} AS SELECT * FROM icebergLocal('{place}/')")
        iceberg, files = spark.read.format("iceberg"), spark.read.format("parquet")
        found = {
            "polars": figures(money, lambda name: of_polars(pl.scan_iceberg(tables[name]), money[name])),
            "polars, files": figures(
                money, lambda name: of_polars(pl.scan_parquet(f"archive/{name}/**/*.parquet"), money[name])
            ),
            "daft": figures(money, lambda name: of_daft(daft.read_iceberg(tables[name]), money[name])),
            "clickhouse": figures(money, lambda name: of_clickhouse(clickhouse, name, money[name])),
            "clickhouse, files": figures(
                money,
                lambda name: of_clickhouse(clickhouse, f"file('archive/{name}/**/*.parquet', Parquet)", money[name]),
            ),
            "spark": figures(money, lambda name: of_spark(iceberg.load(places[name]), money[name])),
            "spark, files": figures(
                money, lambda name: of_spark(files.load(str(folder / "archive" / name)), money[name])
            ),
        }
        answers = {
            "spark": [[plain(row) for row in spark.sql(sql.replace('"', "`")).collect()] for sql in asked],
            "clickhouse": [of_sql(clickhouse, sql) for sql in asked],
        }
    json.dump({"figures": found, "answers": answers}, sys.stdout)


def figures(names: Iterable[str], count: Callable[[str], tuple[int, Any]]) -> Figures:
    """Rows of each table, and their sum as text with all its digits."""
    found = {name: count(name) for name in names}
    return {name: (rows, f"{Decimal(money):f}") for name, (rows, money) in found.items()}


def of_polars(rows: pl.LazyFrame, money: str) -> tuple[int, Any]:
    """By polars."""
    found: tuple[int, Any] = rows.select(pl.len(), pl.col(money).sum()).collect().row(0)
    return found


def of_daft(rows: Any, money: str) -> tuple[int, Any]:
    """By Daft."""
    found = rows.agg(daft.col(money).count("all").alias("rows"), daft.col(money).sum().alias("sum")).to_pydict()
    return found["rows"][0], found["sum"][0]


def of_clickhouse(session: Any, source: str, money: str) -> tuple[int, Any]:
    """By ClickHouse."""
    ((rows, total),) = of_sql(session, f"SELECT count(), sum({money}) FROM {source}")
    return int(rows), total


def of_spark(rows: Any, money: str) -> tuple[int, Any]:
    """By Spark SQL."""
    ((count, total),) = rows.selectExpr("count(*)", f"sum({money})").collect()
    return count, total


def of_sql(session: Any, sql: str) -> list[list[Any]]:
    """The rows of a statement in ClickHouse, money as text."""
    exact = sql.rstrip("; \n") + " SETTINGS output_format_json_quote_decimals = 1"
    lines = session.query(exact, "JSONCompactEachRow").bytes().decode().splitlines()
    return [json.loads(line) for line in lines]


def plain(row: Any) -> list[Any]:
    """A row of Spark, each value as text."""
    return [None if value is None else str(value) for value in row]


@contextmanager
def sail() -> Iterator[Any]:
    """A server of Sail on loopback, and a session of the Spark client with it."""
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    try:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        yield spark
    finally:
        spark.stop()  # first: at exit the client would ask a server that is gone, for minutes
        server.stop()


if __name__ == "__main__":
    main()
