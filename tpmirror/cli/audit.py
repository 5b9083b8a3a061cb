"""``tpmirror audit``: whether the history is whole."""

import click

from tpmirror.cli.options import EXIT_STATUS, as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention


@click.command(epilog=EXIT_STATUS)
@click.option("--head", metavar="HASH", help="A head hash noted on an earlier day: the chain has to contain it.")
@with_settings()
@as_json
def audit(settings: Settings, *, head: str | None, as_json: bool) -> None:
    """Check the history: hash chain, gaps, continuity, agreement with the jobs.

    And that nobody took its triggers away, or replaced a view, since the last upgrade.

    Exit status 0: whole; 3: findings, each listed. Note the head hash somewhere else: only that shows a tail cut off.
    """
    from tpmirror.cli.tables import show_table
    from tpmirror.store import audit as auditing

    with snapshot(settings) as conn:
        found = auditing.audit(conn, head)
    if as_json:
        print_json({"entries": found.entries, "head": found.head, "findings": found.findings})
    else:
        columns = {"check": "check", "job_id": "job", "entry": "entry", "finding": "finding"}
        show_table("Findings", found.findings, columns)
        click.echo(f"{found.entries:,} entries, head {found.head}")
    if found.findings:
        raise NeedsAttention
