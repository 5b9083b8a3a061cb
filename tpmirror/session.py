"""From settings to an open run: database migrated, key accepted, lease held."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tpmirror import migrate, run
from tpmirror.api import Api, Page
from tpmirror.config import Settings
from tpmirror.database import open_engine
from tpmirror.errors import MirrorError
from tpmirror.intake import Intake, Progress
from tpmirror.rehearsal import Rehearsal
from tpmirror.run import Run


def quiet(_seen: int, _count: int) -> None:
    """No progress shown."""


@dataclass(slots=True)
class Session:
    """What a walk or a poll works with."""

    settings: Settings
    api: Api
    executor: Executor
    run: Run
    intake: Intake
    first: Page
    """The newest page, or the oldest: what the list starts with."""


@contextmanager
def session(settings: Settings, kind: str, progress: Progress) -> Iterator[Session]:
    """A run of ``kind``, closed whatever happens. Migrates the database if needed."""
    engine = open_engine(settings.database_url)
    with ThreadPoolExecutor(settings.concurrency) as executor, Api(settings) as api:
        first = None
        if not migrate.is_current(engine):
            # A key that is refused must leave no trace, not even an empty database.
            first = api.page(settings.page_size, 0)
            migrate.upgrade(engine)
        with run.opened(engine, kind, api) as opened:
            intake = Intake(api, opened, progress)
            yield Session(settings, api, executor, opened, intake, first or api.page(settings.page_size, 0))


@contextmanager
def rehearsal(settings: Settings, progress: Progress, *, everything: bool) -> Iterator[tuple[Session, Rehearsal]]:
    """The same without a lease and without a write; on an empty database in memory if there is none yet."""
    engine = open_engine(settings.database_url)
    if not migrate.is_current(engine):
        if migrate.current(engine) is not None:
            message = "the database is of an older revision; run tpmirror db upgrade first"
            raise MirrorError(message)
        engine = open_engine("sqlite://")
        migrate.upgrade(engine)
    with ThreadPoolExecutor(settings.concurrency) as executor, Api(settings) as api:
        rehearsed = Rehearsal(engine, api.origin, everything=everything)
        intake = Intake(api, rehearsed, progress)
        yield Session(settings, api, executor, rehearsed, intake, api.page(settings.page_size, 0)), rehearsed
