"""SQLite alone: connection settings, locks, reading a file without changing it, reconnecting when it is replaced."""

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
"""SQLite's busy timeout within ``BUSY_SECONDS``: Python handles signals only between two such waits."""
_IMMUTABLE: Final = "mode=ro&immutable=1"
"""URI parameters to read a file without locks and without its WAL; right only while no process writes it."""


def code_of(cause: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error that the driver itself raises."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


def prepare(connection: Any, _record: Any) -> None:
    """Give a new connection the settings that the mirror relies on."""
    # The driver's own transaction control commits before DDL and cannot say BEGIN IMMEDIATE: off, see begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    # WAL: readers never block the writer. While another connection switches the file to WAL, SQLite ignores the busy
    # timeout and fails at once.
    _while_locked(cursor.execute, "PRAGMA journal_mode=WAL")
    # FULL syncs at each commit: with NORMAL a power cut could take back a batch that was counted as stored.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # A statement that may fail half-way writes a statement journal thirty times its rows' size, by default to a file.
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()


def follow(engine: Engine, file: Path) -> None:
    """Reconnect when another file has replaced this one: an open connection would go on with the deleted file."""

    @event.listens_for(engine, "connect")
    def note(_connection: Any, record: Any) -> None:
        record.info["file"] = identity(file, record.info)

    @event.listens_for(engine, "checkout")
    def compare(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != identity(file, record.info):
            raise DisconnectionError


def identity(file: Path, info: Any) -> tuple[object, ...]:
    """Device and inode: they differ once another file has replaced this one.

    For a file read without locks also time, size and whether it has a WAL, which differ once it was written: SQLite
    would mix old and new pages.
    """
    state = file.stat()
    same = (state.st_dev, state.st_ino)
    return (*same, state.st_mtime_ns, state.st_size, _log_of(file).exists()) if info.get("without_locks") else same


def open_for_reading(engine: Engine, file: Path) -> None:
    """Make an engine's connections read-only: they change neither the file nor its folder."""

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
    """The URI mode in which SQLite leaves a file and its folder unchanged.

    A file in WAL mode needs a -wal and a -shm file beside it. Those of a running writer serve. Without them, SQLite
    creates and removes them if this user may write; if not, no writer is running, and the file is read as immutable.
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
    """Whether this user may write a SQLite file and its folder, where each writer creates the -wal and -shm files."""
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def _log_of(file: Path) -> Path:
    """The write-ahead log beside a file."""
    return file.with_name(f"{file.name}-wal")


def begin(conn: Connection) -> None:
    """Begin a transaction: one that writes takes the lock at once, or waits for it ``BUSY_SECONDS``."""
    if not conn.get_execution_options().get("tpmirror_writes"):
        conn.exec_driver_sql("BEGIN")
        return
    # IMMEDIATE waits for the lock; a deferred transaction that turns to writing fails at once instead. The wait is cut
    # into short ones, because no signal interrupts SQLite's own: Ctrl-C would have no effect for half a minute.
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
