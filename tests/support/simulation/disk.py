"""What lies between the package and its database: faults, lost acknowledgements, pauses, death at each call."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final
from unittest.mock import patch

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from tests.support.simulation.machine import Machine, Process

PASSING: Final = ("database is locked", sqlite3.SQLITE_BUSY)
LASTING: Final = (
    ("database or disk is full", sqlite3.SQLITE_FULL), ("disk I/O error", sqlite3.SQLITE_IOERR),
    ("attempt to write a readonly database", sqlite3.SQLITE_READONLY),
)  # fmt: skip
WRITES: Final = re.compile(
    r"(INSERT INTO|UPDATE|DELETE FROM) (jobs|\w+_videos|job_status_history|field_changes|sync_runs)\b"
)
"""Statements on what is mirrored; migrations have a lock of their own."""


class Disk:
    """Stands at every statement and commit of every process. ``fault``: how likely one goes wrong."""

    def __init__(self, machine: Machine, rng: Random, struck: Callable[[], object]) -> None:
        self.machine = machine
        self.rng = rng
        self.fault = 0.0
        self.pause = 0.0
        self.wrong: list[str] = []
        """Commits of a process that did not hold the lease."""
        self._struck = struck
        self._wrote: set[Process] = set()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Watch every engine of this process."""
        commit = DefaultDialect.do_commit
        event.listen(Engine, "before_cursor_execute", self._statement)
        try:
            with patch.object(DefaultDialect, "do_commit", lambda dialect, conn: self._commit(conn, commit, dialect)):
                yield
        finally:
            event.remove(Engine, "before_cursor_execute", self._statement)

    def _statement(self, conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        process = self.machine.process
        if process is None:
            return
        if statement == "BEGIN IMMEDIATE" and self.rng.random() < self.pause:
            # Stopped between two transactions.
            self.machine.sleep(self.rng.choice([1, 100, 1000, 10_000]))
        self.machine.touch()
        self._strike(process, conn.connection.dbapi_connection)
        if WRITES.match(statement):
            self._wrote.add(process)

    def _commit(self, conn: Any, commit: Callable[..., None], dialect: Any) -> None:
        process = self.machine.process
        if process is None:
            commit(dialect, conn)
            return
        self.machine.touch()
        self._strike(process, conn.dbapi_connection)
        if process in self._wrote:
            self._wrote.discard(process)
            self._check_holder(conn, process)
        commit(dialect, conn)
        self.machine.touch()
        if self._strike(process, conn.dbapi_connection):
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    def _strike(self, process: Process, driver: Any) -> bool:
        """Let the call that comes next go wrong, perhaps; whether it was the one before whose answer is lost."""
        planned = process.touches == process.strike
        if not planned and self.rng.random() >= self.fault:
            return False
        self._struck()
        if isinstance(driver, sqlite3.Connection):
            text, code = PASSING if planned or self.rng.random() < 0.9 else self.rng.choice(LASTING)
            error = sqlite3.OperationalError(text)
            error.sqlite_errorcode = code
            raise error
        driver.close()
        return True

    def _check_holder(self, conn: Any, process: Process) -> None:
        """Of what is about to be committed: the lease must be this process's own, in the same transaction."""
        cursor = conn.cursor()
        try:
            cursor.execute("SELECT holder FROM writer_lease")
            holder = (cursor.fetchone() or [""])[0] or ""
        except sqlite3.OperationalError:
            holder = ""  # the tables are just being made
        finally:
            cursor.close()
        if holder and holder.rpartition("|")[2] != f"{process.number:08d}":
            self.wrong.append(f"process {process.number} wrote while {holder} held the lease")
