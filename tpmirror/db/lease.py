"""One writer at a time: a row names the holder and an epoch, a fencing token that every write transaction checks.

A lock alone is not enough: a stopped process keeps it, and a writer whose connection is cut loses it and goes on. A
writer that takes over changes epoch and holder, so the previous writer finds its own gone at its next write. A restored
copy or a failover repeats epochs, so the holder has a random part. Expiry is by the database's clock.
"""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, select, update

from tpmirror.db.engine import clock, retry_transient, write
from tpmirror.db.schema import writer_lease
from tpmirror.errors import LeaseHeld, LeaseLost

T = TypeVar("T")
SCOPE: Final = "mirror"
TERM: Final = timedelta(seconds=120)
"""How long a lease holds without renewal: several times the longest request."""

# Built once: SQLAlchemy takes as long to build one of them as the database to run it.
_LOCK: Final = select(writer_lease).where(writer_lease.c.scope == SCOPE).with_for_update()
_TAKE: Final = update(writer_lease).where(writer_lease.c.scope == SCOPE)

UNKNOWN_START: Final = "unknown"
"""Start time of a live process on a system that does not expose it."""
_LIVING: Final[set[str]] = set()
"""Holders in this process whose run goes on: a lease that an ended run could not release must not block the next."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease."""

    epoch: int
    holder: str

    @property
    def _mine(self) -> ColumnElement[bool]:
        """The condition that the lease's row is still this holder's."""
        table = writer_lease.c
        return (table.scope == SCOPE) & (table.epoch == self.epoch) & (table.holder == self.holder)

    def check(self, conn: Connection) -> None:
        """First statement of every write transaction. On PostgreSQL the row stays locked until the commit.

        The lock excludes this run's own earlier transaction too: it may still be committing after its connection was
        lost, and the retry must read its rows. Raises LeaseLost if another writer took over.
        """
        if conn.execute(select(writer_lease.c.epoch).where(self._mine).with_for_update()).first() is None:
            raise LeaseLost

    def renew(self, conn: Connection) -> None:
        """Extend the lease by another term."""
        self.check(conn)
        conn.execute(update(writer_lease).where(self._mine).values(expires_at=clock(conn) + TERM))

    def release(self, conn: Connection) -> None:
        """Let the next writer in at once."""
        conn.execute(update(writer_lease).where(self._mine).values(expires_at=clock(conn)))


def acquire(conn: Connection, holder: str) -> Lease:
    """Take the lease for ``holder``, from ``holding``, in a write transaction.

    A holder that has it already gets it again. Raises LeaseHeld, with the holder, if another live process has it.
    """
    row = conn.execute(_LOCK).one()
    now = clock(conn)  # read after the row is locked: the holder may have renewed the lease during the wait
    # An expiry beyond any lease's term dates from before the clock was set back, and would block writers until then.
    held = now < row.expires_at <= now + 2 * TERM
    if held and row.holder != holder and not is_dead(row.holder):
        until = f"{row.expires_at:%H:%M:%S} UTC"
        message = f"another writer holds the mirror: {describe(row.holder)}; its lease runs until {until}"
        raise LeaseHeld(message)
    epoch = row.epoch + 1
    conn.execute(_TAKE, {"epoch": epoch, "holder": holder, "expires_at": now + TERM})
    return Lease(epoch, holder)


@contextmanager
def holding() -> Iterator[str]:
    """A new holder in this process; any process on this machine can check whether it still lives."""
    holder = f"{_machine()}|{os.getpid()}|{_started(os.getpid())}|{secrets.token_hex(8)}"
    _LIVING.add(holder)
    try:
        yield holder
    finally:
        _LIVING.discard(holder)


def under_lease(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do ``work`` in one write transaction that holds the lease, tried again after a transient fault.

    Raises LeaseHeld if another live process has it.
    """
    with holding() as holder:

        def held(conn: Connection) -> T:
            mine = acquire(conn, holder)
            done = work(conn)
            mine.release(conn)
            return done

        return retry_transient(lambda: write(engine, held))


def describe(holder: str) -> str:
    """A holder for people."""
    machine, pid, *_ = holder.split("|")
    return f"process {pid} on {machine.split()[0]}"


def is_dead(holder: str) -> bool:
    """Whether the holder is a process of this machine that no longer runs, or an ended run of this process."""
    machine, pid, started, _ = holder.split("|")
    if (machine, int(pid)) == (_machine(), os.getpid()):
        return holder not in _LIVING
    return machine == _machine() and _started(int(pid)) not in {started, UNKNOWN_START}


def _machine() -> str:
    """Host, boot and process namespace: a process id identifies a process only within all three."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = space = "unknown"
    return f"{socket.gethostname()} {boot} {space}"


def _started(pid: int) -> str:
    """Start of a process in clock ticks since boot, "" if it does not run; tells apart processes that reuse a pid."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN_START if _lives(pid) else ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _lives(pid: int) -> bool:
    """Whether a process lives, by signal 0: for systems without /proc, or whose /proc hides other users' processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
