"""The two databases: fresh ones, what they cost, what was written to them."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

import psycopg

from benchmarks.process import Cost, family_cpu
from tests.support.postgres import Postgres

UNCOUNTED: Final = "writer_lease"
"""Not data: the row by which writers exclude one another."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a database at a moment, to be compared with a later one."""

    cpu: float
    written: int
    rows: int


class Sqlite:
    """Files in a temporary folder. SQLite works within the client: its processor time is the client's."""

    name = "SQLite"

    def __enter__(self) -> Self:
        self._home = Path(tempfile.mkdtemp(prefix="tpm-bench-"))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        shutil.rmtree(self._home)

    def fresh(self, name: str) -> str:
        """The URL of an empty database."""
        for file in self._home.glob(f"{name}*"):
            file.unlink()
        return f"sqlite:///{self._home / name}.db"

    def settle(self, url: str) -> None:
        """Nothing works in the background."""

    def cpu(self) -> float:
        """None besides the client's."""
        return 0

    def mark(self, url: str) -> Mark:
        """Keep a copy to compare with."""
        path = Path(url.removeprefix("sqlite:///"))
        shutil.copyfile(path, path.with_suffix(".before"))
        return Mark(0, 0, 0)

    def since(self, url: str, _mark: Mark, cost: Cost) -> Mark:
        """What happened since: rows that are new or other than before."""
        path = Path(url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path)) as conn:
            conn.execute("ATTACH ? AS before", [str(path.with_suffix(".before"))])
            names = conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> ?", [UNCOUNTED])
            rows = sum(
                conn.execute(f"SELECT count(*) FROM (SELECT * FROM main.{name} EXCEPT SELECT * FROM before.{name})")
                .fetchone()[0]
                for (name,) in names.fetchall()
            )  # fmt: skip
        return Mark(0, cost.written, rows)


class PostgreSQL:
    """One server, started for the benchmark; it waits for the disk as a real one does."""

    name = "PostgreSQL"

    def __enter__(self) -> Self:
        self._server = Postgres(fsync=True).__enter__()
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as conn:
            # Its work would fall into whatever is measured at that moment.
            conn.execute("ALTER SYSTEM SET autovacuum = off")
            conn.execute("SELECT pg_reload_conf()")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.__exit__(kind, error, at)

    def fresh(self, name: str) -> str:
        """The URL of an empty database."""
        self._server.drop(name)
        self._server.create(name)
        return self._server.url(name)

    def settle(self, url: str) -> None:
        """What the server does at times by itself, now, when nobody measures; nobody vacuums tables without a row."""
        with psycopg.connect(self._dsn(url), autocommit=True) as conn:
            if conn.execute("SELECT 1 FROM jobs LIMIT 1").fetchone():
                conn.execute("VACUUM ANALYZE")
            conn.execute("CHECKPOINT")

    def mark(self, url: str) -> Mark:
        """The counters as they are."""
        with psycopg.connect(self._dsn(url), autocommit=True) as conn:
            conn.execute("SELECT pg_stat_force_next_flush()")
            written = conn.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
            rows = conn.execute(
                "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables "
                "WHERE relname <> %s AND schemaname = 'public'", [UNCOUNTED]
            ).fetchone()  # fmt: skip
        assert written is not None
        assert rows is not None
        return Mark(self.cpu(), written[0], rows[0])

    def since(self, url: str, mark: Mark, _cost: Cost) -> Mark:
        """What happened since: rows inserted, updated, deleted; bytes of the write-ahead log."""
        cpu, now = self.cpu(), self.mark(url)
        return Mark(cpu - mark.cpu, now.written - mark.written, now.rows - mark.rows)

    def cpu(self) -> float:
        """Processor seconds of the server so far."""
        postmaster = (self._server.home / "data" / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0]
        return family_cpu(int(postmaster))

    def _dsn(self, url: str) -> str:
        return f"host={self._server.home} user=postgres dbname={url.rpartition('@/')[2].partition('?')[0]}"


Database: TypeAlias = Sqlite | PostgreSQL
