"""One run of the syncer in the database: its lease, its row in ``sync_runs``, and the batches it stores.

Every write transaction checks the lease first and writes the run's progress too, so rows, history and counts are there
together or not at all.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import ERROR, INFO, WARNING
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine

from tpmirror.config import CreditPrice
from tpmirror.db import lease
from tpmirror.db.engine import read, retry_transient, write
from tpmirror.db.lease import Lease
from tpmirror.db.types import Row
from tpmirror.errors import Interrupted, TpmirrorError, TransientDatabaseError
from tpmirror.log import bound, logger
from tpmirror.store import account, history, jobs, presence, quarantine, runs
from tpmirror.store.changes import Changeset, Observation, ShownVideo
from tpmirror.store.history import Heads
from tpmirror.store.presence import PresenceResult
from tpmirror.store.quarantine import Holding
from tpmirror.sync import certify
from tpmirror.sync.absence import returned
from tpmirror.sync.account import Scope
from tpmirror.sync.diff import Shown, changed_models, diff
from tpmirror.sync.ingest import Failures
from tpmirror.sync.normalize import normalize
from tpmirror.sync.stats import COUNT_COLUMNS, Reading, RunStats
from tpmirror.tensorpix.client import Api

log: Final = logger(__name__)
LEVELS: Final = {"succeeded": INFO, "interrupted": WARNING, "failed": ERROR}


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run, besides the batches that it stored."""

    proof: Mapping[str, Any] | None = None
    """The numbers of the proof of the ids, or the reason why there is none."""
    covered: bool = False
    """Whether every listed job (full), or every job in flight (poll), was seen."""
    shown: Collection[int] = ()
    """The jobs that have to be held as shown for the run to be certified and covered."""
    presence: Mapping[int, PresenceResult] = field(default_factory=dict)
    """Presence of the absent jobs; written when the run ends, so that a run records one change a job."""
    present: Collection[int] | None = None
    """Every listed job, if that is proven: an entry of the quarantine for any other job is resolved."""

    def without(self, lost: int) -> "RunResult":
        """This result, without its proof if the database lost ``lost`` rows that the run wrote."""
        if lost <= 0:
            return self
        reason = f"the database lost {lost} rows that this run wrote: it went back in time"
        proof = None if self.proof is None else {**self.proof, "ids_proven": False, "reason": reason}
        return RunResult(proof, shown=self.shown)


class Begun(NamedTuple):
    """Lease, number and start of a run, from its first transaction."""

    lease: Lease
    run_id: int
    started_at: datetime
    heads: Heads
    """The last rows before the run: with one writer, all later rows are the run's own."""
    scope: Scope


