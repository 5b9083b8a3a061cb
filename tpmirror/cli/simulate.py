"""``tpmirror simulate``: a simulated TensorPix API on loopback."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import click

from tpmirror import signals
from tpmirror.cli.options import PORT_NUMBER, Command, port_refused
from tpmirror.formatting import count

ORDERINGS: Final = ("-id", "id", "-started", "status", "unordered", "random")
DRIFTS: Final = ("insert", "delete", "insert+delete", "touch", "cancel", "distort")
FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Bounds of ``--now``: the account's past and its life have to stay within the years that datetime knows."""


def _moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime:
    """The time of ``--now``; the real time without it. Raises BadParameter, which says what is accepted."""
    if value is None:
        return datetime.now(UTC)
    with suppress(ValueError):
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        if FIRST <= moment <= LAST:
            return moment
    raise click.BadParameter(
        f"{value[:80]!r} is no time from 2000 to 2099; give one such as 2026-11-01T12:00:00, UTC unless it names a zone"
    )


@click.command(cls=Command, context_settings={"show_default": True})
@click.option(
    "--port",
    metavar="NUMBER",
    type=PORT_NUMBER,
    default=8378,
    help="Port on 127.0.0.1; 0 picks a free one.",
)
@click.option(
    "--jobs", metavar="NUMBER", type=click.IntRange(0, 5_000_000), default=1000, help="Jobs in the account's past."
)
@click.option("--seed", metavar="NUMBER", type=int, default=1, help="The same seed and --now give the same account.")
@click.option("--now", callback=_moment, metavar="TIME", help="When the account's past ends.  [default: now]")
@click.option("--token", metavar="KEY", type=str, default="simulated-key", help="The API key it accepts.")
@click.option("--ordering", type=click.Choice(ORDERINGS), default="-id", help="Order of the list.")
@click.option(
    "--page-cap",
    metavar="NUMBER",
    type=click.IntRange(1, 100_000),
    default=100,
    help="Most jobs on a page, whatever is asked for.",
)
@click.option("--active-only", is_flag=True, help="Finished jobs leave the list, as some users report.")
@click.option(
    "--latency", metavar="SECONDS", type=click.FloatRange(0, 60), default=0.0, help="Seconds before each answer."
)
@click.option(
    "--speed",
    metavar="FACTOR",
    type=click.FloatRange(0, 10_000),
    default=1.0,
    help="How many times faster jobs come and end, 1: three a minute; 0 stops the clock.",
)
@click.option(
    "--drift",
    type=click.Choice(DRIFTS),
    help="How the account changes between pages; distort: a job shows an odd value, lacks a key or has a new one.",
)
def simulate(*, jobs: int, seed: int, now: datetime, speed: float, **options: Any) -> None:
    """Serve a simulated TensorPix API on loopback, to try tpmirror on.

    Its account has a past of a year that ends now, and lives on: jobs are submitted, processed, and finish or fail.
    """
    from tpmirror.simulator.living import living
    from tpmirror.simulator.server import Simulator

    with signals.until_signalled():
        signals.release()
        try:
            world = living(seed, jobs, now, speed=speed or 1)
            simulator = Simulator(world, speed=1 if speed else 0, **options)
        except OSError as error:
            raise port_refused(options["port"], error) from error
        click.echo(
            f"A simulated account with {count(jobs, 'job')} on {simulator.url}; stop with Ctrl-C. In another terminal:",
            err=True,
        )
        click.echo(f"  export TPMIRROR_API_URL={simulator.url} TPMIRROR_API_KEY={options['token']}", err=True)
        click.echo("  tpmirror sync", err=True)
        simulator.serve_forever()
    click.echo("stopped", err=True)
