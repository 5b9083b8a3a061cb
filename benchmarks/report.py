"""The figures as a table: medians of the rounds, and the ratio to the floor."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Final

from benchmarks.databases import Mark
from benchmarks.process import Cost

MACHINE: Final = "2 shared cores"
COLUMNS: Final = (
    "jobs", "database", "scenario", "", "wall s", "CPU s client", "CPU s database", "CPU / floor", "peak RSS MB",
    "requests", "rows written", "KB written",
)  # fmt: skip
INTRODUCTION: Final = """\
# What a mirror costs

Made by `make bench` on {machine}, Python {python}; medians of {repeats}. Other work on the machine shows in the wall
time, and a little in the processor time: compare within a pair of rows.

* **floor**: the same pages fetched one after the other with the standard library and decoded typed; for writes plus the
  same rows, prebuilt, by `sqlite3.executemany` or PostgreSQL's `COPY` in one transaction, into the same tables with all
  their indexes. Python's start and the imports are not in.
* **script**: a quick script, httpx and one upsert of SQLAlchemy Core for each row, without history, into tables of its
  own without any index.
* **tpmirror**: the command as a user runs it, with `--no-certify`, so that both read the list once.
* **initial**: into an empty mirror, history included. **unchanged**: again, every URL signed anew. **changed**: 1 % of
  the jobs changed, 0.5 % are new. **poll**: 5 jobs in flight, spread over the list; its floor does not write.
* **CPU**: whole processes from start to end, so Python's start and the imports are in, but for the floor's.
  **CPU / floor**: client and database together, against the floor of the same round. On SQLite the database works
  within the client.
* **rows written**: on SQLite rows new or other than before, on PostgreSQL rows inserted, updated, deleted; the lease
  of the writer is not counted. **KB written**: to the database's files, or to PostgreSQL's write-ahead log.

"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One step of one round."""

    jobs: int
    database: str
    scenario: str
    who: str
    requests: int
    client: Cost
    server: Mark

    @property
    def cpu(self) -> float:
        """Of client and database together."""
        return self.client.cpu + self.server.cpu


def line(figures: Figures) -> str:
    """One step in one line, for the terminal."""
    return (
        f"{figures.jobs:,} {figures.database} {figures.scenario} {figures.who}: {figures.client.wall:.2f} s, "
        f"CPU {figures.client.cpu:.2f} + {figures.server.cpu:.2f} s, {figures.client.rss / 2**20:.0f} MB, "
        f"{figures.requests} requests, {figures.server.rows:,} rows, {figures.server.written / 1000:,.0f} KB"
    )


def table(found: Iterable[Figures]) -> str:
    """The medians as a table in Markdown."""
    order = {name: number for number, name in enumerate(("initial", "unchanged", "changed", "poll"))}

    def step(figures: Figures) -> tuple[int, bool, int]:
        return figures.jobs, figures.database != "SQLite", order[figures.scenario]

    rows = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * 4 + " ---: |" * (len(COLUMNS) - 4)]
    for _, group in groupby(sorted(found, key=step), key=step):
        rounds = list(group)
        by_who = {who: [figures for figures in rounds if figures.who == who] for who in ("floor", "script", "tpmirror")}
        for who, own in by_who.items():
            pairs = zip(own, by_who["floor"], strict=False) if who != "floor" else ()
            rows += [_row(own, [mine.cpu / least.cpu for mine, least in pairs])] if own else []
    return "\n".join(rows) + "\n"


def _row(rounds: list[Figures], ratios: list[float]) -> str:
    one = rounds[0]
    values = [
        f"{one.jobs:,}", one.database, one.scenario, one.who,
        f"{median(figures.client.wall for figures in rounds):.2f}",
        f"{median(figures.client.cpu for figures in rounds):.2f}",
        f"{median(figures.server.cpu for figures in rounds):.2f}" if one.database != "SQLite" else "",
        f"**{median(ratios):.2f}**" if ratios else "",
        f"{median(figures.client.rss for figures in rounds) / 2**20:.0f}",
        f"{median(figures.requests for figures in rounds):,}",
        f"{median(figures.server.rows for figures in rounds):,}",
        f"{median(figures.server.written for figures in rounds) / 1000:,.0f}",
    ]  # fmt: skip
    return "| " + " | ".join(values) + " |"


def page(found: str, repeats: int) -> str:
    """RESULTS.md."""
    return INTRODUCTION.format(machine=MACHINE, python=platform.python_version(), repeats=repeats) + found