class Run:
    """A run under way; ``opened`` makes one, ``finish`` ends it. A sink of ``Ingestor``."""

    def __init__(self, engine: Engine, begun: Begun, api: Api, price: CreditPrice | None = None) -> None:
        self.engine = engine
        self.id = begun.run_id
        self.scope = begun.scope
        self.is_over = False
        """Whether the run is closed, or about to be: no thread of ours may renew the lease any more."""
        self._api = api
        self._price = price
        self._stats, self._reading = RunStats(), Reading()
        self._lease, self._started_at, self._heads = begun.lease, begun.started_at, begun.heads
        self._renewed = time.monotonic()
        self._renewing = threading.Lock()
        self._is_rewound = False
        """Whether the database lost history entries that this run wrote: the stored rows are not what its answers
        showed."""
        self._counted = self._lost = 0
        """Quarantine entries of this run: as its row counts them since the last commit, and those of them that the
        database lost."""
        self._unsure: Changeset | None = None
        """Batch whose COMMIT may have succeeded although the reply was lost."""
        self._quarantined: set[int] | None = None
        """Jobs with an open quarantine entry, read anew after each commit: no other process writes; if one does, our
        lease is over and our next write raises LeaseLost."""

    def fingerprints(self, ids: Collection[int]) -> dict[int, str]:
        """By job, the fingerprint of its last payload: an equal one means no change. Without jobs in quarantine."""

        def find(conn: Connection) -> dict[int, str]:
            if self._quarantined is None:
                self._quarantined = quarantine.quarantined_ids(conn)
            found = jobs.fingerprints(conn, ids)
            return (
                {job_id: found[job_id] for job_id in found.keys() - self._quarantined} if self._quarantined else found
            )

        return read(self.engine, find) if ids else {}

    def store(self, observations: Sequence[Observation], failures: Failures, reading: Reading) -> None:
        """Mirror a batch of distinct jobs. Without any it writes nothing."""
        self._reading = reading
        retry_transient(lambda: self._store(observations, failures))

    def _store(self, observations: Sequence[Observation], failures: Failures) -> None:
        if observations or failures or self.scope.has_news:
            self._quarantined = None
            self._stats.add(self.commit(observations, failures))
            self._unsure = None
            self.scope.stored()
        else:
            self.renew_lease()

    def commit(self, observations: Sequence[Observation], failures: Failures) -> Changeset:
        """Compute and write what a batch changes, in one transaction with the run's progress."""

        def work(conn: Connection) -> Changeset:
            self._lease.check(conn)
            self._catch_up(conn)
            self._count_lost(conn)
            self._is_rewound = self._is_rewound or history.head(conn)[0] < self._heads.entry + self._stats.entries
            is_sure = self._is_clock_right and not self._is_rewound
            changes = changes_of(conn, observations, failures, self._stats.shown, self.id, has_moments=is_sure)
            self.scope.store(conn)
            if changes:
                jobs.apply(conn, changes)
                # With each batch: later runs need ``clock_ahead`` of a run that is killed, too.
                ahead = {"clock_ahead": self._api.clock_ahead}
                runs.update(conn, self.id, {**self._stats.columns(self._reading, changes), **ahead})
            self._renew(conn)
            self._unsure = changes
            return changes

        changes = write(self.engine, work)
        if changes:
            self._counted = self._stats.columns(self._reading, changes).get("quarantined", 0)
        return changes

    def _catch_up(self, conn: Connection) -> None:
        """Count a batch whose COMMIT arrived although its reply was lost. Only after the lease's check."""
        if self._unsure is not None:
            self._stats.recover(runs.get(conn, self.id), self._unsure)
            self._unsure = None

    def _count_lost(self, conn: Connection) -> None:
        """Note the quarantine entries that the row of the run counts no more: the next commit writes all counts again.

        The heads of the histories show every other loss. Only a run with such entries reads its row for this.
        """
        if self._counted:
            self._lost = max(self._lost, self._counted - runs.get(conn, self.id)["quarantined"])

    @property
    def _is_clock_right(self) -> bool:
        """Whether our clock has agreed with the API's in all of the run, as far as the API states a date."""
        return runs.is_clock_right(self._api.clock_ahead)

    def finish(self, result: RunResult) -> Row:
        """End the run as succeeded and release the lease; returns its row of ``sync_runs``."""
        return self.close("succeeded", None, result)

    def close(self, outcome: str, error: str | None, result: RunResult) -> Row:
        """End the run: write presence and counts, release the lease, in one transaction."""
        self.is_over = True
        row = retry_transient(lambda: write(self.engine, lambda conn: self._close(conn, outcome, error, result)))
        log.log(LEVELS[row["outcome"]], "run %s", row["outcome"], **log_fields(row))
        return row

    def _close(self, conn: Connection, outcome: str, error: str | None, result: RunResult) -> Row:
        if not runs.is_closed(conn, self.id, self._started_at):
            self._lease.check(conn)
            self._catch_up(conn)
        if runs.is_closed(conn, self.id, self._started_at):
            return runs.get(conn, self.id)  # closed by an earlier try, only the reply to its COMMIT was lost
        now = datetime.now(UTC)
        self._count_lost(conn)
        lost = max(0, self._stats.recorded - history.count_after(conn, self._heads)) + self._lost
        result = result.without(lost)
        # With rows lost a job may be held as it was before this run showed it. If it returned with that status, earlier
        # runs that did not ask for it while it was away would vouch for that status.
        where = {} if lost > 0 else self._reading.where
        back = returned(presence.away(conn, where), where)
        moved = presence.write_presence(conn, {**back, **result.presence}, self.id, now)
        if result.present is not None:
            quarantine.resolve(conn, quarantine.obsolete_entries(conn, result.present), now)
        if result.proof is not None:
            shown = {payload for job_id, payload in self._stats.quarantined if job_id is None}
            quarantine.resolve(conn, quarantine.unseen_items(conn, shown), now)
        columns = self._stats.columns(self._reading)
        counts = {name: columns.get(name, 0) + moved.get(name, 0) for name in COUNT_COLUMNS}
        api = {"requests": self._api.requests, "retries": self._api.retries, "clock_ahead": self._api.clock_ahead}
        runs.update(conn, self.id, {"outcome": outcome, "error": error, "finished_at": now, **counts, **api})
        runs.update(conn, self.id, _judgement(result, quarantine.holding(conn, result.shown)))
        # Only after success: a refused key, another account and a wrong clock must not restate a month.
        if self._price is not None and outcome == "succeeded" and self._is_clock_right:
            account.set_price(conn, self._price, f"{self._started_at:%Y-%m}")
        self._lease.release(conn)
        return runs.get(conn, self.id)

    def resolve(self, entries: Sequence[int]) -> None:
        """Close entries of the quarantine whose jobs are mirrored after all."""
        if entries:
            self._quarantined = None
            self._write(lambda conn: quarantine.resolve(conn, entries, datetime.now(UTC)))

    def _write(self, work: Callable[[Connection], None]) -> None:
        def checked(conn: Connection) -> None:
            self._lease.check(conn)
            work(conn)

        retry_transient(lambda: write(self.engine, checked))

    def renew_lease(self) -> None:
        """Renew the lease if it is due. For all threads that wait for the API, which may ask for a long pause."""

        def work(conn: Connection) -> None:
            self._lease.check(conn)
            if not self.is_over:  # checked once the row is locked
                self._lease.renew(conn)

        if self._needs_renewal() and self._renewing.acquire(blocking=False):
            try:
                write(self.engine, work)
                self._renewed = time.monotonic()
            except TransientDatabaseError:
                if time.monotonic() - self._renewed > lease.TERM.total_seconds():
                    raise  # else the next call renews it: nothing has to be written now
            finally:
                self._renewing.release()

    def _needs_renewal(self) -> bool:
        return not self.is_over and time.monotonic() - self._renewed > lease.TERM.total_seconds() / 3

    def _renew(self, conn: Connection) -> None:
        if self._needs_renewal():
            self._lease.renew(conn)
            self._renewed = time.monotonic()


