"""Status changes that the mirror observed: how often by kind, or each one."""

from typing import Final

from sqlalchemy import Connection, func, select

from tpmirror.db.views import view
from tpmirror.months import start_of
from tpmirror.reports.model import Report, plain
from tpmirror.reports.period import Period

BY: Final = ("change", "job")
FIRST: Final = "first seen"


def transitions(conn: Connection, period: Period, by: str) -> Report:
    """Status changes by when the mirror observed them; a job's first observation is one of them."""
    source = view("status_transitions")
    seen = [] if period.first is None else [source.c.observed_at >= start_of(period.first)]
    seen += [] if period.after is None else [source.c.observed_at < start_of(period.after)]
    columns = plain(from_name="from", to_name="to")
    if by == "job":
        wanted = select(source).where(*seen).order_by(source.c.observed_at.desc(), source.c.job_id, source.c.seq.desc())
        columns = plain(job_id="job") | columns | plain(observed_at="observed", occurred_at="stated")
    else:
        names = source.c.from_name, source.c.to_name
        last = func.max(source.c.observed_at).label("last_seen_at")
        wanted = select(*names, func.count().label("changes"), last).where(*seen).group_by(*names)
        wanted = wanted.order_by(func.count().desc(), *names)
        columns |= plain(changes="changes", last_seen_at="last seen")
    rows = [{**row, "from_name": row["from_name"] or FIRST} for row in conn.execute(wanted).mappings()]
    return Report(f"Status changes by {by}, {period} (times in UTC)", columns, rows)
