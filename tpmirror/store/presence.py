"""Reads and writes the presence of jobs: ``jobs.presence``, its changes, and the notes on jobs that the list lacks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update

from tpmirror.db import bulk, schema
from tpmirror.db.types import Row
from tpmirror.store import jobs
from tpmirror.store.changes import AWAY

FOUND: Final = "found"
ARCHIVED: Final = "found in history"
DENIED: Final = "not found"
HELD: Final = "not asked"
UNANSWERED: Final = "no answer"
RESTORED: Final = "restored"
UNANSWERABLE: Final = "unanswerable"
"""Values of ``job_absences.answer``: the result of asking by id, and after a denial in the history of ended jobs; held
back with others; restored by an operator, or declared by one as never answering."""


@dataclass(frozen=True, slots=True)
class PresenceResult:
    """A job's presence as resolved, and the answer behind it."""

    presence: str
    answer: str | None = None
    looked_up_at: datetime | None = None


MANY: Final = 1000
"""Jobs beyond which it costs less to read all that are not listed than to look each up."""


def notes(conn: Connection) -> dict[int, Row]:
    """The notes on jobs that the list lacks, by job."""
    return {row["job_id"]: dict(row) for row in conn.execute(select(schema.job_absences)).mappings()}


def not_listed(conn: Connection) -> dict[int, str]:
    """The presence of every job that is not listed."""
    table = schema.jobs.c
    return {
        row.id: row.presence for row in conn.execute(select(table.id, table.presence).where(table.presence != "listed"))
    }


def in_flight_ids(conn: Connection) -> list[int]:
    """Every job that is not over by its status, and can be asked for by id.

    Without gone jobs, and without those that only the history of ended jobs answers for: they keep the status that was
    listed.
    """
    table, notes = schema.jobs.c, schema.job_absences.c
    is_archived = exists().where(notes.job_id == table.id, notes.answer == ARCHIVED)
    there = schema.IN_FLIGHT & (table.presence != "gone") & ~is_archived
    return list(conn.execute(select(table.id).where(there).order_by(table.id)).scalars())


def archived(conn: Connection, ids: Collection[int]) -> set[int]:
    """The jobs among these that only the history of ended jobs answered for: no poll asked for them."""
    table = schema.job_absences.c
    found = bulk.find(conn, (table.job_id, table.answer), table.job_id, ids) if ids else ()
    return {row.job_id for row in found if row.answer == ARCHIVED}


