"""The long run: months become years, and thousands of processes are killed. ``make soak``, or ``python -m tests.soak``.

It does what ``make test`` does in its simulation and its kills, 50 times over and with other seeds, and prints the
same figures. Nothing may be wrong; a seed that fails says how to see it again.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.support import memory
from tests.support.kills import Kills, migrated
from tests.support.postgres import Postgres
from tests.support.simulation import Figures, Universe, Violation

DAYS: Final = 25
"""Days of one seed, as in ``make test``."""
UNIVERSES: Final = 8 * 50
KILLS: Final = 50 * 50
FIRST_SEED: Final = 1000
PROCESSES: Final = os.cpu_count() or 1


def main() -> int:
    """Run it; the exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--universes", type=int, default=UNIVERSES, help=f"seeds of {DAYS} days each")
    parser.add_argument("--kills", type=int, default=KILLS, help="kills of real processes, on each database")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="the first seed")
    asked = parser.parse_args()
    started, wrong = time.monotonic(), list[str]()
    with _progress() as progress:
        wrong += _simulate(asked, progress)
        wrong += _kill(asked, progress)
    for one in wrong:
        print(one)
    print(f"{len(wrong)} violations in {(time.monotonic() - started) / 60:.0f} minutes")
    return 1 if wrong else 0


def _simulate(asked: Any, progress: Progress) -> Iterator[str]:
    task = progress.add_task("simulated days", total=asked.universes * DAYS)
    total = Figures()
    todo = iter(range(asked.seed, asked.seed + asked.universes))
    with ProcessPoolExecutor(PROCESSES) as pool:
        running: set[Future[tuple[Figures, str]]] = set()
        while True:
            running |= {pool.submit(_live, seed) for seed in islice(todo, PROCESSES - len(running))}
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                figures, violation = future.result()
                total += figures
                progress.update(task, completed=total.days, description=f"simulated days, {total.crashes:,} crashes")
                if violation:
                    yield violation
    print(f"simulation: {total}")


def _live(seed: int) -> tuple[Figures, str]:
    with tempfile.TemporaryDirectory(dir=memory.folder()) as home, Universe(seed, Path(home)) as universe:
        try:
            return universe.live(DAYS), ""
        except Violation as violation:
            return universe.figures, str(violation)


def _kill(asked: Any, progress: Progress) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=memory.folder()) as home, Postgres() as server:
        server.create("mirror")
        for name, url in (("SQLite", f"sqlite:///{home}/mirror.db"), ("PostgreSQL", server.url("mirror"))):
            migrated(url)
            task = progress.add_task(f"kills on {name}", total=asked.kills)
            kills = Kills(url, asked.seed)
            wrong = kills.run(asked.kills, lambda: progress.advance(task))  # noqa: B023 - called at once
            yield from (f"{name}: {one}" for one in wrong)
            print(f"{name}: {kills.killed:,} processes killed, {kills.abandoned:,} in mid-run")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True)


if __name__ == "__main__":
    sys.exit(main())
