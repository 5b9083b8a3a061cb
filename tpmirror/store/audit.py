"""Whether the history is whole and untouched: chain, gaps, continuity, agreement with jobs and runs. Reads only.

The chain shows rows altered, removed, inserted or reordered; the counts of runs show a tail cut off. Only a head hash
remembered elsewhere shows a chain that was computed anew: ``status`` and ``audit`` print it, ``audit --head`` compares
it. A trigger that differs from the last upgrade's may have let a change of history pass; a view that differs may show
other values.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from tpmirror.db import dictionary, schema
from tpmirror.db.types import Row
from tpmirror.store.history import GENESIS, row_hash

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit."""

    entries: int
    head: str
    findings: list[Row]


def audit(conn: Connection, remembered: str | None = None) -> Audit:
    """Check everything. ``remembered`` is a head hash from an earlier day: the chain has to contain it."""
    table = schema.job_status_history
    chain = _Chain(remembered)
    # First, close to the transaction's snapshot: PostgreSQL prints no view that an upgrade dropped since.
    definitions = list(_definitions(conn))
    findings = list(chain.check(_stream(conn, select(table).order_by(table.c.entry))))
    findings += check_continuity(_stream(conn, select(table).order_by(table.c.job_id, table.c.seq)))
    findings += _agreement(conn)
    findings += _claims(conn)
    findings += definitions
    return Audit(chain.entries, chain.head, findings)


class _Chain:
    """Recomputes the chain. A row's hash is checked against the stored hash before it, so one bad row is named once."""

    def __init__(self, remembered: str | None) -> None:
        self.remembered = remembered
        self.head = GENESIS
        self.entries = 0

    def check(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Findings, in order of the chain."""
        expected, met = 1, self.remembered in {None, GENESIS}
        for row in rows:
            if row["entry"] != expected:
                lost = (
                    f"entry {expected}" if row["entry"] == expected + 1 else f"entries {expected} to {row['entry'] - 1}"
                )
                yield _finding("chain", row, f"{lost} before it: removed")
            elif row_hash(self.head, row) != row["row_hash"]:
                yield _finding("chain", row, "its hash does not fit: altered, moved or put in")
            expected, self.head = row["entry"] + 1, row["row_hash"]
            met = met or self.head == self.remembered
            self.entries += 1
        if not met:
            yield {
                "check": "head",
                "job_id": None,
                "entry": None,
                "finding": "the remembered head is not in the chain: cut off or rewritten",
            }


def check_continuity(rows: Iterable[Row]) -> Iterator[Row]:
    """Each job's entries, by number: no gap, each starts where the one before ended, times in order."""
    last: Row | None = None
    for row in rows:
        before = last if last is not None and last["job_id"] == row["job_id"] else None
        for finding in _breaks(before, row):
            yield _finding("continuity", row, finding)
        last = row


def _breaks(before: Row | None, row: Row) -> Iterator[str]:
    seq, status = (before["seq"], before["to_status"]) if before is not None else (0, None)
    if row["seq"] != seq + 1:
        yield f"number {row['seq']} follows number {seq}"
    if row["from_status"] != status:
        yield f"starts from status {row['from_status']}, the entry before ended in {status}"
    if row["from_status"] == row["to_status"]:
        yield f"goes from status {row['to_status']} to itself"
    if before is not None and row["observed_at"] < before["observed_at"]:
        yield "was observed before the entry before it"
    if row["not_before"] is not None and row["not_before"] > row["observed_at"]:
        yield "cannot have happened before it was observed"


def _agreement(conn: Connection) -> Iterator[Row]:
    """Compares each job's status and presence with the ones recorded last."""
    jobs, table = schema.jobs.c, schema.job_status_history.c
    latest = select(table.job_id, func.max(table.seq).label("seq")).group_by(table.job_id).subquery()
    last = select(table.job_id, table.to_status).join(
        latest, (latest.c.job_id == table.job_id) & (latest.c.seq == table.seq)
    )
    found = last.subquery()
    wanted = (
        select(jobs.id, jobs.status, found.c.to_status)
        .select_from(schema.jobs.outerjoin(found, found.c.job_id == jobs.id))
        .where(found.c.to_status.is_distinct_from(jobs.status))
        .order_by(jobs.id)
    )
    for row in conn.execute(wanted):
        stated = "no entry at all" if row.to_status is None else f"the last entry says {row.to_status}"
        yield {"check": "agreement", "job_id": row.id, "entry": None, "finding": f"status is {row.status}, {stated}"}
    orphans = select(table.job_id, func.count().label("entries")).where(table.job_id.not_in(select(jobs.id)))
    for row in conn.execute(orphans.group_by(table.job_id).order_by(table.job_id)):
        finding = f"the job is missing, its {row.entries} entries are there"
        yield {"check": "agreement", "job_id": row.job_id, "entry": None, "finding": finding}
    yield from _presence(conn)


def _claims(conn: Connection) -> Iterator[Row]:
    """Checks that each run has as many rows as it counts: a database that went back in time lost some."""
    run = schema.sync_runs.c
    for table, claimed in (
        (schema.job_status_history, run.jobs_inserted + run.transitions),
        (schema.field_changes, run.field_changes),
    ):
        mine = table.c.sync_run_id
        found = select(mine.label("run"), func.count().label("rows")).group_by(mine).subquery()
        there = func.coalesce(found.c.rows, 0)
        joined = schema.sync_runs.outerjoin(found, found.c.run == run.id)
        wanted = select(run.id, claimed.label("claimed"), there.label("there")).select_from(joined)
        for row in conn.execute(wanted.where(claimed > there).order_by(run.id)):
            finding = f"run {row.id} counts {row.claimed} rows of {table.name}, {row.there} are there"
            yield {"check": "runs", "job_id": None, "entry": None, "finding": finding}


def _presence(conn: Connection) -> Iterator[Row]:
    jobs, table = schema.jobs.c, schema.field_changes.c
    mine = (table.entity == "job") & (table.field == "presence")
    latest = select(func.max(table.id).label("id")).where(mine).group_by(table.entity_id).subquery()
    last = select(table.entity_id, table.new_value).join(latest, latest.c.id == table.id).subquery()
    wanted = (
        select(jobs.id, jobs.presence, last.c.new_value)
        .select_from(schema.jobs.outerjoin(last, last.c.entity_id == jobs.id))
        .where(func.coalesce(last.c.new_value, "listed") != jobs.presence)
        .order_by(jobs.id)
    )
    for row in conn.execute(wanted):
        stated = f"the last change says {row.new_value or 'listed'}"
        yield {
            "check": "agreement",
            "job_id": row.id,
            "entry": None,
            "finding": f"presence is {row.presence}, {stated}",
        }


def _definitions(conn: Connection) -> Iterator[Row]:
    """Findings of triggers and views that are not as the last upgrade left them."""
    for one in dictionary.altered(conn):
        check = "guard" if one.kind == "trigger" else one.kind
        yield {"check": check, "job_id": None, "entry": None, "finding": one.finding}


def _finding(check: str, row: Row, finding: str) -> Row:
    return {"check": check, "job_id": row["job_id"], "entry": row["entry"], "finding": finding}


def _stream(conn: Connection, wanted: Any) -> Iterator[Row]:
    """Streams rows, so that memory never holds all of them."""
    for row in conn.execute(wanted.execution_options(yield_per=_CHUNK)).mappings():
        yield dict(row)
