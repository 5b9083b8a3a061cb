"""Alerts to be sent: recorded in the mirror, so that one of the replicas sends each occurrence once.

Not under the writer's lease: an alert about a run that hangs must not wait for that run. Instead one UPDATE claims each
alert. An alert that was claimed and not sent, because the process died or no service could be reached, is claimed again
later.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, update

from tpmirror.db import bulk
from tpmirror.db.schema import alerts
from tpmirror.db.types import Row
from tpmirror.store.health import EVENTS, Problem

AGAIN: Final = timedelta(seconds=60)
"""Time after which an alert that could not be sent is tried again."""
MAX_VALUES: Final = 1000
"""Values in one statement: both databases have a limit."""


def record(conn: Connection, problems: Sequence[Problem], now: datetime) -> None:
    """Open an alert for each problem that has none, and close those whose problem is over."""
    table, codes = alerts.c, [problem.code for problem in problems]
    rows = [
        {"code": problem.code, "message": problem.message, "remedy": problem.remedy, "opened_at": now}
        for problem in problems
    ]
    if rows:
        conn.execute(_open_once(conn), rows)
    is_state = and_(*(table.code.not_like(f"{kind}%") for kind in EVENTS))
    over = update(alerts).where(table.resolved_at.is_(None), table.code.not_in(codes), is_state)
    conn.execute(over.values(resolved_at=now, attempted_at=None))


def claim(conn: Connection, now: datetime) -> list[Row]:
    """Claim every alert that is to be sent: new ones, and those sent before that are over."""
    table = alerts.c
    new = and_(table.notified_at.is_(None), table.resolved_at.is_(None))
    over = and_(table.notified_at.is_not(None), table.resolved_at.is_not(None), table.recovery_notified_at.is_(None))
    # An attempt well in the future was noted by a clock that has been set back since; a replica may be a little ahead.
    free = or_(table.attempted_at.is_(None), table.attempted_at < now - AGAIN, table.attempted_at > now + AGAIN)
    taken = update(alerts).where(or_(new, over), free).values(attempted_at=now).returning(alerts)
    return sorted((dict(row) for row in conn.execute(taken).mappings()), key=lambda row: int(row["id"]))


def mark_sent(conn: Connection, ids: Sequence[int], now: datetime) -> None:
    """Record that these alerts were sent."""
    for first in range(0, len(ids), MAX_VALUES):
        mine = alerts.c.id.in_(ids[first : first + MAX_VALUES])
        conn.execute(update(alerts).where(mine, alerts.c.resolved_at.is_not(None)).values(recovery_notified_at=now))
        conn.execute(update(alerts).where(mine, alerts.c.notified_at.is_(None)).values(notified_at=now))


def _open_once(conn: Connection) -> Any:
    """An insert that leaves the open alert of the same code as it is."""
    return bulk.insert_of(conn.dialect.name)(alerts).on_conflict_do_nothing()