def _judgement(result: RunResult, holding: Holding) -> dict[str, Any]:
    """The columns of ``sync_runs`` about the proof: the jobs seen also have to be held."""
    covered = {"covered": result.covered and holding.is_whole}
    if result.proof is None:
        return {"certified": False, "certificate": None, **covered}
    certified, certificate = certify.certificate(result.proof, holding)
    return {"certified": certified, "certificate": certificate, **covered}


def changes_of(
    conn: Connection,
    observations: Sequence[Observation],
    failures: Failures,
    shown: Mapping[int, ShownVideo],
    run_id: int,
    *,
    has_moments: bool = True,
) -> Changeset:
    """The changeset of a batch against the stored rows; ``shown`` and ``has_moments`` as in ``StoredState``."""
    catalogue = jobs.ml_models(conn)
    batch = [Shown(observation, normalize(observation.item)) for observation in observations]
    models = changed_models(catalogue, _placed(conn, batch))
    known = jobs.known(conn, observations, {item.id for item, _ in failures}, catalogue, models)
    known.shown, known.has_moments = shown, has_moments
    known.unpolled = presence.archived(conn, known.last_changes)
    return diff(known, batch, models, failures, run_id)


def _placed(conn: Connection, batch: Sequence[Shown]) -> Sequence[Shown]:
    """The jobs of a batch that have a row, or get one: a new job without a status must not change a model."""
    unsure = [shown.job_id for shown in batch if "status" not in shown.rows.job]
    if not unsure:
        return batch
    unplaced = set(unsure) - jobs.fingerprints(conn, unsure).keys()
    return [shown for shown in batch if shown.job_id not in unplaced]


@contextmanager
def opened(
    engine: Engine, kind: str, api: Api, started_at: datetime, price: CreditPrice | None = None
) -> Iterator[Run]:
    """A run under the lease; its row in ``sync_runs`` is closed whatever happens, unless another writer took over.

    ``price`` of a Credit, if one is given, counts from this month on if the run succeeds.

    Raises LeaseHeld if another writer holds the mirror, ScopeError if the mirror belongs to another origin.
    """
    with lease.holding() as holder:
        begun = retry_transient(lambda: write(engine, lambda conn: _open(conn, kind, holder, started_at, api)))
        run = Run(engine, begun, api, price)
        with bound(run=run.id, kind=kind), _closing(run):
            log.debug("run started")
            yield run


@contextmanager
def _closing(run: Run) -> Iterator[None]:
    """Close a run that did not come to its end, with how it ended."""
    try:
        yield
        if not run.is_over:
            run.finish(RunResult())
    except (KeyboardInterrupt, Interrupted):
        _abort(run, "interrupted", "interrupted")
        raise
    except TpmirrorError as error:
        _abort(run, "failed", str(error))
        raise
    except BaseException as error:
        _abort(run, "failed", f"unexpected {type(error).__name__}")
        raise


def _abort(run: Run, outcome: str, error: str) -> None:
    """Close the row; where that fails too, the first error is raised."""
    if run.is_over and outcome != "interrupted":
        return  # closing it failed; an interrupted close is tried again, or its row would stay open
    try:
        run.close(outcome, error, RunResult())
    except TpmirrorError as reason:
        log.error("run could not be closed", outcome=outcome, error=str(reason))  # noqa: TRY400 - it says where and why


def _open(conn: Connection, kind: str, holder: str, started_at: datetime, api: Api) -> Begun:
    """Check the account's origin, take the lease and open a row; runs that died before are closed as abandoned."""
    scope = Scope(conn, api.origin, api.owners)
    held = lease.acquire(conn, holder)
    return Begun(held, runs.start(conn, kind, started_at, datetime.now(UTC)), started_at, history.heads(conn), scope)


def log_fields(row: Row) -> dict[str, Any]:
    """The log fields of a finished run; counts that are 0 are left out."""
    seconds = round((row["finished_at"] - row["started_at"]).total_seconds(), 3)
    counts = {name: row[name] for name in COUNT_COLUMNS if row[name]}
    error = {"error": row["error"]} if row["error"] else {}
    return {"seconds": seconds, **({"certified": row["certified"]} if row["kind"] == "full" else {}), **counts, **error}
