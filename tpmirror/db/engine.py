"""Engine, session settings, transactions, and translation of the driver's errors into MirrorError."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from tpmirror.config import Database
from tpmirror.credentials import read_password
from tpmirror.db import sqlite
from tpmirror.errors import MirrorError, TransientDatabaseError, UsageError, interruptible

T = TypeVar("T")

_POSTGRES_SETTINGS: Final = {
    # PostgreSQL's default for each timeout is none: a dead peer or a stuck lock would block an unattended run forever.
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "datestyle": "ISO, MDY",  # psycopg parses timestamptz in no other style
    "jit": "off",  # compiling a view's joins takes seconds at each statement, running them milliseconds
    "extra_float_digits": "1",  # below 1 the server rounds floats, so a value read back would count as a change
}
"""Set per transaction: a pooler gives the session, with its settings, to another client afterwards."""
_BEGIN: Final = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in _POSTGRES_SETTINGS.items())
# With synchronous_commit off, a crash of the server would lose commits that the run already counts as stored.
_BEGIN_WRITING: Final = (
    f"{_BEGIN}; SELECT set_config('synchronous_commit', 'on', true)"
    " WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
)
_POSTGRES_CONNECT: Final = {
    "client_encoding": "utf8",  # default: the server's; psycopg returns the texts of a SQL_ASCII server as bytes
    "prepare_threshold": None,  # a pooler runs the next transaction in a session without our prepared statements
    "connect_timeout": 10,
    "application_name": "tpmirror",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_PASSING_STATES: Final = frozenset({"25P03", "40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03", "57P05"})
"""Paused too long within a transaction, serialization failure, deadlock, too many connections, lock timeout, shutdown,
crash, starting up, paused too long between two transactions."""
_POOLER_REFUSALS: Final = {
    "statement pooling": "the mirror needs transactions: set pool_mode to transaction or session in the pooler",
    "unsupported startup parameter": "take options out of TPMIRROR_DATABASE_URL, or name the server behind the pooler",
}
"""Remedies of PgBouncer's permanent errors, by its text: every error has one SQLSTATE, and none is translated."""
_CLIENT_REMEDIES: Final = {
    **_POOLER_REFUSALS,
    "connection refused": "check that the server runs and TPMIRROR_DATABASE_URL names it",
    "failed to resolve host": "check the host in TPMIRROR_DATABASE_URL",
    "no such table": "run tpmirror db upgrade",
}
"""Remedies by text of PgBouncer, the operating system, psycopg and SQLite: a server's locale translates none."""
_CONNECTION_REMEDY: Final = (
    "check that the server runs and has a connection left, and host, database, user and password of "
    "TPMIRROR_DATABASE_URL"
)
_POSTGRES_REMEDIES: Final = {
    "42501": "see docs/postgresql.md for what a role needs; migrations run as the tables' owner",
    "42P01": "check TPMIRROR_DATABASE_URL",
    "53100": "free some space where the server keeps its data; nothing half-written stays",
    "53300": "let the server, the database or the role have more connections",
}
_SQLITE_REMEDIES: Final = {
    sqlite3.SQLITE_BUSY: "another program holds a lock on the file; try again",
    sqlite3.SQLITE_READONLY: "check the permissions of the file and its folder",
    sqlite3.SQLITE_FULL: "free some space; nothing half-written stays",
    sqlite3.SQLITE_CANTOPEN: "check that the folder exists and may be written",
    sqlite3.SQLITE_NOTADB: "TPMIRROR_DATABASE_URL names a file that is something else",
}
RETRY_SECONDS: Final = 30.0
"""Seconds for which a lost transaction is retried."""
_CLOCK: Final = text("SELECT clock_timestamp()")