def away(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    """The presence of each of these jobs that is not listed, or has a note."""
    noted = set(conn.execute(select(schema.job_absences.c.job_id)).scalars())
    # A full sync asks about every job: looking each up would cost more than all those that are not listed.
    found = not_listed(conn) if len(ids) > MANY else _presences(conn, ids)
    mine = {job_id: where for job_id, where in found.items() if job_id in ids and where != "listed"}
    return mine | _presences(conn, noted.intersection(ids))


def gone_since(conn: Connection, since: datetime) -> dict[int, datetime]:
    """Jobs that were marked gone after a moment, and when."""
    table = schema.jobs.c
    wanted = select(table.id, table.gone_at).where(table.presence == "gone", table.gone_at > since)
    return {row.id: row.gone_at for row in conn.execute(wanted)}


def waiting(conn: Connection) -> list[Row]:
    """Jobs held back for an operator: the API denies them or was not asked, more than the limit, or restored.

    Jobs not held as missing are those of an empty list for which no answer by id shows the account.
    """
    return _absent(conn, (DENIED, HELD, RESTORED), ("missing", "listed", "unlisted"))


def unanswered(conn: Connection) -> list[Row]:
    """Missing jobs that the API does not answer for by id; under an empty list, listed jobs too."""
    return _absent(conn, (UNANSWERED,), ("missing", "listed"))


def _absent(conn: Connection, answers: Collection[str], presences: Collection[str]) -> list[Row]:
    table, jobs = schema.job_absences, schema.jobs
    wanted = select(table, jobs.c.status, jobs.c.started, jobs.c.description).join(jobs, jobs.c.id == table.c.job_id)
    held = table.c.answer.in_(answers) & table.c.confirmed_at.is_(None) & jobs.c.presence.in_(presences)
    return [dict(row) for row in conn.execute(wanted.where(held).order_by(table.c.job_id)).mappings()]


def unanswered_since(conn: Connection) -> datetime | None:
    """The earliest ``absent_since`` of the missing jobs that do not answer by id; None if there is none."""
    table, jobs = schema.job_absences, schema.jobs
    wanted = select(func.min(table.c.absent_since)).join(jobs, jobs.c.id == table.c.job_id)
    since: datetime | None = conn.execute(
        wanted.where(table.c.answer == UNANSWERED, jobs.c.presence == "missing")
    ).scalar_one()
    return since


def write_presence(
    conn: Connection, found: Mapping[int, PresenceResult], run_id: int | None, now: datetime
) -> dict[str, int]:
    """Write presences; counts as ``sync_runs`` has them. A row of ``field_changes`` for each changed presence."""
    before = _presences(conn, found)
    moved = {job_id: result for job_id, result in found.items() if before[job_id] != result.presence}
    rows = [
        {
            "id_": job_id,
            "presence": moved[job_id].presence,
            "gone_at": now if moved[job_id].presence == "gone" else None,
        }
        for job_id in sorted(moved)
    ]
    if rows:
        changed = update(schema.jobs).where(schema.jobs.c.id == bindparam("id_"))
        values = {"presence": bindparam("presence"), "gone_at": bindparam("gone_at"), "changed_at": now}
        conn.execute(changed.values(values), rows)
        bulk.insert(conn, schema.field_changes, [_change(row, before, run_id, now) for row in rows])
        jobs.recheck_sharers(conn, [job_id for job_id in moved if moved[job_id].presence in AWAY])
    _note(conn, found, now)
    gone = [job_id for job_id, result in moved.items() if result.presence == "gone"]
    back = [job_id for job_id, result in moved.items() if result.presence == "listed"]
    return {"jobs_gone": len(gone), "jobs_returned": len(back), "field_changes": len(rows)}


def confirm(conn: Connection, ids: Collection[int], now: datetime) -> None:
    """Record that an operator agrees that these jobs may be marked gone, each still only if the API denies it."""
    table = schema.job_absences
    conn.execute(update(table).where(table.c.job_id == bindparam("id_")).values(confirmed_at=now), _keys(ids))


def give_up(conn: Connection, ids: Collection[int]) -> None:
    """Record that an operator declares these jobs as never answering by id."""
    table = schema.job_absences
    conn.execute(update(table).where(table.c.job_id == bindparam("id_")).values(answer=UNANSWERABLE), _keys(ids))


def withdraw(conn: Connection, ids: Collection[int]) -> None:
    """Withdraw an operator's agreement to mark these jobs gone."""
    table = schema.job_absences
    conn.execute(update(table).where(table.c.job_id == bindparam("id_")).values(confirmed_at=None), _keys(ids))


def _presences(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    table = schema.jobs.c
    return {row.id: row.presence for row in bulk.find(conn, (table.id, table.presence), table.id, ids)}


def _change(row: Row, before: Mapping[int, str], run_id: int | None, now: datetime) -> dict[str, Any]:
    job_id = row["id_"]
    change = {"entity": "job", "entity_id": job_id, "field": "presence", "observed_at": now, "sync_run_id": run_id}
    return {**change, "old_value": before[job_id], "new_value": row["presence"]}


def _note(conn: Connection, found: Mapping[int, PresenceResult], now: datetime) -> None:
    """Write notes on the jobs that the list lacks, and delete those of jobs that it shows again."""
    table = schema.job_absences
    done = [job_id for job_id, result in found.items() if result.presence == "listed" and result.answer is None]
    if done:
        conn.execute(delete(table).where(table.c.job_id == bindparam("id_")), _keys(done))
    known = notes(conn) if len(done) < len(found) else {}
    rows = []
    for job_id, result in sorted(found.items()):
        if result.presence != "listed" or result.answer is not None:
            old = known.get(job_id, {"absent_since": now, "looked_up_at": None, "confirmed_at": None, "answer": None})
            # An answer by id voids the operator's confirmation, which was given while there was none.
            confirmed = None if result.answer in {FOUND, ARCHIVED} else old["confirmed_at"]
            looked = {"looked_up_at": result.looked_up_at or old["looked_up_at"], "answer": noted_answer(old, result)}
            rows.append({"job_id": job_id, "absent_since": old["absent_since"], **looked, "confirmed_at": confirmed})
    bulk.upsert(conn, table, rows)


def noted_answer(old: Row, result: PresenceResult) -> str | None:
    """The answer to note for a job, given the note that it has. Pure.

    A failed lookup must not overwrite an earlier 404, nor the hold of jobs that were not asked for since; nor must that
    hold overwrite an earlier answer. An operator's word that a job never answers lasts until the job answers.
    """
    lasting = {
        None: {UNANSWERABLE},
        HELD: {UNANSWERABLE, DENIED, UNANSWERED},
        UNANSWERED: {UNANSWERABLE, DENIED, *([] if result.looked_up_at else [HELD])},
    }
    before: str | None = old["answer"]
    return before if before in lasting.get(result.answer, ()) else result.answer


def _keys(ids: Collection[int]) -> list[dict[str, int]]:
    return [{"id_": job_id} for job_id in sorted(ids)]
