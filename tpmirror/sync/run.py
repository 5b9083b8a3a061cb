"""One run of the syncer in the database: its lease, its row in ``sync_runs``, and the batches it stores.

Every write transaction checks the lease first and carries the run's progress along, so rows, history and counts are
there together or not at all.
"""

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from logging import ERROR, INFO, WARNING
from typing import Any, Final

from sqlalchemy import Connection, Engine

from tpmirror.db import lease
from tpmirror.db.engine import read, retry_transient, write
from tpmirror.db.lease import Lease
from tpmirror.db.types import Row
from tpmirror.errors import Interrupted, TpmirrorError, TransientDatabaseError
from tpmirror.log import bound, logger
from tpmirror.store import jobs, presence, quarantine, runs
from tpmirror.store.changes import Changeset, Observation
from tpmirror.store.presence import PresenceResult
from tpmirror.sync.account import Scope
from tpmirror.sync.diff import changed_models, diff
from tpmirror.sync.stats import COUNT_COLUMNS, RunStats
from tpmirror.tensorpix.client import Api
from tpmirror.tensorpix.decode import ParseFailure

log: Final = logger(__name__)
LEVELS: Final = {"succeeded": INFO, "interrupted": WARNING, "failed": ERROR}


class Run:
    """A run under way; ``opened`` makes one and ends it."""

    def __init__(self, engine: Engine, held: Lease, run_id: int, scope: Scope) -> None:
        self.engine = engine
        self.id = run_id
        self.scope = scope
        self.tally = RunStats()
        self.result: dict[str, Any] = {}
        """Columns of ``sync_runs`` that the full sync or poll states: the certificate, the coverage."""
        self.presence: dict[int, PresenceResult] = {}
        """Where jobs are; written when the run ends, so that a run records one change a job."""
        self.row: Row = {}
        """The finished row of ``sync_runs``."""
        self._lease = held
        self._renewed = time.monotonic()
        self._renewing = threading.Lock()
        self._over = False
        self._unsure: Changeset | None = None
        """Batch whose COMMIT may have succeeded although the reply was lost."""
        self._quarantined: set[int] | None = None
        """Jobs with an open quarantine entry: read anew after each commit, for no other process writes; where one
        does, our lease is over and our next write raises LeaseLost."""

    def fingerprints(self, ids: Collection[int]) -> dict[int, str]:
        """By job, its last fingerprint: with the same one it has not changed. Jobs in quarantine have none here."""

        def find(conn: Connection) -> dict[int, str]:
            if self._quarantined is None:
                self._quarantined = quarantine.quarantined_ids(conn)
            found = jobs.fingerprints(conn, ids)
            return (
                {job_id: found[job_id] for job_id in found.keys() - self._quarantined} if self._quarantined else found
            )

        return read(self.engine, find) if ids else {}

    def store(
        self, observations: Sequence[Observation], unreadable: Sequence[tuple[ParseFailure, datetime]] = ()
    ) -> None:
        """Mirror a batch of distinct jobs. Without any it writes nothing."""
        retry_transient(lambda: self._store(observations, unreadable))

    def _store(self, observations: Sequence[Observation], unreadable: Sequence[tuple[ParseFailure, datetime]]) -> None:
        self.tally.unread.update(item.id for item, _ in unreadable if item.id is not None)
        if observations or unreadable or self.scope.has_news:
            self._quarantined = None
            self.tally.add(self.commit(observations, unreadable))
            self._unsure = None
            self.scope.stored()
        else:
            self.renew_lease()

    def _catch_up(self, conn: Connection) -> None:
        """Count a batch whose COMMIT succeeded without a reply. Only after the lease's check, which waits for it."""
        if self._unsure is not None:
            self.tally.recover(runs.get(conn, self.id), self._unsure)
            self._unsure = None

    def diff(
        self, conn: Connection, observations: Sequence[Observation], unreadable: Sequence[tuple[ParseFailure, datetime]]
    ) -> Changeset:
        """What a batch changes."""
        catalogue = jobs.ml_models(conn)
        models = changed_models(catalogue, observations)
        known = jobs.known(conn, observations, {item.id for item, _ in unreadable}, catalogue, models)
        known.shown = self.tally.shown
        return diff(known, observations, models, unreadable, self.id)

    def commit(
        self, observations: Sequence[Observation], unreadable: Sequence[tuple[ParseFailure, datetime]]
    ) -> Changeset:
        """Plan and write a batch, in one transaction with the run's progress."""

        def work(conn: Connection) -> Changeset:
            self._lease.check(conn)
            self._catch_up(conn)
            changes = self.diff(conn, observations, unreadable)
            self.scope.store(conn)
            if changes:
                jobs.apply(conn, changes)
                runs.update(conn, self.id, self.tally.columns(changes))
            self._renew(conn)
            self._unsure = changes
            return changes

        return write(self.engine, work)

    def finish(self, outcome: str, error: str | None, sent: Mapping[str, int]) -> None:
        """End the run and let the next writer in: where jobs are, the counts, the lease, in one transaction."""

        def close(conn: Connection) -> Row:
            row = runs.get(conn, self.id)
            if row["outcome"] != outcome:
                self._lease.check(conn)
                self._catch_up(conn)
                row = runs.get(conn, self.id)
            if row["outcome"] == outcome:
                return row  # it was closed before, only the answer to that commit was lost
            now = datetime.now(UTC)
            moved = presence.write_presence(conn, self.presence, self.id, now)
            counts = {name: self.tally.columns().get(name, 0) + moved.get(name, 0) for name in COUNT_COLUMNS}
            ended = {"outcome": outcome, "error": error, "finished_at": now, **counts, **sent, **self.result}
            runs.update(conn, self.id, ended)
            self._lease.release(conn)
            return runs.get(conn, self.id)

        self._over = True  # before the lease is let go: no thread of ours may take it up again
        self.row = retry_transient(lambda: write(self.engine, close))

    def resolve(self, entries: Sequence[int]) -> None:
        """Close entries of the quarantine whose jobs are mirrored after all."""

        def work(conn: Connection) -> None:
            self._lease.check(conn)
            quarantine.resolve(conn, entries, datetime.now(UTC))

        if entries:
            self._quarantined = None
            retry_transient(lambda: write(self.engine, work))

    def prune(self, retention: timedelta) -> None:
        """Remove progress samples that are older than the retention setting."""
        before = datetime.now(UTC) - retention

        def remove(conn: Connection) -> None:
            self._lease.check(conn)
            jobs.delete_samples_before(conn, before)

        if read(self.engine, lambda conn: jobs.has_samples_before(conn, before)):
            retry_transient(lambda: write(self.engine, remove))

    def renew_lease(self) -> None:
        """Renew the lease if it is time. For all threads, while nothing comes in: the API may ask for a long pause."""

        def work(conn: Connection) -> None:
            self._lease.check(conn)
            if not self._over:  # checked once the row is locked
                self._lease.renew(conn)

        if self._needs_renewal() and self._renewing.acquire(blocking=False):
            try:
                write(self.engine, work)
                self._renewed = time.monotonic()
            except TransientDatabaseError:
                if time.monotonic() - self._renewed > lease.TERM.total_seconds():
                    raise  # else the next time will do: nothing has to be written now
            finally:
                self._renewing.release()

    def _needs_renewal(self) -> bool:
        return not self._over and time.monotonic() - self._renewed > lease.TERM.total_seconds() / 3

    def _renew(self, conn: Connection) -> None:
        if self._needs_renewal():
            self._lease.renew(conn)
            self._renewed = time.monotonic()


