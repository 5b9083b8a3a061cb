"""``tpmirror simulate``: a simulated TensorPix API on loopback."""

from collections.abc import Callable
from typing import Any, Final

import click

from tpmirror.cli.options import F
from tpmirror.errors import UsageError

ORDERINGS: Final = ("-id", "id", "-started", "status", "unordered", "random")
DRIFTS: Final = ("insert", "delete", "insert+delete", "touch", "cancel")


def _option(name: str, type_: Any, default: Any, text: str) -> Callable[[F], F]:
    return click.option(name, type=type_, default=default, show_default=default is not None, help=text)


@click.command()
@_option("--port", click.IntRange(0, 65535), 8378, "Port on 127.0.0.1; 0 picks a free one.")
@_option("--jobs", click.IntRange(0, 5_000_000), 1000, "Jobs in the account's past.")
@_option("--seed", int, 1, "The same seed gives the same account.")
@_option("--token", str, "simulated-key", "The API key it accepts.")
@_option("--ordering", click.Choice(ORDERINGS), "-id", "Order of the list.")
@_option("--page-cap", click.IntRange(1, 100_000), 100, "Most jobs on a page, whatever is asked for.")
@click.option("--active-only", is_flag=True, help="Finished jobs leave the list, as some users report.")
@_option("--latency", click.FloatRange(0, 60), 0.0, "Seconds before each answer.")
@_option("--speed", click.FloatRange(0, 1e6), 1.0, "Simulated seconds per second; 0 stops the clock.")
@_option("--drift", click.Choice(DRIFTS), None, "What happens to the account between pages.")
def simulate(*, jobs: int, seed: int, **options: Any) -> None:
    """Serve a simulated TensorPix API on loopback, to try tpmirror on."""
    from tpmirror.simulator.server import Simulator
    from tpmirror.simulator.world import World

    try:
        simulator = Simulator(World(seed=seed, jobs=jobs), **options)
    except OSError as error:
        message = f"nothing can listen on port {options['port']}: {error.strerror}; give another --port, or 0"
        raise UsageError(message) from error
    click.echo(
        f"A simulated account with {jobs:,} jobs on {simulator.url}; stop with Ctrl-C. In another terminal:", err=True
    )
    click.echo(f"  export TPMIRROR_API_URL={simulator.url} TPMIRROR_API_KEY={options['token']}", err=True)
    click.echo("  tpmirror sync", err=True)
    try:
        simulator.serve_forever()
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
