"""Another try for payloads that could not be mirrored, after the program or upstream mended what was wrong."""

from datetime import UTC, datetime

from tpmirror import store
from tpmirror.batch import Look
from tpmirror.config import Settings
from tpmirror.database import read
from tpmirror.decode import Item, decode_job
from tpmirror.intake import Progress
from tpmirror.normalize import Row
from tpmirror.session import quiet, session


def retry(settings: Settings, progress: Progress = quiet) -> list[Row]:
    """Ask for each quarantined job again by its id, and read what had no readable id once more; what is left over."""
    with session(settings, "poll", progress) as opened:
        entries = read(opened.run.engine, store.open_quarantine)
        ids = sorted({row["job_id"] for row in entries if row["job_id"] is not None})
        opened.intake.jobs(ids, opened.executor)
        again = [(row, decode_job(row["payload"].encode())) for row in entries if row["job_id"] is None]
        readable = [(row, item) for row, item in again if isinstance(item, Item)]
        opened.run.store([Look(item, datetime.now(UTC)) for _, item in readable])
        opened.run.resolve([row["id"] for row, _ in readable])
        return read(opened.run.engine, store.open_quarantine)
