"""The long run: months become years, and thousands of processes are killed. ``make soak``, or ``python -m tests.soak``.

It does what ``make test-all`` does in its simulation and its kills, 50 times over and with other seeds, and prints the
same figures; then it has the service live behind PgBouncer for a quarter of an hour, and deliver events under kills.
Nothing may be wrong; a seed that fails says how to see it again.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.support import deliveries, memory, pooled
from tests.support.kills import Kills, migrated
from tests.support.postgres import Postgres
from tests.support.simulation import Figures, Universe, Violation

DAYS: Final = 28
"""Days of one seed, as in ``make test-all``."""
UNIVERSES: Final = 5 * 50
KILLS: Final = 50
"""Kills of one mirror's writers, as in ``make test-all``."""
MIRRORS: Final = 50
MINUTES: Final = 15.0
TRANSITIONS: Final = 2000
FIRST_SEED: Final = 1000
PROCESSES: Final = os.cpu_count() or 1


def main() -> int:
    """Run it; the exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--universes", type=int, default=UNIVERSES, help=f"seeds of {DAYS} days each")
    parser.add_argument("--mirrors", type=int, default=MIRRORS, help=f"mirrors on each database, {KILLS} kills each")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="minutes of the service behind a pooler; 0: none"
    )
    parser.add_argument(
        "--deliveries", type=int, default=TRANSITIONS, help="events delivered on each database under kills; 0: none"
    )
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="the first seed")
    asked = parser.parse_args()
    started, violations = time.monotonic(), 0
    with _progress() as progress, ProcessPoolExecutor(PROCESSES) as pool:
        for wrong in chain(
            _simulate(asked, pool, progress), _kill(asked, pool, progress), _pool(asked), _deliver(asked)
        ):
            violations += 1
            print(wrong, flush=True)
    print(f"{violations} violations in {(time.monotonic() - started) / 60:.0f} minutes")
    return 1 if violations else 0


def _simulate(asked: Any, pool: ProcessPoolExecutor, progress: Progress) -> Iterator[str]:
    bar = progress.add_task("simulated days", total=asked.universes * DAYS)
    total = Figures()
    seeds = range(asked.seed, asked.seed + asked.universes)
    try:
        for figures, wrong in _results(pool, (partial(_live, seed) for seed in seeds)):
            total += figures
            progress.update(bar, completed=total.days, description=f"simulated days, {total.crashes:,} crashes")
            yield from wrong
    finally:  # what was seen counts, also when somebody ends it early
        print(f"simulation: {total}", flush=True)


def _live(seed: int) -> tuple[Figures, list[str]]:
    with tempfile.TemporaryDirectory(dir=memory.folder()) as home, Universe(seed, Path(home)) as universe:
        try:
            return universe.live(DAYS), []
        except Violation as violation:
            return universe.figures, [str(violation)]
        except Exception as error:  # noqa: BLE001 - the other seeds have to live on
            return universe.figures, [f"seed {seed}: {error!r}"]


def _kill(asked: Any, pool: ProcessPoolExecutor, progress: Progress) -> Iterator[str]:
    bar = progress.add_task("kills", total=2 * asked.mirrors * KILLS)
    killed, abandoned = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory(dir=memory.folder()) as home, Postgres() as server:
        seeds = range(asked.seed, asked.seed + asked.mirrors)
        for seed in seeds:
            server.create(f"mirror{seed}")
        urls = [("SQLite", seed, f"sqlite:///{home}/mirror{seed}.db") for seed in seeds]
        urls += [("PostgreSQL", seed, server.url(f"mirror{seed}")) for seed in seeds]
        for name, kills, wrong in _results(pool, (partial(_kill_writers, *each) for each in urls)):
            killed[name] += kills[0]
            abandoned[name] += kills[1]
            progress.advance(bar, kills[0])
            yield from wrong
    for name in killed:
        print(f"{name}: {killed[name]:,} processes killed, {abandoned[name]:,} in mid-run")


def _kill_writers(name: str, seed: int, url: str) -> tuple[str, tuple[int, int], list[str]]:
    migrated(url)
    kills = Kills(url, seed)
    try:
        wrong = kills.run(KILLS)
    except Exception as error:  # noqa: BLE001 - the other mirrors have to live on
        wrong = [repr(error)]
    return name, (kills.killed, kills.abandoned), [f"{name}, seed {seed}: {one}" for one in wrong]


def _pool(asked: Any) -> Iterator[str]:
    """The service behind PgBouncer, by itself: what else runs would only make it wait."""
    if asked.minutes:
        with tempfile.TemporaryDirectory(dir=memory.folder()) as home:
            figures = pooled.live(Path(home), asked.minutes * 60, asked.seed)
        print(f"behind a pooler: {figures}", flush=True)
        yield from figures.wrong


def _deliver(asked: Any) -> Iterator[str]:
    """Events to three sinks: under kills and restarts on both databases, then without, for how fast they come."""
    for kills in (KILLS, 0) if asked.deliveries else ():
        with (
            tempfile.TemporaryDirectory(dir=memory.folder()) as folder,
            deliveries.on_postgres("mirror") as (url, server),
        ):
            wanted = {"transitions": asked.deliveries, "kills": kills}
            lite = f"sqlite:///{folder}/mirror.db"
            for name, there, own in (("SQLite", lite, None), ("PostgreSQL", url, server)):
                figures = deliveries.live(there, Path(folder), asked.seed, server=own, **wanted)
                print(f"events on {name}: {figures}", flush=True)
                yield from (f"events on {name}, seed {asked.seed}: {wrong}" for wrong in figures.wrong)


def _results(pool: ProcessPoolExecutor, tasks: Iterator[Any]) -> Iterator[Any]:
    """What each task returns, as soon as it does; only as many are started as run."""
    running: set[Future[Any]] = set()
    while running := running | {pool.submit(task) for task in islice(tasks, PROCESSES - len(running))}:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True)


if __name__ == "__main__":
    sys.exit(main())
