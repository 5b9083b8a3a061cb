"""An operator's decisions about jobs that vanished: writes, so under the lease like any other writer."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from tpmirror.db import lease
from tpmirror.errors import UsageError
from tpmirror.store import presence
from tpmirror.store.presence import RESTORED, PresenceResult


def confirm(engine: Engine, ids: Collection[int] | None) -> list[int]:
    """Agree that these waiting jobs, or all, may be marked gone: the next sync does so, for each that the API denies.

    Raises UsageError for a job that does not wait.
    """
    chosen: list[int] = []  # stays, if only the answer to a commit was lost: those jobs no longer wait then

    def work(conn: Connection) -> list[int]:
        if not chosen:
            waiting = [row["job_id"] for row in presence.waiting(conn)]
            _refuse(set(ids or ()) - set(waiting), "does not wait for an operator; see tpmirror gone list")
            chosen.extend(waiting if ids is None else sorted(ids))
        if chosen:
            presence.confirm(conn, chosen, datetime.now(UTC))
        return chosen

    return lease.under_lease(engine, work)


def restore(engine: Engine, ids: Collection[int]) -> list[int]:
    """Take back that these jobs are gone, or that they may be marked so; they wait until confirmed or seen again.

    Raises UsageError for a job that is neither gone nor missing.
    """

    def work(conn: Connection) -> list[int]:
        elsewhere = presence.not_listed(conn)
        there = {job_id for job_id in ids if elsewhere.get(job_id) not in {"gone", "missing"}}
        _refuse(there, "is neither gone nor missing; SELECT presence FROM jobs shows where it is")
        now = datetime.now(UTC)
        presence.withdraw(conn, ids)
        presence.write_presence(conn, {job_id: PresenceResult("missing", RESTORED) for job_id in ids}, None, now)
        return sorted(ids)

    return lease.under_lease(engine, work)


def _refuse(ids: Collection[int], why: str) -> None:
    if ids:
        message = f"job {', '.join(map(str, sorted(ids)))} {why}"
        raise UsageError(message)
