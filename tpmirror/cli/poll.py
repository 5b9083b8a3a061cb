"""``tpmirror poll``: a refresh of what can have changed soon."""

import click

from tpmirror.cli.options import API_SETTINGS, EXIT_STATUS, Command, announcing, as_json, quiet, snapshot, with_settings
from tpmirror.cli.progress import reading_bar
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention


@click.command(cls=Command, epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS, "credit_price")
@as_json
@quiet
def poll(settings: Settings, *, as_json: bool) -> None:
    """Refresh what changes soon: the newest pages, and every job in flight by its id.

    Exit status 3: a value of a job in flight could not be held.
    """
    from tpmirror.cli.tables import show_run
    from tpmirror.store import presence, quarantine
    from tpmirror.sync.poll import poll as look_again

    with announcing(settings), reading_bar() as progress:
        row = look_again(settings, progress)
    show_run(row, as_json=as_json)
    with snapshot(settings) as conn:
        holding = quarantine.holding(conn, presence.in_flight_ids(conn))
    if holding.reason:
        click.echo(f"warning: jobs in flight are {holding.reason}", err=True)
        raise NeedsAttention
