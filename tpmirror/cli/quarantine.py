"""Commands for payloads that could not be mirrored, or not whole."""

import click

from tpmirror.cli.options import (
    API_SETTINGS,
    EXIT_STATUS,
    as_json,
    mirror,
    print_json,
    progress_bar,
    snapshot,
    with_settings,
)
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention


@click.group()
def quarantine() -> None:
    """Show payloads that could not be mirrored, or not whole, and try them again."""


@quarantine.command("list")
@with_settings()
@as_json
def list_(settings: Settings, *, as_json: bool) -> None:
    """Show the entries that are not resolved; --json shows the payloads too."""
    from tpmirror.cli.tables import show_table
    from tpmirror.store.quarantine import open_entries

    with snapshot(settings) as conn:
        entries = open_entries(conn)
    if as_json:
        print_json(entries)
        return
    columns = {"id": "entry", "job_id": "job", "first_seen_at": "first seen", "reason": "what and why"}
    show_table("In quarantine (times in UTC)", entries, columns)


@quarantine.command(epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS)
@as_json
def retry(settings: Settings, *, as_json: bool) -> None:
    """Ask the API for the quarantined jobs again and mirror what can be read now; exit status 3 if some are left."""
    from tpmirror.sync import quarantine as trying

    with mirror(settings):
        pass
    with progress_bar() as progress:
        left = trying.retry(settings, progress)
    if as_json:
        print_json({"left": left})
    else:
        click.echo(f"{len(left):,} entries left in quarantine")
    if left:
        raise NeedsAttention
