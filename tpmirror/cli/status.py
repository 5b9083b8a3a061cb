"""``tpmirror status``: the mirror at a glance."""

from dataclasses import asdict
from typing import Any

import click

from tpmirror.cli.options import as_json, mirror, with_settings
from tpmirror.config import Settings


@click.command()
@with_settings("sync_interval", "budget_daily", "budget_monthly")
@as_json
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the mirror at a glance: what is wrong and what to do, proven complete as of when, jobs, last runs."""
    from datetime import UTC, datetime

    from tpmirror import formatting
    from tpmirror.cli import tables
    from tpmirror.db.engine import display, reading
    from tpmirror.store import health, queries, runs
    from tpmirror.store.status import read_status

    now = datetime.now(UTC)
    with mirror(settings) as engine, reading(engine) as conn:
        found, recent = queries.summary(conn), runs.recent(conn, 5)
        wrong = health.problems_of_mirror(read_status(conn, now.date()), settings, now)
    if as_json:
        for name in ("last_run", "last_failure"):
            found[name] = found[name] and runs.as_json(found[name])
        found["problems"] = [asdict(problem) for problem in wrong]
        click.echo(formatting.to_json({"database": display(engine.url), **found}))
        return
    click.echo(f"Mirror     {display(engine.url)}")
    click.echo(f"Certified  {_certified(found)}")
    click.echo(f"In flight  {found['in_flight']:,} jobs")
    click.echo(f"History    {found['history']['entries']:,} entries, head {found['history']['head']}")
    for name, values in found["unknown"].items():
        click.echo(f"Unknown    {name}: {formatting.escape_terminal(', '.join(map(str, values)))}")
    for problem in wrong:
        click.echo(formatting.hanging(f"{'Wrong' if problem.critical else 'Warning':10} ", problem.message))
        click.echo(formatting.hanging(f"{'':10} -> ", problem.remedy))
    tables.show_statuses(found["by_status"])
    tables.show_runs(recent)


def _certified(found: dict[str, Any]) -> str:
    from tpmirror import formatting

    if found["certified_at"] is None:
        return "never; run tpmirror sync"
    last = found["last_run"]
    usual = last["certified"] or (last["kind"] == "poll" and last["outcome"] == "succeeded")
    newer = "" if usual else f"; last run: {last['outcome']}, not certified"
    age = formatting.duration(found["age_s"])
    return f"complete as of {found['certified_at']:%Y-%m-%d %H:%M:%S} UTC, {age} ago{newer}"
