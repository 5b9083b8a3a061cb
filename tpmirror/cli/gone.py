"""``tpmirror gone``: jobs that vanished and wait for an operator."""

from typing import Final

import click

from tpmirror.cli.completion import absent_jobs
from tpmirror.cli.options import JOB_ID, Group, as_json, mirror, print_json, snapshot, summarize, with_settings
from tpmirror.config import Settings
from tpmirror.errors import UsageError
from tpmirror.formatting import count, hanging

JOB_IDS = click.argument("job_ids", metavar="[JOB_ID]...", type=JOB_ID, nargs=-1, shell_complete=absent_jobs)
WHY: Final = """off the list. Either the API answers 404 by id (not found), or it was not asked (not asked): \
more vanished within a day than TPMIRROR_VANISH_LIMIT, or the list is empty and none of the known jobs answers. \
Nothing was marked.
Were they deleted? tpmirror gone confirm --all (or JOB_ID...), then the next sync marks those denied.
If not, do nothing: they are listed again when the API shows them again."""
"""Why jobs wait, and what an operator does about it; printed after the number of jobs."""


SILENT: Final = """The API answers neither with these jobs nor that they are not found. Until it does they count \
against the limit. Will it never? tpmirror gone confirm --unanswered JOB_ID... takes them out of the count."""


@click.group(cls=Group)
def gone() -> None:
    """List jobs that vanished upstream and wait for an operator; confirm or restore them.

    They wait if more vanish within 24 hours than TPMIRROR_VANISH_LIMIT lets runs mark gone.
    """


@gone.command("list")
@with_settings()
@as_json
def list_(settings: Settings, *, as_json: bool) -> None:
    """List the jobs that wait, and why."""
    from tpmirror.cli.tables import show_table
    from tpmirror.store import presence

    with snapshot(settings) as conn:
        waiting, silent = presence.waiting(conn), presence.unanswered(conn)
    if as_json:
        print_json(waiting)
        return
    if waiting:
        for sentences in f"{count(len(waiting), 'job')} {WHY}".splitlines():
            click.echo(hanging("", sentences))
    columns = {"job_id": "job", "started": "started", "absent_since": "absent since", "answer": "answer by id"}
    show_table("Vanished jobs that wait", waiting, columns, whole=True)
    if silent:
        click.echo(hanging("", SILENT))
        show_table("Missing jobs without an answer", silent, columns, whole=True)


@gone.command()
@JOB_IDS
@click.option("--all", "all_", is_flag=True, help="All jobs that wait.")
@click.option(
    "--unanswered",
    is_flag=True,
    help="These never answer by id: they stay missing, but count no more.",
)
@with_settings()
def confirm(settings: Settings, *, job_ids: tuple[int, ...], all_: bool, unanswered: bool) -> None:
    """Allow the next sync to mark these jobs gone, each only if the API answers 404 for its id."""
    from tpmirror.sync import gone as sync_gone

    if unanswered and (all_ or not job_ids):
        raise UsageError("name the jobs that never answer")
    if all_ == bool(job_ids):
        raise UsageError("name the jobs to confirm, or --all")
    with mirror(settings) as engine:
        if unanswered:
            done = sync_gone.give_up(engine, job_ids)
            summarize(f"{count(len(done), 'job')} taken as never answering; missing they stay, and count no more")
            return
        done = sync_gone.confirm(engine, None if all_ else job_ids)
    summarize(f"{count(len(done), 'job')} confirmed; the next sync marks those gone that the API denies by id")


@gone.command()
@JOB_IDS
@with_settings()
def restore(settings: Settings, *, job_ids: tuple[int, ...]) -> None:
    """Take these jobs back from gone to missing, or withdraw their confirmation."""
    from tpmirror.sync import gone as sync_gone

    if not job_ids:
        raise UsageError("name the jobs to restore")
    with mirror(settings) as engine:
        done = sync_gone.restore(engine, job_ids)
    summarize(f"{count(len(done), 'job')} restored, and missing until seen again or confirmed")
