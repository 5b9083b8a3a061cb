"""Removes old rows after a full sync: progress samples, resolved quarantine entries, polls that found nothing."""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, Final

from sqlalchemy import Engine, Select, Table

from tpmirror.config import Settings
from tpmirror.db.engine import read
from tpmirror.db.lease import under_lease
from tpmirror.errors import LeaseError, MirrorError
from tpmirror.log import logger
from tpmirror.store.retention import REMOVED, delete_old, old_entries, old_polls, old_samples

BATCH: Final = 1000
"""Runs, or entries, removed in one transaction at most: no other writer waits long for its turn."""
SAMPLES: Final = 10_000
"""Progress samples removed in one transaction at most; no row refers to them."""

log: Final = logger(__name__)


def remove_old(engine: Engine, settings: Settings, ahead: float, stop: Event) -> None:
    """Remove rows older than the settings say, until ``stop`` is set. Rows that cannot be removed stay, and are logged.

    ``ahead``: seconds that our clock is ahead of the API's, or 0. A clock that is a year ahead for a moment would
    remove rows that do not come back.
    """
    now = datetime.now(UTC) - timedelta(seconds=ahead)
    old = (
        (old_samples(now - settings.progress_retention), SAMPLES),
        (old_entries(now - settings.run_retention), BATCH),
        (old_polls(now - settings.run_retention), BATCH),
    )
    try:
        are_there = read(engine, lambda conn: [conn.execute(keys.limit(1)).first() is not None for keys, _ in old])
        for table, (keys, limit), is_there in zip(REMOVED, old, are_there, strict=True):
            if is_there:
                removed = _remove(engine, table, keys, limit, stop)
                log.info("old rows removed", table=table.name, rows=removed)
    except LeaseError:
        pass  # another writer is at work; the next full sync goes on
    except MirrorError as error:
        log.warning("old rows stay", error=str(error))


def _remove(engine: Engine, table: Table, keys: Select[Any], limit: int, stop: Event) -> int:
    """Remove the rows with these keys, ``limit`` in a transaction; returns how many were removed."""
    removed, batch = 0, limit
    while batch >= limit and not stop.is_set():
        batch = under_lease(engine, lambda conn: delete_old(conn, table, keys, limit))
        removed += batch
    return removed
