"""What only SQLite needs: its settings, its locks, and a file that is read without a trace, or replaced."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from tpmirror.errors import MirrorError

BUSY_SECONDS: Final = 30.0
"""Seconds to wait for another connection's lock on SQLite."""
_TURN_SECONDS: Final = 0.5
"""Seconds of that which SQLite waits by itself before a writer looks for signals."""
_IMMUTABLE: Final = "mode=ro&immutable=1"
"""How SQLite reads a file that nobody changes, without locks and without its log."""


def code_of(cause: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for what the driver itself refuses."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


def prepare(connection: Any, _record: Any) -> None:
    """Give a new connection the settings that the mirror relies on."""
    # The driver's own transaction control commits before DDL and cannot say BEGIN IMMEDIATE: off, see begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    # WAL: readers never block the writer. While another connection makes the file so, SQLite refuses at once, whatever
    # the busy timeout.
    _while_locked(cursor.execute, "PRAGMA journal_mode=WAL")
    # FULL: one commit a batch, so a power cut must not take it back.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # A statement that may fail half-way notes the pages it touches: thirty times its rows, else in a temporary file.
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def follow(engine: Engine, file: Path) -> None:
    """Open the file anew when another one lies in its place: an open connection would go on with what was deleted."""

    @event.listens_for(engine, "connect")
    def note(_connection: Any, record: Any) -> None:
        record.info["file"] = identity(file, record.info)

    @event.listens_for(engine, "checkout")
    def compare(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != identity(file, record.info):
            raise DisconnectionError


def identity(file: Path, info: Any) -> tuple[object, ...]:
    """What is different once another file lies in a file's place.

    Of one that is read without locks, once it was written, too: SQLite would read old pages and new ones together.
    """
    state = file.stat()
    same = (state.st_dev, state.st_ino)
    return (*same, state.st_mtime_ns, state.st_size, _log_of(file).exists()) if info.get("without_locks") else same


def open_for_reading(engine: Engine, file: Path) -> None:
    """Let the connections of an engine change nothing: neither the file nor what lies beside it."""

    @event.listens_for(engine, "do_connect")
    def address(_dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        mode = _reading_mode(file)
        record.info["without_locks"] = mode == _IMMUTABLE
        arguments[:] = [f"{file.absolute().as_uri()}?{mode}"]
        options["uri"] = True

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        record.info["read_only"] = "ON"


def _reading_mode(file: Path) -> str:
    """How SQLite has to open a file to leave no trace.

    In WAL mode it wants two files beside it. Where a writer has them there, they serve. Where nobody does, SQLite makes
    them and takes them away, if it may write; if it may not, nobody else is at it, and it can do without.
    """
    log = _log_of(file)
    if is_writable(file):
        return "mode=ro" if log.exists() else "mode=rw"
    if not log.exists() or not log.stat().st_size:
        return _IMMUTABLE
    if not file.with_name(f"{file.name}-shm").exists():
        message = f"{log} holds changes that cannot be read here; copy it and {file} to a folder that may be written"
        raise MirrorError(message)
    return "mode=ro"


def is_writable(file: Path) -> bool:
    """Whether this user may write a SQLite file, and beside it, as each writer has to."""
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def _log_of(file: Path) -> Path:
    """The write-ahead log beside a file."""
    return file.with_name(f"{file.name}-wal")


def begin(conn: Connection) -> None:
    """Begin a transaction: one that writes takes the lock at once, or waits for it ``BUSY_SECONDS``."""
    if not conn.get_execution_options().get("tpmirror_writes"):
        conn.exec_driver_sql("BEGIN")
        return
    # IMMEDIATE waits for the lock; a deferred transaction that turns to writing fails at once instead. In short turns,
    # because no signal interrupts SQLite while it waits: Ctrl-C would have no effect for half a minute.
    driver: Any = conn.connection.dbapi_connection
    driver.execute(f"PRAGMA busy_timeout={round(1000 * _TURN_SECONDS)}")
    try:
        _while_locked(conn.exec_driver_sql, "BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout={round(1000 * BUSY_SECONDS)}")


def _while_locked(execute: Callable[[str], object], statement: str) -> None:
    """Execute a statement on SQLite, again while another connection has the lock, for ``BUSY_SECONDS``."""
    Retrying(
        retry=retry_if_exception(is_locked),
        wait=wait_random(0.01, 0.1),
        stop=stop_after_delay(BUSY_SECONDS),
        reraise=True,
    )(execute, statement)


def is_locked(error: BaseException) -> bool:
    """Whether another connection has the lock, from the driver's error or SQLAlchemy's."""
    cause = getattr(error, "orig", None) or error
    return isinstance(cause, sqlite3.Error) and code_of(cause) == sqlite3.SQLITE_BUSY
