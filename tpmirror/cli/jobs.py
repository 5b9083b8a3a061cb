"""``tpmirror jobs`` and ``tpmirror show``: jobs by filter, and all that the mirror holds of one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from tpmirror.cli.completion import filters
from tpmirror.cli.options import JOB_ID, Command, as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import TpmirrorError, UsageError
from tpmirror.formatting import hanging

MOST: Final = 10_000
"""Jobs shown at most: the ids of all go into one statement."""


@click.command(cls=Command)
@click.option("--status", metavar="NAME", shell_complete=filters, help="Only jobs with this status, by name or code.")
@click.option("--model", metavar="NAME", shell_complete=filters, help="Only jobs that use this model, by name or id.")
@click.option("--resolution", metavar="NAME", shell_complete=filters, help="Only jobs with this output resolution.")
@click.option(
    "--presence", metavar="NAME", shell_complete=filters, help="Only jobs that are listed, missing, unlisted or gone."
)
@click.option("--owner", metavar="TEXT", default="", help="Only jobs whose input's owner has this text in the address.")
@click.option(
    "--search",
    metavar="TEXT",
    default="",
    help="Only jobs with this text in the description or a video's name, or with this id.",
)
@click.option(
    "--limit", metavar="NUMBER", type=click.IntRange(1, MOST), default=50, show_default=True, help="Most jobs to list."
)
@with_settings("credit_price")
@as_json
def jobs(settings: Settings, *, as_json: bool, limit: int, **filters: str | None) -> None:
    """List jobs, newest first: all, or those that every filter given lets through."""
    from datetime import UTC, datetime

    from tpmirror.cli.tables import show_jobs
    from tpmirror.db.privileges import readable
    from tpmirror.db.views import view
    from tpmirror.store import queries
    from tpmirror.store.prices import known

    with snapshot(settings) as conn:
        columns = readable(conn, view("job_overview"))
        if filters["owner"] and "input_owner" not in [column.name for column in columns]:
            raise UsageError("--owner: this database role may not read owners; connect as one that may")
        wanted = job_filter(filters, queries.job_choices(conn))
        ids = queries.job_ids(conn, wanted.conditions, limit + 1)
        found = queries.labelled_jobs(conn, ids[:limit], columns)
        prices = known(conn, settings.credit_price, datetime.now(UTC).date())
    if as_json:
        print_json(found)
        return
    show_jobs([{**job, **prices.worth(job["credits"], job["month"])} for job in found])
    if len(ids) > limit:
        click.echo(hanging("", f"There are more; --limit {min(MOST, 10 * limit)} shows more of them"))


def job_filter(filters: dict[str, str | None], choices: Mapping[str, Sequence[Any]]) -> Any:
    """The filter that the options mean. Raises UsageError for a name that nothing has."""
    from tpmirror.store.queries import JobFilter

    chosen = {
        name: [] if (text := filters[name]) is None else choose(name, text, choices[name])
        for name in ("status", "model", "resolution", "presence")
    }
    return JobFilter(
        statuses=chosen["status"],
        models=chosen["model"],
        resolution="".join(chosen["resolution"]),
        presence="".join(chosen["presence"]),
        owner=(filters["owner"] or "").strip(),
        text=(filters["search"] or "").strip(),
    )


def choose(option: str, text: str, choices: Sequence[Any]) -> list[Any]:
    """The values of the choices with this name, whatever its case, or with this value. Raises UsageError."""
    from tpmirror.store import queries

    found = queries.choose(choices, text)
    if not found:
        raise UsageError(f"--{option} is {text[:80]!r}; it accepts {queries.accepted(choices)}")
    return found


@click.command(cls=Command)
@click.argument("job_id", type=JOB_ID)
@with_settings()
@as_json
def show(settings: Settings, *, job_id: int, as_json: bool) -> None:
    """Show one job: its fields, videos, models and history."""
    from tpmirror.cli.tables import show_history, show_job
    from tpmirror.store import queries

    with snapshot(settings) as conn:
        row = queries.job(conn, job_id)
        details = queries.job_details(conn, row) if row is not None else {}
    if row is None:
        raise TpmirrorError(f"the mirror has no job {job_id}; tpmirror jobs lists those it has")
    if as_json:
        print_json({"job": _without_fingerprint(row), **_plain(details)})
        return
    show_job(row, details)
    show_history(job_id, {"status_changes": details["transitions"], "field_changes": details["changes"]})


def _without_fingerprint(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "fingerprint"}


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """The details under the names that ``history --json`` gives them; of a video its values alone."""
    videos = {
        f"{one['kind']}_video": {field["name"]: field["value"] for field in one["fields"]} for one in details["videos"]
    }
    names = {"shown": "overview", "transitions": "status_changes", "changes": "field_changes"}
    return {names.get(name, name): value for name, value in details.items() if name != "videos"} | videos
