"""Compare the mirror with the API, field by field, and write nothing: ``verify``, and the preview of a full sync."""

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import JobUnavailable
from tpmirror.store.presence import not_listed
from tpmirror.sync.dryrun import difference
from tpmirror.sync.full import ListReader, read_listed
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
        held, ingestor = read(opened.engine, read_listed), opened.ingestor
        reader = ListReader(opened, held)
        reader.consume([opened.first])
        reader.read_rest()
        elsewhere = read(opened.engine, not_listed)
        back = [_presence(job_id, where, "listed") for job_id, where in elsewhere.items() if ingestor.lists(job_id)]
        missed = [_whereabouts(opened.api, job_id) for job_id in held.listed if not ingestor.lists(job_id)]
        unread = [
            difference("job", job_id, "(the job)", "listed" if job_id in held.listed else None, "unreadable")
            for job_id in ingestor.unread - ingestor.answered.keys()
        ]
        items = [difference("list", None, "(an item)", None, why) for why in dict.fromkeys(ingestor.void_reasons)]
        return dry_run.differences() + sorted(back + missed + unread, key=lambda row: row["id"]) + items


def _presence(job_id: int, mirror: str, upstream: str) -> Row:
    """A difference in where a job is."""
    return difference("job", job_id, "presence", mirror, upstream)


def _whereabouts(api: Api, job_id: int) -> Row:
    """A difference: a job that the mirror holds as listed and the list lacks."""
    try:
        where = "unlisted" if api.job(job_id)[0] is not None else "not found"
    except JobUnavailable:
        where = "no answer"
    return _presence(job_id, "listed", where)
