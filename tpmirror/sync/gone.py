"""Writes an operator's decisions about vanished jobs, under the lease like any other writer."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from tpmirror.db import lease
from tpmirror.errors import UsageError
from tpmirror.store import presence
from tpmirror.store.presence import RESTORED, PresenceResult


def confirm(engine: Engine, ids: Collection[int] | None) -> list[int]:
    """Confirm that these waiting jobs, or all, may be marked gone: the next sync marks each one that the API denies.

    Raises UsageError for a job that does not wait.
    """
    chosen: list[int] = []  # kept for the retry after a lost reply to a COMMIT: these jobs no longer wait then

    def work(conn: Connection) -> list[int]:
        if not chosen:
            waiting = [row["job_id"] for row in presence.waiting(conn)]
            _refuse(set(ids or ()) - set(waiting), "does not wait for an operator; see tpmirror gone list")
            chosen.extend(waiting if ids is None else sorted(ids))
        if chosen:
            presence.confirm(conn, chosen, datetime.now(UTC))
        return chosen

    return lease.under_lease(engine, work)


def give_up(engine: Engine, ids: Collection[int]) -> list[int]:
    """Declare that these missing jobs never answer by id: they stay missing and no longer count as unanswered.

    Raises UsageError for a job that is not missing for want of an answer.
    """

    def work(conn: Connection) -> list[int]:
        silent = {row["job_id"] for row in presence.unanswered(conn)}
        _refuse(set(ids) - silent, "is not missing for want of an answer; see tpmirror gone list")
        presence.give_up(conn, ids)
        return sorted(ids)

    return lease.under_lease(engine, work)


def restore(engine: Engine, ids: Collection[int]) -> list[int]:
    """Withdraw that these jobs are gone, or that they may be marked gone; they wait until confirmed or seen again.

    Raises UsageError for a job that is neither gone nor missing, and is not held back either.
    """

    def work(conn: Connection) -> list[int]:
        away = {job_id: where for job_id, where in presence.away(conn, ids).items() if where != "unlisted"}
        _refuse(set(ids) - away.keys(), "is neither gone nor missing; SELECT presence FROM jobs shows where it is")
        # A job that an empty list lacks is still held as listed, and waits for an operator all the same.
        back = {job_id: "listed" if where == "listed" else "missing" for job_id, where in away.items()}
        presence.withdraw(conn, ids)
        found = {job_id: PresenceResult(where, RESTORED) for job_id, where in back.items()}
        presence.write_presence(conn, found, None, datetime.now(UTC))
        return sorted(ids)

    return lease.under_lease(engine, work)


def _refuse(ids: Collection[int], why: str) -> None:
    if ids:
        message = f"job {', '.join(map(str, sorted(ids)))} {why}"
        raise UsageError(message)
