"""Migrations, from a checkout and from the installed package alike.

One transaction under a lock: the old schema or the new one, never something between, however many start at once. What
holds no data of its own (views, comments, labels, the data dictionary) is not migrated but rebuilt at each upgrade.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect, text

from tpmirror import schema
from tpmirror.database import create_file, is_missing, read, reading, translated
from tpmirror.describe import describe, drop_views
from tpmirror.errors import MirrorError, UsageError

LOCK: Final = 0x74706D6972726F72
"""Key of PostgreSQL's advisory lock around migrations: "tpmirror" in ASCII."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; create it if there is none.

    Raises MirrorError if the database is newer than this program, UsageError for an unknown revision.
    """
    create_file(engine)
    _run(engine, revision, down=False)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to ``revision``; ``base`` drops every table."""
    with reading(engine):
        pass
    _run(engine, revision, down=True)


def current(engine: Engine) -> str | None:
    """The database's revision; None before the first upgrade."""
    if is_missing(engine):
        return None
    return read(engine, _current)


def newest() -> str:
    """The revision that this program works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "the package ships its migrations"  # noqa: S101 - a broken build, not a user's mistake
    return revision


def is_current(engine: Engine) -> bool:
    """Whether nothing needs to be migrated.

    Raises MirrorError if the database is newer than this program.
    """
    revision = current(engine)
    if revision is not None:
        _refuse_newer(revision)
    return revision == newest()


def differences(engine: Engine) -> list[str]:
    """What in the database is not as declared; empty when all is."""
    revision = current(engine)
    if revision != newest():
        return [
            f"the database is at revision {revision or 'none'}, this program needs {newest()}: run tpmirror db upgrade"
        ]
    with reading(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        return [str(difference) for difference in compare_metadata(context, schema.metadata)]


def _run(engine: Engine, revision: str, *, down: bool) -> None:
    with (
        translated(engine),
        engine.connect().execution_options(tpmirror_writes=True) as conn,
        _unkeyed(conn),
        conn.begin(),
    ):
        _lock(conn)
        found = _current(conn)
        if found is not None:
            _refuse_newer(found)
        drop_views(conn)
        _migrate(conn, revision, down=down)
        if _current(conn) == newest():
            describe(conn)
        _check_keys(conn)


@contextmanager
def _unkeyed(conn: Connection) -> Iterator[None]:
    """SQLite changes a table by copying it, which foreign keys forbid; they are put off outside the transaction."""
    driver: Any = conn.connection.dbapi_connection if conn.dialect.name == "sqlite" else None
    if driver is not None:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        if driver is not None:
            driver.execute("PRAGMA foreign_keys=ON")


def _migrate(conn: Connection, revision: str, *, down: bool) -> None:
    config = _config()
    config.attributes["connection"] = conn
    try:
        (command.downgrade if down else command.upgrade)(config, revision)
    except CommandError as error:
        message = f"cannot migrate to {revision!r}: {error}; revisions: {', '.join(_known())}, base, head"
        raise UsageError(message) from error


def _lock(conn: Connection) -> None:
    """On SQLite, BEGIN IMMEDIATE is the lock already."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL lock_timeout = '60s'"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def _check_keys(conn: Connection) -> None:
    if conn.dialect.name == "sqlite" and (broken := conn.execute(text("PRAGMA foreign_key_check")).first()):
        message = (
            f"the migration would leave rows of {broken[0]} without their rows of {broken[2]}; nothing was changed"
        )
        raise MirrorError(message)


def _current(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    return MigrationContext.configure(conn).get_current_revision()


def _refuse_newer(revision: str) -> None:
    if revision not in _known():
        message = (
            f"the database is at revision {revision!r}, which this version of tpmirror does not know: "
            "it is newer than the program; install the newer tpmirror"
        )
        raise MirrorError(message)


def _known() -> list[str]:
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> Config:
    """Alembic's settings without a file: the migrations lie in the wheel, or beside the package in a checkout."""
    package = Path(__file__).parent
    shipped = package / "_migrations"
    config = Config()
    config.set_main_option(
        "script_location", str(shipped if shipped.is_dir() else package.parent / "migrations").replace("%", "%%")
    )
    config.set_main_option("path_separator", "os")
    return config
