"""``tpmirror audit``: checks of the history, the sums of money, triggers and views."""

import re

import click

from tpmirror.cli.options import EXIT_STATUS, Command, as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention, UsageError
from tpmirror.formatting import count, hanging


def _hash(_context: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """A head hash as ``status`` and ``audit`` print it. Raises UsageError for anything else."""
    if value is not None and re.fullmatch("[0-9a-f]{64}", value, re.ASCII) is None:
        raise UsageError(f"--head is {value[:80]!r}; it accepts a hash of 64 hex digits, as tpmirror audit prints it")
    return value


@click.command(cls=Command, epilog=EXIT_STATUS)
@click.option(
    "--head", metavar="HASH", callback=_hash, help="Head hash noted on an earlier day, which the chain has to contain."
)
@with_settings()
@as_json
def audit(settings: Settings, *, head: str | None, as_json: bool) -> None:
    """Check the history (hash chain, gaps, continuity, agreement with the jobs), and that all sums of money agree.

    Triggers that were dropped and views that were replaced since the last upgrade are findings too.

    Exit status 0: no findings; 3: findings, each listed. Note the head hash elsewhere: without one, a history whose end
    was cut off looks whole.
    """
    from tpmirror.cli.tables import show_table
    from tpmirror.reports.reconcile import disagreements
    from tpmirror.store import audit as auditing

    with snapshot(settings) as conn:
        found = auditing.audit(conn, head)
        # A view that was replaced or dropped is a finding itself; its sums would add findings that mean nothing.
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
