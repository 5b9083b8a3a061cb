"""``python -m benchmarks.year``: whether pages and runs become slower in a year, and what the first removal costs.

Two mirrors of the same jobs are filled by ``year.sql``: a young one with few runs and samples, and one that has kept
those of a year. Each page is made on both in turn, cold (nothing remembered) and warm; a run is opened and closed.
Counted is processor time, of this process and of the database's: other work on the machine lengthens the wall time.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from threading import Event
from types import SimpleNamespace
from typing import Any, Final

import httpx
from sqlalchemy import Engine, create_engine, event, text

from benchmarks.databases import PostgreSQL, Sqlite
from tpmirror.config import Settings, load
from tpmirror.db import migrate
from tpmirror.db.engine import connected
from tpmirror.sync import run
from tpmirror.sync.retention import remove_old
from tpmirror.web.app import create_app
from tpmirror.web.cache import ResultCache
from tpmirror.web.server import Server

DATABASES: Final[dict[str, type[Sqlite] | type[PostgreSQL]]] = {"sqlite": Sqlite, "postgresql": PostgreSQL}
YEAR: Final = {"runs": 1_000_000, "samples": 3_000_000}
YOUNG: Final = {"runs": 3_000, "samples": 9_000}
SECONDS: Final = 365 * 86_400
"""Of a year."""
PAGES: Final = (
    "/",
    "/live",
    "/jobs",
    "/jobs/{job}",
    "/jobs?q=holiday",
    "/costs",
    "/costs?from=365d",
    "/operations",
    "/operations?from=90d",
    "/statement",
    "/sync",
    "/sync?kind=full",
)
OPENED: Final = 20
"""Runs opened for one figure."""


@dataclass
class Mirror:
    """A filled mirror and its dashboard."""

    database: Sqlite | PostgreSQL
    settings: Settings
    figures: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds of processor time, by what was done."""

    def __post_init__(self) -> None:
        self.app = create_app(self.settings)
        self.server = Server(self.app, ("127.0.0.1", 0))
        self.client = httpx.Client(base_url=self.server.start(), timeout=600, trust_env=False)

    @property
    def url(self) -> str:
        """Where the database is."""
        return self.settings.database.url

    def fetch(self, path: str) -> None:
        """Make a page."""
        self.client.get(path).raise_for_status()

    def close(self) -> None:
        """End the dashboard."""
        self.client.close()
        self.server.stop()
        self.app.state.engine.dispose()

    def measure(self, name: str, work: Callable[[], object]) -> None:
        """Note what ``work`` costs."""
        with counted(self.database) as spent:
            work()
        self.figures.setdefault(name, []).extend(spent)


def main() -> None:
    """Measure what the options ask for, and print a table for each database."""
    asked = options()
    for kind in asked.database:
        with DATABASES[kind]() as database:
            mirrors = {age: filled(database, age, size(asked, age)) for age in ("young", "year")}
            if asked.plans:
                for page in pages(asked.jobs):
                    explain(mirrors["year"], page, asked.plans)
            for _ in range(asked.repeats):
                measure(mirrors, pages(asked.jobs))
            print(table(database.name, mirrors))
            print(removal(mirrors["year"]))
            mirrors["year"].figures.clear()
            for _ in range(asked.repeats):
                measure({"year": mirrors["year"]}, pages(asked.jobs))
            print(table(f"{database.name}, after the removal", mirrors))
            for mirror in mirrors.values():
                mirror.close()


def options() -> argparse.Namespace:
    """What to measure: by default a whole year on both databases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.year", description=__doc__)
    parser.add_argument("--database", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=YEAR["runs"], help="of the year")
    parser.add_argument("--samples", type=int, default=YEAR["samples"], help="of the year; at most 30 a job")
    parser.add_argument("--repeats", type=int, default=5, help="of which the medians count")
    parser.add_argument("--plans", type=int, default=0, help="show so many plans of each page, the slowest statements'")
    return parser.parse_args()


def size(asked: argparse.Namespace, age: str) -> dict[str, Any]:
    """The parameters of ``year.sql``."""
    some = YOUNG if age == "young" else {"runs": asked.runs, "samples": asked.samples}
    now = datetime.now(UTC).timestamp()
    often = {"per_job": asked.runs // asked.jobs, "every": SECONDS / asked.runs}
    return {**some, **often, "jobs": asked.jobs, "now": now}


def pages(jobs: int) -> list[str]:
    """The addresses of the pages; the job is one that has ended."""
    return [page.format(job=jobs - 50) for page in PAGES]


def filled(database: Sqlite | PostgreSQL, age: str, size_: dict[str, Any]) -> Mirror:
    """A mirror of that size."""
    url = database.fresh(age)
    with connected(url) as engine:
        migrate.upgrade(engine)
    began = time.monotonic()
    fill(url, size_)
    database.settle(url)
    mirror = Mirror(database, load({"TPMIRROR_DATABASE_URL": url}))
    print(f"{database.name}, {age}: {megabytes(mirror):,.0f} MB, filled in {time.monotonic() - began:.0f} s")
    return mirror


def fill(url: str, size_: dict[str, Any]) -> None:
    """Run ``year.sql``: without the mirror's own engine, whose statements may take half a minute only."""
    engine = create_engine(url)
    lite = engine.dialect.name == "sqlite"
    if lite:
        event.listen(engine, "connect", _add_function)
    with engine.begin() as conn:
        if not lite:
            conn.execute(text("SET session_replication_role = replica"))  # looks no foreign key up
        for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                conn.execute(text(statement), size_)
    engine.dispose()