def parse_url(value: str) -> URL:
    """A database URL for SQLite or PostgreSQL.

    Raises UsageError; its message never repeats the value, which may hold a password.
    """
    remedy = "give a SQLAlchemy URL, for example sqlite:///tpmirror.db or postgresql://user@host/database"
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # a port that is no number may be part of a password
        message = f"TPMIRROR_DATABASE_URL is not a database URL; {remedy}"
        raise UsageError(message) from None
    lite = url.get_backend_name() == "sqlite"
    if "@" in (url.host or "") + ("" if lite else url.database or ""):  # else the host shows part of the password
        message = "TPMIRROR_DATABASE_URL has an @ too many; one in a user or password is written %40"
        raise UsageError(message)
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        message = f"TPMIRROR_DATABASE_URL names {url.drivername!r}, which tpmirror cannot use; {remedy}"
        raise UsageError(message)
    if lite and "uri" in url.query:  # the driver would open another file than the one create_file makes private
        message = "TPMIRROR_DATABASE_URL names a file by a URI; name it by its path: sqlite:///tpmirror.db"
        raise UsageError(message)
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def open_engine(database: Database | str, *, read_only: bool = False) -> Engine:
    """An engine with the session settings that the mirror relies on; a URL alone will do. Does not connect.

    ``read_only``: the engine's connections leave a SQLite file and its folder unchanged. Raises UsageError if URL,
    schema and password file contradict one another, or the file holds no password.
    """
    if isinstance(database, str):
        database = Database(database)
    url = parse_url(database.url)
    _check_parts(url, database)
    lite = url.get_backend_name() == "sqlite"
    connect_args: dict[str, Any] = {"timeout": sqlite.BUSY_SECONDS} if lite else dict(_POSTGRES_CONNECT)
    try:
        # hide_parameters: an error would otherwise repeat the values of its statement.
        engine = create_engine(
            url,
            connect_args=connect_args,
            execution_options={"tpmirror_schema": database.schema},
            hide_parameters=True,
            pool_pre_ping=not lite,
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        message = (
            "PostgreSQL needs psycopg 3; install tpmirror with its postgres extra: pip install 'tpmirror[postgres]'"
        )
        raise UsageError(message) from error
    except (ArgumentError, ValueError):
        message = "TPMIRROR_DATABASE_URL has parameters after its ? that are not what the driver expects"
        raise UsageError(message) from None
    file = file_of(engine)
    if file and read_only:
        sqlite.open_for_reading(engine, file)
    elif lite:
        event.listen(engine, "connect", sqlite.prepare)
    event.listen(engine, "begin", sqlite.begin if lite else _begin_postgres)
    if database.password_file is not None:
        _give_password(engine, database.password_file)
    if file:
        sqlite.follow(engine, file)
    return engine


def _check_parts(url: URL, database: Database) -> None:
    if url.get_backend_name() == "sqlite" and (database.schema or database.password_file):
        variable, what = ("SCHEMA", "schemas") if database.schema else ("PASSWORD_FILE", "passwords")
        message = f"TPMIRROR_DATABASE_{variable} is set, but TPMIRROR_DATABASE_URL names SQLite, which has no {what}"
        raise UsageError(f"{message}; unset one of them")
    if database.password_file is not None:
        if url.password is not None or "password" in url.query:
            message = (
                "TPMIRROR_DATABASE_URL holds a password, and TPMIRROR_DATABASE_PASSWORD_FILE is set; keep one of them"
            )
            raise UsageError(message)
        read_password(database.password_file)


def _give_password(engine: Engine, file: Path) -> None:
    """Read the password file at each connect: a rotated password would otherwise fail every later connection."""

    @event.listens_for(engine, "do_connect")
    def give(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["password"] = read_password(file)


@contextmanager
def connected(database: Database | str, *, read_only: bool = False) -> Iterator[Engine]:
    """An engine from ``open_engine``; the end of the block closes its connections."""
    engine = open_engine(database, read_only=read_only)
    try:
        yield engine
    finally:
        engine.dispose()


def file_of(engine: Engine) -> Path | None:
    """The SQLite file; None for one in memory and for PostgreSQL."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name and name != ":memory:" else None


def is_missing(engine: Engine) -> bool:
    """Whether the database is a SQLite file that does not exist yet; connecting would create it."""
    file = file_of(engine)
    return file is not None and not file.exists()


def refuse_missing_folder(engine: Engine) -> None:
    """Raise UsageError if the SQLite file's folder is missing: creating it would hide a mistyped path."""
    file = file_of(engine)
    if file is not None and not file.parent.is_dir():
        message = (
            f"there is no folder {str(file.parent)!r} for the database; create it, or correct TPMIRROR_DATABASE_URL"
        )
        raise UsageError(message)


def create_file(engine: Engine) -> None:
    """Create the SQLite file, readable by its owner alone: it holds personal data."""
    if is_missing(engine):
        refuse_missing_folder(engine)
        with translated(engine):
            os.close(os.open(str(engine.url.database), os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A read-only transaction: its statements see one snapshot, and the database refuses writes."""
    _refuse_missing(engine)
    with translated(engine), engine.connect() as conn, conn.begin():
        if engine.dialect.name == "postgresql":
            conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield conn
            return
        conn.exec_driver_sql("PRAGMA query_only=ON")
        try:
            yield conn
        finally:
            conn.exec_driver_sql(f"PRAGMA query_only={conn.info.get('read_only', 'OFF')}")
        if conn.info.get("without_locks") and conn.info["file"] != sqlite.identity(
            Path(str(engine.url.database)), conn.info
        ):
            message = f"{display(engine)} was written while it was read; try again"
            raise TransientDatabaseError(message)


def read(engine: Engine, work: Callable[[Connection], T], patience: float = RETRY_SECONDS) -> T:
    """Run ``work`` in one read-only transaction; for ``patience`` seconds retry it if its connection was lost."""

    def once() -> T:
        with reading(engine) as conn:
            return work(conn)

    return retry_transient(once, patience)


def write(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run ``work`` in one transaction that writes: all of it or nothing."""
    _refuse_missing(engine)
    with translated(engine), engine.connect().execution_options(tpmirror_writes=True) as conn, conn.begin():
        return work(conn)


def compact(engine: Engine) -> None:
    """Rewrite a SQLite file and empty its WAL, so that neither holds deleted or overwritten values any longer."""
    if engine.dialect.name == "sqlite":
        with translated(engine), engine.connect() as conn:
            driver: Any = conn.connection.dbapi_connection
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _refuse_missing(engine: Engine) -> None:
    if is_missing(engine):
        message = f"there is no database at {engine.url.database!r}; run tpmirror sync, or set TPMIRROR_DATABASE_URL"
        raise MirrorError(message)


def clock(conn: Connection) -> datetime:
    """The time on the database's clock, which all writers share (on SQLite, this machine's)."""
    if conn.dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = conn.execute(_CLOCK).scalar_one()
    return now


def retry_transient(work: Callable[[], T], patience: float = RETRY_SECONDS) -> T:
    """Run ``work``; retry it for ``patience`` seconds if its connection or transaction was lost.

    Half a minute outlasts a server's restart. ``work`` must be safe to run twice: the first COMMIT may have succeeded
    although its reply was lost.
    """
    return Retrying(
        retry=retry_if_exception_type(TransientDatabaseError),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=stop_after_delay(patience),
        reraise=True,
    )(work)


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into a MirrorError of one line, without values and passwords.

    TransientDatabaseError where a retry may help.
    """
    try:
        with interruptible():
            yield
    except (DBAPIError, OSError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        remedy = _remedy(error, cause, reason)
        message = f"cannot use the database {display(engine)}: {reason}{f'; {remedy}' if remedy else ''}"
        raise (TransientDatabaseError if _passes(error, cause) else MirrorError)(message) from error
    except SQLAlchemyError as error:
        message = f"cannot use the database {display(engine)}: {type(error).__name__}"
        raise MirrorError(message) from error


def _passes(error: Exception, cause: Any) -> bool:
    """Whether a retry may help, by exception class and SQLSTATE: the server's locale translates its messages."""
    if isinstance(cause, sqlite3.Error):
        return sqlite.is_locked(cause)
    if isinstance(cause, OSError):
        return isinstance(cause, FileNotFoundError)  # a SQLite file that is being replaced
    if any(refusal in str(cause) for refusal in _POOLER_REFUSALS):
        return False
    if getattr(error, "connection_invalidated", False) or _has_no_connection(error, cause):
        return not getattr(cause.pgconn, "needs_password", False)
    return cause.sqlstate in _PASSING_STATES or (cause.sqlstate or "").startswith("08")


def display(engine: Engine) -> str:
    """The mirror's location for people: its URL without password and query (that may hold one too), and its schema."""
    schema = schema_of(engine)
    return engine.url.set(query={}).render_as_string(hide_password=True) + (f", schema {schema}" if schema else "")


def _has_no_connection(error: Exception, cause: Any) -> bool:
    """Whether connecting failed or the connection was lost: psycopg then has no SQLSTATE, even for a refused login."""
    return isinstance(error, OperationalError) and cause.sqlstate is None


def _remedy(error: Exception, cause: Any, reason: str) -> str:
    """The remedy for a driver's error; empty where the reason suffices."""
    for text_of_a_client, remedy in _CLIENT_REMEDIES.items():
        if text_of_a_client in reason.lower():
            return remedy
    if isinstance(cause, sqlite3.Error):
        return _SQLITE_REMEDIES.get(sqlite.code_of(cause), "")
    if isinstance(cause, OSError):
        return _SQLITE_REMEDIES[sqlite3.SQLITE_FULL if cause.errno == ENOSPC else sqlite3.SQLITE_CANTOPEN]
    return _CONNECTION_REMEDY if _has_no_connection(error, cause) else _POSTGRES_REMEDIES.get(cause.sqlstate, "")


def _begin_postgres(conn: Connection) -> None:
    settings = _BEGIN_WRITING if conn.get_execution_options().get("tpmirror_writes") else _BEGIN
    # The search path is set per transaction too: a pooler does not keep a session's. It names this schema alone, or a
    # name that is missing here would resolve to another account's table.
    schema = schema_of(conn)
    path = f";SET LOCAL search_path TO {conn.dialect.identifier_preparer.quote_identifier(schema)}" if schema else ""
    conn.exec_driver_sql(f"{settings}{path}")


def schema_of(opened: Connection | Engine) -> str | None:
    """The schema set for the mirror; None where the role's search path decides, and on SQLite."""
    name: str | None = opened.get_execution_options().get("tpmirror_schema")
    return name
