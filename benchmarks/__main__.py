"""``python -m benchmarks``: floor, a quick script and tpmirror in turn, step by step, and a table of the medians.

Each round starts with an empty mirror: the first load, a full sync without changes, a poll, a full sync
with some changes.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import report, script
from benchmarks.account import Account
from benchmarks.databases import Database, PostgreSQL, Sqlite
from benchmarks.process import Cost, run
from benchmarks.report import Figures
from tpmirror.db.engine import connected

DATABASES: Final[dict[str, type[Sqlite] | type[PostgreSQL]]] = {"sqlite": Sqlite, "postgresql": PostgreSQL}
STEPS: Final = {
    "initial": ("initial", ["sync", "--no-certify"]),
    "unchanged": ("resigned", ["sync", "--no-certify"]),
    "poll": ("progressed", ["poll"]),
    "changed": ("changed", ["sync", "--no-certify"]),
}
"""By scenario, in this order: the state of the account, and the command."""
RESULTS: Final = Path(__file__).parent / "RESULTS.md"
NOT_CERTIFIED: Final = 3


def main() -> None:
    """Measure what the options ask for, print the table, keep it if it was asked for."""
    asked = options(sys.argv[1:])
    found: list[Figures] = []
    for jobs in asked.jobs:
        with Account(jobs) as account:
            for name in asked.database:
                with DATABASES[name]() as database:
                    for turn in range(1, asked.repeats + 1):
                        for figures in one_round(account, jobs, database, asked.scenario, floor=asked.floor):
                            found.append(figures)
                            print(f"round {turn}: {report.line(figures)}", file=sys.stderr)
    table = report.table(found)
    print(table)
    if asked.write:
        RESULTS.write_text(report.page(table, asked.repeats), encoding="utf-8")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What to measure: by default everything, into RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10_000, 100_000], help="sizes of the account")
    parser.add_argument("--database", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--scenario", nargs="+", choices=STEPS, default=list(STEPS), help="the first load always runs")
    parser.add_argument("--repeats", type=int, default=3, help="rounds, of which the medians count")
    parser.add_argument("--no-floor", dest="floor", action="store_false", help="run tpmirror alone")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave RESULTS.md as it is")
    return parser.parse_args(arguments)


def one_round(
    account: Account, jobs: int, database: Database, scenarios: Sequence[str], *, floor: bool
) -> Iterator[Figures]:
    """All steps on fresh databases: one for tpmirror, one for the floor, one for the script."""
    urls = {
        who: database.fresh(name) for who, name in (("tpmirror", "mirror"), ("floor", "floor"), ("script", "script"))
    }
    for url in urls.values():
        run([sys.executable, "-m", "tpmirror", "db", "upgrade"], {"TPMIRROR_DATABASE_URL": url})
    with connected(urls["script"]) as engine:
        script.metadata.create_all(engine)
    for scenario in [name for name in STEPS if name in {"initial", *scenarios}]:
        state, command = STEPS[scenario]
        asked: list[str] = []
        for who in ["tpmirror", *(["floor"] if floor else []), *(["script"] if floor and scenario != "poll" else [])]:
            account.use(state)
            database.settle(urls[who])
            before = database.mark(urls[who])
            if who == "floor":
                cost = least(scenario, account.url, urls, asked)
            elif who == "script":
                cost = run([sys.executable, "-m", "benchmarks.script", account.url, urls["script"]], {})
            else:
                cost = mirror(command, account.url, urls["tpmirror"])
            did = database.since(urls[who], before, cost)
            requests = account.asked()
            asked = asked or requests
            yield Figures(jobs, database.name, scenario, who, len(requests), cost, did)


def mirror(command: Sequence[str], origin: str, url: str) -> Cost:
    """Run tpmirror as a user does, without a limit to the rate of requests."""
    settings = {"API_KEY": "benchmark", "API_URL": origin, "DATABASE_URL": url, "MAX_RPS": "0"}
    environ = {f"TPMIRROR_{name}": value for name, value in settings.items()}
    return run([sys.executable, "-m", "tpmirror", *command, "--json"], environ, fine=(0, NOT_CERTIFIED))


def least(scenario: str, origin: str, urls: dict[str, str], asked: Sequence[str]) -> Cost:
    """Run the floor; a poll's is its requests alone. Neither its start nor loading the prebuilt rows counts."""
    what = "read" if scenario == "poll" else "write"
    command = [sys.executable, "-m", "benchmarks.floor", origin, urls["tpmirror"], urls["floor"], what]
    cost = run(command, {}, told=json.dumps(asked))
    return Cost(cost.said["wall"], cost.said["cpu"], cost.rss, cost.written, cost.said)


main()
