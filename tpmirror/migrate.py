"""Migrations, from a checkout and from the installed package alike.

One transaction under a lock: the old schema or the new one, never something between, however many start at once. What
holds no data of its own (views, comments, labels, the data dictionary) is not migrated but rebuilt at each upgrade.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from tpmirror import schema
from tpmirror.database import create_file, reading, translated
from tpmirror.describe import describe, drop_views, views
from tpmirror.errors import MirrorError, UsageError
from tpmirror.grants import kept
from tpmirror.revision import SCRIPTS, current, current_of, known, newest, refuse_newer

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
        found = current_of(conn)
        if found is not None:
            refuse_newer(found)
        with kept(conn, views(conn.dialect.name)):
            drop_views(conn)
            _migrate(conn, revision, down=down)
            if current_of(conn) == newest():
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
        message = f"cannot migrate to {revision!r}: {error}; revisions: {', '.join(known())}, base, head"
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


def _config() -> Config:
    """Alembic's settings without a file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
