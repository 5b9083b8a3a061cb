"""``tpmirror history``: every recorded transition and field change of one job."""

import click

from tpmirror.cli.options import JOB_ID, Command, as_json, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import TpmirrorError


@click.command(cls=Command)
@click.argument("job_id", type=JOB_ID)
@with_settings()
@as_json
def history(settings: Settings, *, job_id: int, as_json: bool) -> None:
    """Show every recorded status change and field change of one job."""
    from tpmirror.cli.tables import show_history
    from tpmirror.store import queries

    with snapshot(settings) as conn:
        row = queries.job(conn, job_id)
        found = queries.job_history(conn, row) if row is not None else None
    if row is None or found is None:
        raise TpmirrorError(f"the mirror has no job {job_id}; tpmirror jobs lists those it has")
    if as_json:
        print_json({"job_id": job_id, "presence": row["presence"], **found})
    else:
        show_history(job_id, found)
