"""Each job's status at a moment: as the mirror knew it then, and as it really was, as far as the mirror knows by now.

The two differ because the mirror polls from time to time. What is true is known by intervals: a change happened at the
moment that upstream states, else somewhere between two observations. Where a moment lies inside such an interval, more
than one status is possible, and all are named.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, select

from tpmirror.db import labels, schema
from tpmirror.db.types import Row
from tpmirror.db.views import view
from tpmirror.reports.model import Report, plain

QUEUED: Final = 0
PROCESSING: Final = labels.PROCESSING
UNSEEN: Final = (QUEUED, PROCESSING)
"""Statuses that a job may have had between its start and the mirror's first observation."""
BY: Final = ("status", "job")


def as_of(conn: Connection, moment: datetime, by: str) -> Report:
    """The status of every job that existed at ``moment``."""
    changes, jobs = view("status_transitions"), schema.jobs
    names = ("job_id", "seq", "to_status", "not_before", "observed_at", "occurred_at")
    wanted = (
        select(*(changes.c[name] for name in names), jobs.c.started)
        .join(jobs, jobs.c.id == changes.c.job_id)
        .order_by(changes.c.job_id, changes.c.seq)
    )
    names_of = {row.code: row.name for row in conn.execute(select(schema.job_statuses))}
    rows = []
    for job_id, some in groupby((dict(row) for row in conn.execute(wanted).mappings()), key=itemgetter("job_id")):
        history = list(some)
        row = describe_status(known(history, moment), possible(history, history[0]["started"], moment), names_of)
        if row is not None:
            rows.append({"job_id": job_id, **row})
    notes = ["known then: what the mirror had seen by that moment. true then: what is known of that moment today."]
    columns = plain(known_then="known then", true_then="true then")
    shown = {**plain(job_id="job"), **columns} if by == "job" else {**columns, **plain(jobs="jobs")}
    rows = rows if by == "job" else counted(rows)
    return Report(f"Status of every job as of {moment:%Y-%m-%d %H:%M:%S} UTC", shown, rows, notes)


def known(history: Sequence[Row], moment: datetime) -> int | None:
    """The newest status that the mirror had observed by that moment; None if it did not know the job."""
    seen = [row["to_status"] for row in history if row["observed_at"] <= moment]
    return seen[-1] if seen else None


def possible(history: Sequence[Row], started: datetime | None, moment: datetime) -> list[int]:
    """Every status that the job may have been in; one if that is certain, none if there was no such job yet."""
    found: list[int] = []
    if started is not None and started <= moment:
        found = [status for status in UNSEEN if status != history[0]["to_status"]]
        found = [] if history[0]["to_status"] == QUEUED else found
    for earlier, row in zip([None, *history], history, strict=False):
        if moment >= (row["occurred_at"] or row["observed_at"]):
            found = [row["to_status"]]
            continue
        looked = started if earlier is None else row["not_before"]
        if looked is None or moment < looked:
            continue
        # Between two observations the status may have changed already, and the job may have been processed unobserved.
        if earlier is not None and earlier["to_status"] == QUEUED and row["to_status"] not in UNSEEN:
            found.append(PROCESSING)
        if row["occurred_at"] is None:
            found.append(row["to_status"])
    return list(dict.fromkeys(found))


def describe_status(seen: int | None, maybe: Sequence[int], names: Mapping[int, str]) -> Row | None:
    """Both statuses in words; None for a job that did not exist."""
    maybe = maybe or ([] if seen is None else [seen])
    if not maybe:
        return None
    truth = " or ".join(names[status] for status in maybe)
    return {
        "known_then": "not seen yet" if seen is None else names[seen],
        "true_then": truth,
        "certain": len(maybe) == 1,
    }


def counted(rows: Iterable[Row]) -> list[Row]:
    """How many jobs there were by pair of statuses, the most frequent first."""
    counts = Counter((row["known_then"], row["true_then"], row["certain"]) for row in rows)
    return [
        {"known_then": seen, "true_then": truth, "certain": certain, "jobs": jobs}
        for (seen, truth, certain), jobs in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
