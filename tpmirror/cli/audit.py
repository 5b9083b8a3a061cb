"""``tpmirror audit``: whether the history is whole."""

import re

import click

from tpmirror.cli.options import EXIT_STATUS, as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention, UsageError
from tpmirror.formatting import count, hanging


def _hash(_context: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """A head hash as ``status`` and ``audit`` print it. Raises UsageError for anything else."""
    if value is not None and re.fullmatch("[0-9a-f]{64}", value, re.ASCII) is None:
        raise UsageError(f"--head is {value[:80]!r}; it accepts a hash of 64 hex digits, as tpmirror audit prints it")
    return value


@click.command(epilog=EXIT_STATUS)
@click.option(
    "--head", metavar="HASH", callback=_hash, help="A head hash noted on an earlier day: the chain has to contain it."
)
@with_settings()
@as_json
def audit(settings: Settings, *, head: str | None, as_json: bool) -> None:
    """Check the history: hash chain, gaps, continuity, agreement with the jobs; and that all sums of money agree.

    And that nobody took its triggers away, or replaced a view, since the last upgrade.

    Exit status 0: whole; 3: findings, each listed. Note the head hash somewhere else: only that shows a tail cut off.
    """
    from tpmirror.cli.tables import show_table
    from tpmirror.reports.reconcile import disagreements
    from tpmirror.store import audit as auditing

    with snapshot(settings) as conn:
        found = auditing.audit(conn, head)
        # A view that was replaced or is gone is told as such; what it sums to says nothing then.
        is_sound = not any(finding["check"] == "view" for finding in found.findings)
        sums = disagreements(conn) if is_sound else []
    none = {"check": "costs", "job_id": None, "entry": None}
    findings = [*found.findings, *({**none, "finding": sentence} for sentence in sums)]
    if as_json:
        print_json({"entries": found.entries, "head": found.head, "findings": findings})
    else:
        columns = {"check": "check", "job_id": "job", "entry": "entry", "finding": "finding"}
        show_table("Findings", findings, columns, whole=True)
        click.echo(hanging("", f"{count(found.entries, 'entry', 'entries')}, head {found.head}"))
    if findings:
        raise NeedsAttention
