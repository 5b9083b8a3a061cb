"""``tpmirror demo``: a simulated account, three syncs into a throw-away SQLite file, and a report."""

import tempfile
from pathlib import Path
from typing import Any, Final

import click

KEY: Final = "simulated-key"
STEPS: Final = (0, 600, 1800)
"""Simulated seconds before each sync: enough for jobs to start, and for some to finish."""


@click.command()
@click.option(
    "--jobs", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Jobs in the simulated account."
)
def demo(*, jobs: int) -> None:
    """Show the whole product on a simulated account and a throw-away SQLite file; no key needed."""
    from tpmirror.simulator.server import Simulator
    from tpmirror.simulator.world import World

    with tempfile.TemporaryDirectory(prefix="tpmirror-demo-") as folder:
        url = f"sqlite:///{Path(folder) / 'tpmirror.db'}"
        click.echo(f"A simulated account with {jobs:,} jobs; its life goes on between three syncs.")
        with Simulator(World(jobs=jobs), token=KEY) as simulator:
            _live(simulator, url)
        _report(url)
    click.echo("The mirror was a throw-away. For your own account: set TPMIRROR_API_KEY and run tpmirror sync.")


def _live(simulator: Any, url: str) -> None:
    from tpmirror.config import load
    from tpmirror.sync import full

    environ = {"TPMIRROR_API_URL": simulator.url, "TPMIRROR_API_KEY": KEY, "TPMIRROR_MAX_RPS": "0"}
    settings = load(environ, {"database_url": url})
    for step in STEPS:
        simulator.world.advance(step)
        row = full.sync(settings)
        done = f"{row['jobs_seen']:,} jobs with {row['requests']} requests: {row['jobs_inserted']:,} new"
        proof = "certified complete" if row["certified"] else "not certified"
        changed = f"{row['jobs_updated']:,} changed, {row['transitions']:,} status changes"
        click.echo(f"  sync {row['id']}: {done}, {changed}, {proof}")


def _report(url: str) -> None:
    from tpmirror.cli import tables
    from tpmirror.db.engine import connected, reading
    from tpmirror.store import queries

    with connected(url, read_only=True) as engine, reading(engine) as conn:
        tables.show_statuses(queries.jobs_by_status(conn))
        tables.show_months(queries.credits_by_month(conn, 6))
        job_id = queries.most_eventful_job(conn)
        row = queries.job(conn, job_id)
        if row is not None:
            tables.show_history(job_id, queries.job_history(conn, row))
