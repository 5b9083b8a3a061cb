"""Another try for payloads that could not be mirrored, after the program or upstream fixed what was wrong."""

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.store import quarantine
from tpmirror.sync.ingest import Progress
from tpmirror.sync.session import quiet, session
from tpmirror.tensorpix.decode import decode_job


def retry(settings: Settings, progress: Progress = quiet) -> list[Row]:
    """Ask for each quarantined job again by its id, if one can be read in it by now; what is left over.

    Of a payload nothing but the id is used: the job may have moved on since.
    """
    with session(settings, "poll", progress) as (opened, run):
        entries = read(opened.engine, quarantine.open_entries)
        named = {row["id"]: decode_job(row["payload"].encode()).id for row in entries if row["job_id"] is None}
        ids = {row["job_id"] for row in entries} | set(named.values())
        opened.ingestor.jobs(sorted(job_id for job_id in ids if job_id is not None), opened.executor)
        run.resolve(
            [entry for entry, job_id in named.items() if job_id is not None and opened.ingestor.has_seen(job_id)]
        )
        return read(opened.engine, quarantine.open_entries)
