"""Retries and accepts entries of the quarantine, as an operator asks.

Accepting writes rows, so it takes the lease like any other writer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from tpmirror.config import Settings
from tpmirror.db import lease
from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.errors import UsageError
from tpmirror.store import quarantine
from tpmirror.sync.diff import general
from tpmirror.sync.ingest import Progress
from tpmirror.sync.session import quiet, session
from tpmirror.tensorpix.decode import decode_job


def retry(settings: Settings, progress: Progress = quiet) -> list[Row]:
    """Ask for each quarantined job again by its id, if its payload has a readable one by now; the entries left.

    Only the id of a payload is used, because the job may have changed since.
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


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries an operator means: some by number, those of a field in every job, or all."""

    entries: Collection[int] = ()
    field: str | None = None

    def of(self, rows: Collection[Row]) -> list[Row]:
        """The chosen entries among the open ones. Raises UsageError for a number that no open entry has."""
        if self.field is not None:
            return [row for row in rows if general(row["field"]) == general(self.field)]
        if missing := sorted(set(self.entries) - {row["id"] for row in rows}):
            message = f"no open entry {', '.join(map(str, missing))} in quarantine; see tpmirror quarantine list"
            raise UsageError(message)
        return [row for row in rows if not self.entries or row["id"] in self.entries]


def accept(engine: Engine, selection: Selection) -> list[Row]:
    """Accept entries, so that they hold no certificate back; the chosen entries, those of no job among them.

    With a field, its present kinds of fault are accepted in every job, future ones too. An item whose id cannot be read
    is of no job and cannot be accepted: the proof counts ids. Raises UsageError for an entry or a field that is not in
    quarantine.
    """

    def work(conn: Connection) -> list[Row]:
        chosen, now = selection.of(quarantine.open_entries(conn)), datetime.now(UTC)
        name = general(selection.field)
        if name is not None:
            if not chosen:
                message = f"nothing in quarantine is of the field {name!r}; see tpmirror quarantine list"
                raise UsageError(message)
            quarantine.accept_everywhere(conn, {(name, row["fault"]) for row in chosen if row["fault"]}, now)
        named = [row for row in chosen if row["job_id"] is not None]
        quarantine.accept(conn, [row["id"] for row in named if row["accepted_at"] is None], now)
        return chosen

    return lease.under_lease(engine, work)


def withdraw(engine: Engine, selection: Selection) -> int:
    """Withdraw the acceptance; how many entries count again. With a field, or for all, also in future jobs."""

    def work(conn: Connection) -> int:
        chosen = [row["id"] for row in selection.of(quarantine.open_entries(conn)) if row["accepted_at"] is not None]
        quarantine.accept(conn, chosen, None)
        if not selection.entries:
            quarantine.withdraw(conn, general(selection.field))
        return len(chosen)

    return lease.under_lease(engine, work)
