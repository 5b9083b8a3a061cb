"""Commands that show what the mirror holds."""

from dataclasses import asdict
from typing import Any, Final

import click

from tpmirror.cli.common import EXIT_STATUS, JOB_ID, Look, as_json, mirror, with_settings
from tpmirror.config import Settings
from tpmirror.errors import TpmirrorError


@click.command()
@with_settings("sync_interval", "budget_daily", "budget_monthly")
@as_json
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the mirror at a glance: what is wrong and what to do, proven complete as of when, jobs, last runs."""
    from datetime import UTC, datetime

    from tpmirror import formatting, tables
    from tpmirror.db.engine import display, reading
    from tpmirror.store import health, queries, runs
    from tpmirror.store.status import read_status

    now = datetime.now(UTC)
    with mirror(settings) as engine, reading(engine) as conn:
        found, recent = queries.summary(conn), runs.recent(conn, 5)
        wrong = health.problems_of_mirror(read_status(conn, now.date()), settings, now)
    if as_json:
        from tpmirror.sync import run

        for name in ("last_run", "last_failure"):
            found[name] = found[name] and run.as_json(found[name])
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
        click.echo(formatting.hanging(f"{'Wrong' if problem.critical else 'Look':10} ", problem.message))
        click.echo(formatting.hanging(f"{'':10} -> ", problem.remedy))
    tables.show_statuses(found["by_status"])
    tables.show_runs(recent)


@click.command()
@click.argument("job_id", type=JOB_ID)
@with_settings()
@as_json
def history(settings: Settings, *, job_id: int, as_json: bool) -> None:
    """Show every recorded transition and field change of job JOB_ID."""
    from tpmirror import formatting
    from tpmirror.db.engine import reading
    from tpmirror.store import queries
    from tpmirror.tables import show_history

    with mirror(settings) as engine, reading(engine) as conn:
        row = queries.job(conn, job_id)
        found = queries.job_history(conn, row) if row is not None else None
    if row is None or found is None:
        message = f"the mirror has no job {job_id}; SELECT id FROM jobs lists those it has"
        raise TpmirrorError(message)
    if as_json:
        click.echo(formatting.to_json({"job_id": job_id, "presence": row["presence"], **found}))
        return
    show_history(job_id, found)


@click.command(epilog=EXIT_STATUS)
@click.option("--head", metavar="HASH", help="A head hash noted on an earlier day: the chain has to contain it.")
@with_settings()
@as_json
def audit(settings: Settings, *, head: str | None, as_json: bool) -> None:
    """Check the history: hash chain, gaps, continuity, agreement with the jobs.

    Exit status 0: whole; 3: findings, each listed. Note the head hash somewhere else: only that shows a tail cut off.
    """
    from tpmirror import formatting
    from tpmirror.db.engine import reading
    from tpmirror.store import audit as auditing
    from tpmirror.tables import show_table

    with mirror(settings) as engine, reading(engine) as conn:
        found = auditing.audit(conn, head)
    if as_json:
        click.echo(formatting.to_json({"entries": found.entries, "head": found.head, "findings": found.findings}))
    else:
        show_table(
            "Findings", found.findings, {"check": "check", "job_id": "job", "entry": "entry", "finding": "finding"}
        )
        click.echo(f"{found.entries:,} entries, head {found.head}")
    if found.findings:
        raise Look


def _certified(found: dict[str, Any]) -> str:
    from tpmirror import formatting

    if found["certified_at"] is None:
        return "never; run tpmirror sync"
    last = found["last_run"]
    usual = last["certified"] or (last["kind"] == "poll" and last["outcome"] == "succeeded")
    newer = "" if usual else f"; last run: {last['outcome']}, not certified"
    age = formatting.duration(found["age_s"])
    return f"complete as of {found['certified_at']:%Y-%m-%d %H:%M:%S} UTC, {age} ago{newer}"


COMMANDS: Final = (status, history, audit)