def _add_function(connection: Any, _record: Any) -> None:
    """PostgreSQL's function for SQLite, giving times as the mirror stores them there."""

    def to_timestamp(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "microseconds")

    connection.create_function("to_timestamp", 1, to_timestamp, deterministic=True)


@contextmanager
def counted(database: Sqlite | PostgreSQL) -> Iterator[list[float]]:
    """Milliseconds of processor time of this process and of the database's; the list has them at the end."""
    spent: list[float] = []
    server = database.cpu()
    client = time.process_time()
    yield spent
    client = time.process_time() - client
    spent.append(1000 * (client + database.cpu() - server))


def measure(mirrors: dict[str, Mirror], paths: list[str]) -> None:
    """Make each page on each mirror in turn, and open runs."""
    for path in paths:
        for mirror in mirrors.values():
            mirror.app.state.memory = ResultCache()
            mirror.measure(f"{path} cold", lambda: mirror.fetch(path))  # noqa: B023 - called at once
            mirror.measure(f"{path} warm", lambda: mirror.fetch(path))  # noqa: B023 - called at once
    for mirror in mirrors.values():
        with connected(mirror.url) as engine:
            open_run(mirror.database, engine)  # connects, and imports what it needs
            found = [open_run(mirror.database, engine) for _ in range(OPENED)]
        for name, costs in zip(("open a run", "close it"), zip(*found, strict=True), strict=True):
            mirror.figures.setdefault(name, []).append(mean(costs))


def open_run(database: Sqlite | PostgreSQL, engine: Engine) -> tuple[float, float]:
    """What opening a poll costs, and closing it; it asks nothing of the API."""
    api: Any = SimpleNamespace(origin="loopback", owners=None, clock_ahead=None, requests=0, retries=0)
    opened = run.opened(engine, "poll", api, datetime.now(UTC))
    with counted(database) as begin:
        opened.__enter__()
    with counted(database) as end:
        opened.__exit__(None, None, None)
    return begin[0], end[0]


def removal(mirror: Mirror) -> str:
    """Remove what is old for the first time: seconds, and the size before and after."""
    before, began = megabytes(mirror), time.monotonic()
    with connected(mirror.url) as engine, counted(mirror.database) as spent:
        remove_old(engine, mirror.settings, 0, Event())
    seconds = time.monotonic() - began
    mirror.database.settle(mirror.url)
    with connected(mirror.url) as engine, engine.connect() as conn:
        left = {
            name: conn.scalar(text(f"SELECT COUNT(*) FROM {name}")) for name in ("sync_runs", "job_progress_samples")
        }
    rows = ", ".join(f"{count:,} {name}" for name, count in left.items())
    return (
        f"First removal: {seconds:.1f} s, of them {spent[0] / 1000:.1f} s of the processor; "
        f"{before:,.0f} MB before, {megabytes(mirror):,.0f} MB after, {rows} left."
    )


def megabytes(mirror: Mirror) -> float:
    """The size of a database, its indexes included; on SQLite without its free pages."""
    sizes = {
        "sqlite": "SELECT (page_count - freelist_count) * page_size "
        "FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        "postgresql": "SELECT pg_database_size(current_database())",
    }
    with connected(mirror.url) as engine, engine.connect() as conn:
        return float(conn.scalar(text(sizes[engine.dialect.name])) or 0) / 1e6


def table(title: str, mirrors: dict[str, Mirror]) -> str:
    """The medians, in milliseconds."""
    lines = [f"| {title} | young ms | year ms | year / young |", "| --- | ---: | ---: | ---: |"]
    young, year = (mirrors[age].figures for age in ("young", "year"))
    for name in year:
        before, now = median(young[name]), median(year[name])
        lines.append(f"| {name} | {before:,.1f} | {now:,.1f} | {now / before:.2f} |")
    return "\n".join(lines)


def explain(mirror: Mirror, path: str, most: int) -> None:
    """Print the plans of the slowest statements of a page."""
    seen: list[tuple[float, str, Any]] = []

    def begin(_conn: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, *_: Any) -> None:
        context.began = time.perf_counter()

    def end(_conn: Any, _cursor: Any, statement: str, parameters: Any, context: Any, *_: Any) -> None:
        seen.append((time.perf_counter() - context.began, statement, parameters))

    engine = mirror.app.state.engine
    mirror.app.state.memory = ResultCache()
    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    mirror.fetch(path)
    event.remove(engine, "before_cursor_execute", begin)
    event.remove(engine, "after_cursor_execute", end)
    print(f"{path}: {len(seen)} statements, {1000 * sum(found[0] for found in seen):,.0f} ms")
    how = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN (ANALYZE, BUFFERS)"
    asked = [found for found in seen if found[1].startswith("SELECT")]
    for seconds, statement, parameters in sorted(asked, key=lambda found: -found[0])[:most]:
        print(f"\n{1000 * seconds:,.1f} ms: {' '.join(statement.split())[:400]}")
        with engine.connect() as conn:
            for row in conn.exec_driver_sql(f"{how} {statement}", parameters):
                print("    ", row[-1])


if __name__ == "__main__":
    main()
