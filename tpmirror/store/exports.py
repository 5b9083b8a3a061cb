"""Which export is due and who does it: recorded in the mirror, so that one of the replicas keeps it fresh.

Not under the writer's lease, which a full sync holds for minutes. A process claims the export by the statement that
writes down until when it has it; the claim of one that died runs out.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, or_, select, update

from tpmirror.db import bulk
from tpmirror.db.schema import exports
from tpmirror.db.types import Row

TERM: Final = timedelta(minutes=5)
"""How long a claim holds without a sign of life."""
_table = exports.c


def state(conn: Connection, destination: str) -> Row | None:
    """Where the export to a destination stands; None if nobody has begun one."""
    found = conn.execute(select(exports).where(_table.destination == destination)).mappings().first()
    return dict(found) if found else None


def claim(conn: Connection, destination: str, seen: Row | None, now: datetime) -> bool:
    """Claim the export, if it is as it was ``seen`` and nobody has it: whether it is ours."""
    if seen is None:
        row = {"destination": destination, "since": now}
        conn.execute(bulk.insert_of(conn.dialect.name)(exports).on_conflict_do_nothing(), row)
    # A claim well in the future was noted by a clock that has been set back since.
    free = or_(_table.claimed_until.is_(None), _table.claimed_until < now, _table.claimed_until > now + 2 * TERM)
    same = [_table[name].is_not_distinct_from(seen[name] if seen else None) for name in ("succeeded_at", "failed_at")]
    mine = update(exports).where(_table.destination == destination, free, *same).values(claimed_until=now + TERM)
    return conn.execute(mine).rowcount == 1


def renew(conn: Connection, destination: str, now: datetime) -> None:
    """Hold the claim for another term."""
    conn.execute(update(exports).where(_table.destination == destination).values(claimed_until=now + TERM))


def succeed(conn: Connection, destination: str, as_of: datetime) -> None:
    """Note that the export holds the mirror as of then, and give up the claim."""
    done = {"succeeded_at": as_of, "failures": 0, "failed_at": None, "error": None, "claimed_until": None}
    conn.execute(update(exports).where(_table.destination == destination).values(done))


def fail(conn: Connection, destination: str, error: str, now: datetime) -> None:
    """Note why it failed, and give up the claim."""
    failed = {"failures": _table.failures + 1, "failed_at": now, "error": error, "claimed_until": None}
    conn.execute(update(exports).where(_table.destination == destination).values(failed))
