"""``tpmirror quarantine``: items and values that could not be mirrored."""

import click

from tpmirror.cli import completion
from tpmirror.cli.options import (
    API_SETTINGS,
    EXIT_STATUS,
    Group,
    as_json,
    mirror,
    print_json,
    quiet,
    snapshot,
    summarize,
    with_settings,
)
from tpmirror.cli.progress import reading_bar
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention, UsageError
from tpmirror.formatting import count


@click.group(cls=Group)
def quarantine() -> None:
    """List items and values that could not be mirrored; try them again, or accept them."""


@quarantine.command("list")
@with_settings()
@as_json
def list_(settings: Settings, *, as_json: bool) -> None:
    """List the open entries; --json shows the payloads too.

    A value that cannot be held leaves its column as it was. Until the API shows one that can, or an operator accepts
    the entry, no full sync is certified.
    """
    from tpmirror.cli.tables import show_table
    from tpmirror.store.quarantine import open_entries

    with snapshot(settings) as conn:
        entries = open_entries(conn)
    if as_json:
        print_json(entries)
        return
    columns = {"id": "entry", "job_id": "job", "fault": "fault", "reason": "what and why", "accepted_at": "accepted"}
    show_table("In quarantine (times in UTC)", entries, {**columns, "first_seen_at": "first seen"}, whole=True)


@quarantine.command(epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS)
@as_json
@quiet
def retry(settings: Settings, *, as_json: bool) -> None:
    """Ask the API for the quarantined jobs again, and mirror what can be read by now.

    Exit status 3: entries are left that no operator accepted.
    """
    from tpmirror.store.quarantine import holding_back
    from tpmirror.sync import quarantine as trying

    with mirror(settings):
        pass
    with reading_bar() as progress:
        left = trying.retry(settings, progress)
    if as_json:
        print_json({"left": left})
    else:
        summarize(f"{_entries(len(left))} left in quarantine", is_warning=bool(left))
    if holding_back(left):
        raise NeedsAttention


@quarantine.command(epilog=EXIT_STATUS)
@click.argument(
    "entries", metavar="[ID]...", type=click.IntRange(1, 2**63 - 1), nargs=-1, shell_complete=completion.entries
)
@click.option("--all", "all_", is_flag=True, help="Every entry that is open now.")
@click.option("--field", metavar="NAME", help="Faults of this field, for example job.finished, in future jobs too.")
@click.option("--undo", is_flag=True, help="Withdraw the acceptance.")
@with_settings()
def accept(settings: Settings, *, entries: tuple[int, ...], all_: bool, field: str | None, undo: bool) -> None:
    """Accept entries as seen: they no longer keep full syncs from being certified.

    An acceptance covers a job, a field and a kind of fault. It ends when the field can be held, or has another kind of
    fault. An item without a readable id cannot be accepted, since the proof counts ids: exit status 3.
    """
    from tpmirror.sync.quarantine import Selection, withdraw
    from tpmirror.sync.quarantine import accept as accept_entries

    if bool(entries) + all_ + (field is not None) != 1:
        raise UsageError("name the entries by their numbers, or give --all or --field NAME, one of the three")
    selection = Selection(entries, field)
    with mirror(settings) as engine:
        if undo:
            summarize(f"{_entries(withdraw(engine, selection))} not accepted any more")
            return
        chosen = accept_entries(engine, selection)
    nameless = [row["id"] for row in chosen if row["job_id"] is None]
    for entry in nameless:
        click.echo(f"entry {entry} cannot be accepted: the id of its item cannot be read", err=True)
    done = len(chosen) - len(nameless)
    summarize(f"{_entries(done)} accepted; the next full sync is certified if nothing else holds it back")
    if nameless:
        raise NeedsAttention


def _entries(number: int) -> str:
    return count(number, "entry", "entries")
