"""Commands that walk the API."""

import gc
from typing import Any, Final

import click

from tpmirror.cli.common import API_SETTINGS, EXIT_STATUS, Look, as_json, mirror, progress_bar, with_settings
from tpmirror.config import Settings


@click.command(epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS, "vanish_limit")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change. One pass, no proof.")
@click.option("--no-certify", is_flag=True, help="Skip the proof of completeness: half the requests, exit status 3.")
@as_json
def sync(settings: Settings, *, dry_run: bool, no_certify: bool, as_json: bool) -> None:
    """Walk all of /api/jobs/ once: mirror what changed, record history, prove that nothing was missed.

    Creates or migrates the database if needed. Safe to run again at any time, also after a crash.
    """
    from tpmirror.sync import full
    from tpmirror.sync.verify import preview

    gc.freeze()  # what was loaded stays to the end: nothing for the collector to look through again and again
    with progress_bar() as progress:
        if dry_run:
            differences = preview(settings, progress)
        else:
            row = full.sync(settings, certify=not no_certify, progress=progress)
    if dry_run:
        _show_differences("Would change", differences, as_json=as_json)
        return
    waiting = _report(settings)
    _show_run(row, as_json=as_json)
    if waiting or not row["certified"]:
        raise Look


@click.command(epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS)
@as_json
def poll(settings: Settings, *, as_json: bool) -> None:
    """Refresh only what can have changed soon: the newest pages, and every job in flight by its id."""
    from tpmirror.sync.poll import poll as look_again

    with progress_bar() as progress:
        row = look_again(settings, progress)
    _show_run(row, as_json=as_json)


@click.command(epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS)
@as_json
def verify(settings: Settings, *, as_json: bool) -> None:
    """Walk the API and compare every field with the mirror; write nothing.

    Exit status 0: identical; 3: differences, each listed with both values. Progress and ETA of jobs, which change from
    look to look, are left out.
    """
    from tpmirror.sync.verify import verify as compare

    with mirror(settings):
        pass
    with progress_bar() as progress:
        differences = compare(settings, progress)
    _show_differences("Differences", differences, as_json=as_json)
    if differences:
        raise Look


def _show_differences(title: str, differences: list[dict[str, Any]], *, as_json: bool) -> None:
    from tpmirror import formatting
    from tpmirror.tables import show_table

    if as_json:
        click.echo(formatting.to_json({"differences": differences}))
        return
    show_table(title, differences, {name: name for name in ("entity", "id", "field", "mirror", "upstream")})


def _show_run(row: dict[str, Any], *, as_json: bool) -> None:
    from tpmirror import formatting
    from tpmirror.sync import run

    shown = run.as_json(row)
    if as_json:
        click.echo(formatting.to_json(shown))
    else:
        _summarize(row, shown["certificate"])


def _summarize(row: dict[str, Any], certificate: dict[str, Any] | None) -> None:
    from tpmirror import formatting

    seconds = (row["finished_at"] - row["started_at"]).total_seconds()
    click.echo(f"Mirrored {row['jobs_seen']:,} jobs in {seconds:.1f} s with {row['requests']:,} requests")
    counts = {"new": "jobs_inserted", "changed": "jobs_updated", "unchanged": "jobs_unchanged"}
    told = [f"{row[column]:,} {word}" for word, column in counts.items()]
    click.echo(
        f"Jobs: {', '.join(told)}; {row['transitions']:,} status changes, {row['field_changes']:,} other changes"
    )
    if row["quarantined"]:
        click.echo(
            f"Look: {row['quarantined']:,} payloads with values that could not be mirrored: table quarantined_jobs"
        )
    if certificate is None:
        return
    if row["certified"]:
        count, when = f"{certificate['count']:,}", certificate["counted_at"]
        click.echo(f"Certified: the mirror holds all {count} jobs that were listed at {when}")
    else:
        click.echo(f"Not certified: {formatting.escape_terminal(certificate['reason'])}")


def _report(settings: Settings) -> int:
    """Say on stderr what somebody has to look at; how many jobs wait for an operator."""
    from tpmirror import formatting
    from tpmirror.db.engine import reading
    from tpmirror.store import presence, queries

    with mirror(settings) as engine, reading(engine) as conn:
        waiting, unknown = len(presence.waiting(conn)), queries.unknown(conn)
    for name, values in unknown.items():
        told = formatting.escape_terminal(", ".join(map(str, values)))
        click.echo(f"note: upstream sends what this version does not know, {name}: {told}", err=True)
    if waiting:
        click.echo(f"look: {waiting:,} vanished jobs wait for an operator; see tpmirror gone list", err=True)
    return waiting


COMMANDS: Final = (sync, poll, verify)
