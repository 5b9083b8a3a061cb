"""Compare the mirror with the API, field by field, and write nothing: ``verify``, and the preview of a full sync."""

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import JobUnavailable
from tpmirror.store.presence import not_listed
from tpmirror.sync.full import FullSync
from tpmirror.sync.ingest import Progress
from tpmirror.sync.session import dry_run_session, quiet
from tpmirror.tensorpix.client import Api


def preview(settings: Settings, progress: Progress = quiet) -> list[Row]:
    """What a sync would change: one pass over the list that writes nothing."""
    return _compare(settings, progress, everything=False)


def verify(settings: Settings, progress: Progress = quiet) -> list[Row]:
    """Where the mirror and the API differ, field by field; progress and ETA of jobs are left out. Writes nothing."""
    return _compare(settings, progress, everything=True)


def _compare(settings: Settings, progress: Progress, *, everything: bool) -> list[Row]:
    with dry_run_session(settings, progress, everything=everything) as (opened, dry_run):
        full = FullSync(opened)
        full.consume([opened.first])
        full.pass_over(full.rest_of(opened.first))
        elsewhere = read(opened.run.engine, not_listed)
        back = [
            difference(job_id, where, "listed") for job_id, where in elsewhere.items() if full.ingestor.lists(job_id)
        ]
        missed = [_whereabouts(opened.api, job_id) for job_id in full.listed if not opened.ingestor.lists(job_id)]
        tally = dry_run.tally
        unread = [
            difference(job_id, "listed" if job_id in full.listed else None, "unreadable", "(the job)")
            for job_id in tally.unread - tally.answered.keys()
        ]
        void_reasons = [
            {"entity": "list", "id": None, "field": "(an item)", "mirror": None, "upstream": reason}
            for reason in dict.fromkeys(full.ingestor.void_reasons)
        ]
        return dry_run.changes() + sorted(back + missed + unread, key=lambda row: row["id"]) + void_reasons


def difference(job_id: int, mirror: str | None, upstream: str, name: str = "presence") -> Row:
    """A difference in where a job is, or in the whole job."""
    return {"entity": "job", "id": job_id, "field": name, "mirror": mirror, "upstream": upstream}


def _whereabouts(api: Api, job_id: int) -> Row:
    """A difference: a job that the mirror holds as listed and the list lacks."""
    try:
        where = "unlisted" if api.job(job_id)[0] is not None else "not found"
    except JobUnavailable:
        where = "no answer"
    return difference(job_id, "listed", where)
