"""``tpmirror status``: the mirror at a glance."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, Final

import click

from tpmirror.cli.colour import highlight
from tpmirror.cli.options import Command, as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.formatting import count, duration, hanging

KINDS: Final = {"full": "full_sync", "poll": "poll"}
"""Kinds of runs, by what ``--json`` calls the last one of each."""
ROWS: Final = ("last_run", "last_failure", "last_full_sync", "last_poll")
"""What ``--json`` shows as rows of ``sync_runs``."""
RUNS: Final = 3
"""Runs of each kind that are listed."""


@click.command(cls=Command)
@with_settings("sync_interval", "budget_daily", "budget_monthly", "credit_price")
@as_json
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the mirror at a glance: proven complete as of when, what is wrong and what to do, jobs, last runs."""
    from tpmirror.cli import tables
    from tpmirror.db.engine import display
    from tpmirror.store import health, queries, runs
    from tpmirror.store.prices import known
    from tpmirror.store.status import read_status

    now = datetime.now(UTC)
    with snapshot(settings) as conn:
        prices = known(conn, settings.credit_price, now.date())
        found = {"database": display(conn.engine), **queries.summary(conn, prices)}
        recent = {kind: runs.of_kind(conn, kind, RUNS) for kind in KINDS}
        wrong = health.problems_of_mirror(read_status(conn, now.date()), settings, now)
    found |= {f"last_{name}": next(iter(recent[kind]), None) for kind, name in KINDS.items()}
    if as_json:
        last = {name: row and runs.as_json(row) for name, row in found.items() if name in ROWS}
        print_json({**found, **last, "problems": [asdict(problem) for problem in wrong]})
    else:
        _show(found, wrong, now)
        tables.show_statuses(found["by_status"])
        tables.show_runs(sorted(chain(*recent.values()), key=itemgetter("id"), reverse=True))


def _show(found: dict[str, Any], wrong: Sequence[Any], now: datetime) -> None:
    click.echo(f"Mirror     {found['database']}")
    certified = _certified(found)
    click.echo(highlight(hanging("Certified  ", certified), certified.split()[0].rstrip(";")))
    for label, row in (("Full sync", found["last_full_sync"]), ("Poll", found["last_poll"])):
        if row is not None:
            click.echo(highlight(hanging(f"{label:9}  ", _outcome(row, now)), row["outcome"]))
    click.echo(f"In flight  {count(found['in_flight'], 'job')}")
    entries = count(found["history"]["entries"], "entry", "entries")
    click.echo(hanging("History    ", f"{entries}, head {found['history']['head']}"))
    for name, values in found["unknown"].items():
        click.echo(hanging("Unknown    ", f"{name}: {', '.join(map(str, values))}"))
    for problem in wrong:
        word = "Wrong" if problem.critical else "Warning"
        click.echo(highlight(hanging(f"{word:10} ", problem.message), word))
        click.echo(hanging(f"{'':10} -> ", problem.remedy))
    click.echo()


def _certified(found: dict[str, Any]) -> str:
    from tpmirror.store.runs import FUTURE

    if found["certified_at"] is None:
        return "never; run tpmirror sync"
    age = FUTURE if found["age_s"] is None else f"{duration(found['age_s'])} ago"
    return f"complete as of {found['certified_at']:%Y-%m-%d %H:%M:%S} UTC, {age}"


def _outcome(row: dict[str, Any], now: datetime) -> str:
    """How a run ended and when, with the reason if it failed, or proved nothing."""
    if row["finished_at"] is None:
        return f"{row['outcome']}, run {row['id']}, begun {duration((now - row['started_at']).total_seconds())} ago"
    ended = f"{row['outcome']} {duration((now - row['finished_at']).total_seconds())} ago, run {row['id']}"
    if row["error"]:
        return f"{ended}: {row['error']}"
    if row["kind"] == "poll" or row["outcome"] != "succeeded":
        return ended
    certificate = json.loads(row["certificate"] or "{}")
    return f"{ended}, certified" if row["certified"] else f"{ended}, not certified: {certificate.get('reason')}"
