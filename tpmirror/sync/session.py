"""From settings to an open run: database migrated, key accepted, lease held."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine

from tpmirror.config import Database, Settings
from tpmirror.db import revision
from tpmirror.db.engine import connected, display, is_missing, read
from tpmirror.errors import MirrorError
from tpmirror.log import logger
from tpmirror.store import runs
from tpmirror.sync import run
from tpmirror.sync.account import Scope
from tpmirror.sync.dryrun import DryRun
from tpmirror.sync.ingest import Ingestor, PassProgress, Progress
from tpmirror.sync.run import Run
from tpmirror.tensorpix.client import Api
from tpmirror.tensorpix.control import Control, idle
from tpmirror.tensorpix.page import Page

log: Final = logger(__name__)


def quiet(_reached: PassProgress) -> None:
    """Show no progress."""


class _Fetchers(ThreadPoolExecutor):
    """Threads whose log lines carry the run's number: they run in the context of the thread that submitted the work."""

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(copy_context().run, work, *args, **kwargs)


@dataclass(slots=True)
class Session:
    """Engine, API client, ingestor and settings of a full sync or a poll."""

    settings: Settings
    engine: Engine
    api: Api
    executor: Executor
    ingestor: Ingestor
    control: Control
    first: Page
    """The page that the list starts with: the newest jobs, or the oldest."""


@contextmanager
def session(
    settings: Settings, kind: str, progress: Progress, control: Control | None = None
) -> Iterator[tuple[Session, Run]]:
    """A run of ``kind``, closed whatever happens. Migrates the database if needed."""
    control = control or Control()
    with (
        connected(settings.database) as engine,
        _Fetchers(settings.concurrency) as executor,
        Api(settings, control=control) as api,
    ):
        started_at, probe = datetime.now(UTC), None
        if not revision.is_current(engine):
            # Before the migration: a refused key must leave no trace, not even an empty database.
            probe = api.page(settings.page_size, 0)
            _upgrade(engine)
        with run.opened(engine, kind, api, started_at, settings.credit_price) as opened:
            control.run_id, control.on_wait = opened.id, opened.renew_lease
            ingestor = Ingestor(api, engine, opened.scope, opened, progress)
            # Asked for under the lease, like every answer that is stored: one older than another writer's run must not
            # be. If there was no run before, the answer from before the first migration is older than none.
            try:
                is_first = probe is not None and read(engine, lambda conn: runs.is_first(conn, opened.id))
                first = probe if probe and is_first else api.page(settings.page_size, 0)
                yield Session(settings, engine, api, executor, ingestor, control, first), opened
            finally:
                control.on_wait = idle  # a caller that keeps the control must not keep the run alive


@contextmanager
def dry_run_session(settings: Settings, progress: Progress, *, everything: bool) -> Iterator[tuple[Session, DryRun]]:
    """A session without a lease and without a write; on an empty database in memory if there is none yet."""
    with (
        connected(_dry_run_database(settings), read_only=True) as engine,
        ThreadPoolExecutor(settings.concurrency) as executor,
        Api(settings) as api,
    ):
        if not revision.is_current(engine):
            _upgrade(engine)
        dry_run = DryRun(engine, everything=everything)
        scope = read(engine, lambda conn: Scope(conn, api.origin, api.owners))
        ingestor = Ingestor(api, engine, scope, dry_run, progress)
        first = api.page(settings.page_size, 0)
        yield Session(settings, engine, api, executor, ingestor, Control(), first), dry_run


def _upgrade(engine: Engine) -> None:
    from tpmirror.db import migrate  # noqa: PLC0415 - loads Alembic, which takes longer than a full sync without changes

    if is_missing(engine):
        log.info("a new database is created", mirror=display(engine))
    migrate.upgrade(engine)


def _dry_run_database(settings: Settings) -> Database:
    with connected(settings.database, read_only=True) as engine:
        if revision.is_current(engine):
            return settings.database
        if revision.current(engine) is None:
            return Database("sqlite://")
    message = "the database is of an older revision; run tpmirror db upgrade first"
    raise MirrorError(message)