@contextmanager
def opened(engine: Engine, kind: str, api: Api, started_at: datetime) -> Iterator[Run]:
    """A run under the lease; its row in ``sync_runs`` is closed whatever happens, unless another writer took over.

    Raises LeaseHeld if another writer holds the mirror, ScopeError if the mirror belongs to another origin.
    """
    scope = read(engine, lambda conn: Scope(conn, api.origin))
    with lease.holding() as holder:
        held, run_id = retry_transient(lambda: write(engine, lambda conn: _open(conn, kind, holder, started_at)))
        changes = Run(engine, held, run_id, scope)
        with bound(run=run_id, kind=kind), _closing(changes, api):
            log.debug("run started")
            yield changes


@contextmanager
def _closing(changes: Run, api: Api) -> Iterator[None]:
    """Close the run's row with how it ended."""
    outcome, error = "failed", None
    try:
        yield
        outcome = "succeeded"
    except (KeyboardInterrupt, Interrupted):
        outcome, error = "interrupted", "interrupted"
        raise
    except TpmirrorError as reason:
        error = str(reason)
        raise
    except BaseException as reason:
        error = f"unexpected {type(reason).__name__}"
        raise
    finally:
        _close(changes, outcome, error, {"requests": api.requests, "retries": api.retries})


def _open(conn: Connection, kind: str, holder: str, started_at: datetime) -> tuple[Lease, int]:
    """Take the lease and open a row; runs that died before are closed as abandoned."""
    return lease.acquire(conn, holder), runs.start(conn, kind, started_at, datetime.now(UTC))


def _close(changes: Run, outcome: str, error: str | None, sent: Mapping[str, int]) -> None:
    """Close the row; where that fails too, the first error is the one to raise."""
    try:
        changes.finish(outcome, error, sent)
    except TpmirrorError as reason:
        log.error("run could not be closed", outcome=outcome, error=str(reason))  # noqa: TRY400 - it says where and why
        if error is None:
            raise
    else:
        log.log(LEVELS[outcome], "run %s", outcome, **log_fields(changes.row))


def log_fields(row: Row) -> dict[str, Any]:
    """The fields that the log has of a run that is over: those that are not 0."""
    seconds = round((row["finished_at"] - row["started_at"]).total_seconds(), 3)
    counts = {name: row[name] for name in COUNT_COLUMNS if row[name]}
    error = {"error": row["error"]} if row["error"] else {}
    return {"seconds": seconds, **({"certified": row["certified"]} if row["kind"] == "full" else {}), **counts, **error}
