"""``tpmirror status``: the mirror at a glance."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from tpmirror import formatting
from tpmirror.cli.options import as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings


@click.command()
@with_settings("sync_interval", "budget_daily", "budget_monthly", "credit_price")
@as_json
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the mirror at a glance: what is wrong and what to do, proven complete as of when, jobs, last runs."""
    from tpmirror.db.engine import display
    from tpmirror.store import health, queries, runs
    from tpmirror.store.prices import known
    from tpmirror.store.status import read_status

    now = datetime.now(UTC)
    with snapshot(settings) as conn:
        prices = known(conn, settings.credit_price, now.date())
        found, recent = {"database": display(conn.engine), **queries.summary(conn, prices)}, runs.recent(conn, 5)
        wrong = health.problems_of_mirror(read_status(conn, now.date()), settings, now)
    if as_json:
        last = {name: found[name] and runs.as_json(found[name]) for name in ("last_run", "last_failure")}
        print_json({**found, **last, "problems": [asdict(problem) for problem in wrong]})
    else:
        _show(found, wrong, recent)


def _show(found: dict[str, Any], wrong: Sequence[Any], recent: list[dict[str, Any]]) -> None:
    from tpmirror.cli import tables

    click.echo(f"Mirror     {found['database']}")
    click.echo(formatting.hanging("Certified  ", _certified(found)))
    click.echo(f"In flight  {formatting.count(found['in_flight'], 'job')}")
    entries = formatting.count(found["history"]["entries"], "entry", "entries")
    click.echo(formatting.hanging("History    ", f"{entries}, head {found['history']['head']}"))
    for name, values in found["unknown"].items():
        click.echo(formatting.hanging("Unknown    ", f"{name}: {', '.join(map(str, values))}"))
    for problem in wrong:
        click.echo(formatting.hanging(f"{'Wrong' if problem.critical else 'Warning':10} ", problem.message))
        click.echo(formatting.hanging(f"{'':10} -> ", problem.remedy))
    click.echo()
    tables.show_statuses(found["by_status"])
    tables.show_runs(recent)


def _certified(found: dict[str, Any]) -> str:
    from tpmirror.store.runs import FUTURE

    if found["certified_at"] is None:
        return "never; run tpmirror sync"
    last = found["last_run"]
    usual = last["certified"] or (last["kind"] == "poll" and last["outcome"] == "succeeded")
    newer = "" if usual else f"; last run: {last['outcome']}, not certified"
    age = FUTURE if found["age_s"] is None else f"{formatting.duration(found['age_s'])} ago"
    return f"complete as of {found['certified_at']:%Y-%m-%d %H:%M:%S} UTC, {age}{newer}"
