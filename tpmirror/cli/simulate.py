"""``tpmirror simulate``: a simulated TensorPix API on loopback."""

from contextlib import suppress
from typing import Any, Final

import click

from tpmirror import signals
from tpmirror.errors import UsageError

ORDERINGS: Final = ("-id", "id", "-started", "status", "unordered", "random")
DRIFTS: Final = ("insert", "delete", "insert+delete", "touch", "cancel", "distort")


@click.command(context_settings={"show_default": True})
@click.option("--port", type=click.IntRange(0, 65535), default=8378, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--jobs", type=click.IntRange(0, 5_000_000), default=1000, help="Jobs in the account's past.")
@click.option("--seed", type=int, default=1, help="The same seed gives the same account.")
@click.option("--token", type=str, default="simulated-key", help="The API key it accepts.")
@click.option("--ordering", type=click.Choice(ORDERINGS), default="-id", help="Order of the list.")
@click.option(
    "--page-cap", type=click.IntRange(1, 100_000), default=100, help="Most jobs on a page, whatever is asked for."
)
@click.option("--active-only", is_flag=True, help="Finished jobs leave the list, as some users report.")
@click.option("--latency", type=click.FloatRange(0, 60), default=0.0, help="Seconds before each answer.")
@click.option(
    "--speed", type=click.FloatRange(0, 1e6), default=1.0, help="Simulated seconds per second; 0 stops the clock."
)
@click.option(
    "--drift",
    type=click.Choice(DRIFTS),
    help="What happens to the account between pages; distort: a job shows an odd value, lacks a key or has a new one.",
)
def simulate(*, jobs: int, seed: int, **options: Any) -> None:
    """Serve a simulated TensorPix API on loopback, to try tpmirror on."""
    from tpmirror.simulator.server import Simulator
    from tpmirror.simulator.world import World

    with suppress(KeyboardInterrupt):  # or SIGTERM: how it is meant to end, and one may wait already
        signals.release()
        try:
            simulator = Simulator(World(seed=seed, jobs=jobs), **options)
        except OSError as error:
            message = f"nothing can listen on port {options['port']}: {error.strerror}; give another --port, or 0"
            raise UsageError(message) from error
        click.echo(
            f"A simulated account with {jobs:,} jobs on {simulator.url}; stop with Ctrl-C. In another terminal:",
            err=True,
        )
        click.echo(f"  export TPMIRROR_API_URL={simulator.url} TPMIRROR_API_KEY={options['token']}", err=True)
        click.echo("  tpmirror sync", err=True)
        simulator.serve_forever()
    click.echo("stopped", err=True)
