"""``tpmirror sync``: a full sync."""

import gc

import click

from tpmirror.cli.options import API_SETTINGS, EXIT_STATUS, Command, announcing, as_json, quiet, snapshot, with_settings
from tpmirror.cli.progress import reading_bar
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention
from tpmirror.formatting import count, escape_terminal


@click.command(cls=Command, epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS, "vanish_limit", "credit_price")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change. One pass, no proof.")
@click.option("--no-certify", is_flag=True, help="Skip the proof of completeness: half the requests, exit status 3.")
@as_json
@quiet
def sync(settings: Settings, *, dry_run: bool, no_certify: bool, as_json: bool) -> None:
    """Read all of /api/jobs/ once: mirror what changed, record history, prove that nothing was missed.

    Creates or migrates the database if needed. Safe to run again at any time, also after a crash.
    """
    from tpmirror.cli.tables import show_comparison, show_run
    from tpmirror.sync import full
    from tpmirror.sync.verify import preview

    gc.freeze()  # modules stay to the end: the garbage collector would scan their objects again and again
    with announcing(settings), reading_bar() as progress:
        if dry_run:
            found = preview(settings, progress)
        else:
            row = full.sync(settings, certify=not no_certify, progress=progress)
    if dry_run:
        show_comparison("Would change", found.differences, found.not_held, as_json=as_json)
        return
    waiting = _report(settings)
    show_run(row, as_json=as_json)
    if waiting or not row["certified"]:
        raise NeedsAttention


def _report(settings: Settings) -> int:
    """Print warnings to stderr; return how many jobs wait for an operator."""
    from tpmirror.store import presence, queries

    with snapshot(settings) as conn:
        waiting, unknown = len(presence.waiting(conn)), queries.unknown(conn)
    for name, values in unknown.items():
        shown = escape_terminal(", ".join(map(str, values)))
        click.echo(f"note: upstream sends what this version does not know, {name}: {shown}", err=True)
    if waiting:
        jobs, verb = count(waiting, "vanished job"), "waits" if waiting == 1 else "wait"
        click.echo(f"warning: {jobs} {verb} for an operator; see tpmirror gone list", err=True)
    return waiting
