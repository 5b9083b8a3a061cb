"""Compare the mirror with the API, field by field, and write nothing: ``verify``, and the preview of a full sync."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mirror beside the API."""

    differences: list[Row]
    """Where they differ: entity, id, field, value in the mirror, value upstream."""
    not_held: list[Row]
    """Values of the API that no column can hold: ``job_id``, ``field`` (null: all), ``reason``, ``accepted``."""

    @property
    def needs_attention(self) -> bool:
        """Whether there is a difference, or a value not held that no operator accepted."""
        return bool(self.differences) or not all(row["accepted"] for row in self.not_held)


def preview(settings: Settings, progress: Progress = quiet) -> Comparison:
    """Preview the changes of a sync: one pass over the list that writes nothing."""
    return _compare(settings, progress, everything=False)


def verify(settings: Settings, progress: Progress = quiet) -> Comparison:
    """Where the mirror and the API differ, field by field; progress and ETA of jobs are left out. Writes nothing."""
    return _compare(settings, progress, everything=True)


def _compare(settings: Settings, progress: Progress, *, everything: bool) -> Comparison:
    with dry_run_session(settings, progress, everything=everything) as (opened, dry_run):
        held, ingestor = read(opened.engine, read_listed), opened.ingestor
        reader = ListReader(opened, held)
        reader.consume([opened.first])
        reader.read_rest()
        elsewhere = read(opened.engine, not_listed)
        back = [_presence(job_id, where, "listed") for job_id, where in elsewhere.items() if ingestor.lists(job_id)]
        missed = [_whereabouts(opened.api, job_id) for job_id in held.listed if not ingestor.lists(job_id)]
        differences = dry_run.differences() + sorted(back + missed, key=lambda row: row["id"])
        void = [
            {"job_id": None, "field": None, "reason": why, "accepted": False}
            for why in dict.fromkeys(ingestor.void_reasons)
        ]
        return Comparison(differences, [row for row in dry_run.not_held() if row["job_id"] is not None] + void)


def _presence(job_id: int, mirror: str, upstream: str) -> Row:
    """A difference in where a job is."""
    return difference("job", job_id, "presence", mirror, upstream)


def _whereabouts(api: Api, job_id: int) -> Row:
    """A difference: a job that the mirror holds as listed and the list lacks."""
    try:
        is_there = api.job(job_id)[0] is not None or api.in_history(job_id)
        where = "unlisted" if is_there else "not found"
    except JobUnavailable:
        where = "no answer"
    return _presence(job_id, "listed", where)
