"""The floor: the same pages, fetched with the standard library and decoded typed; the same rows, prebuilt, in bulk.

No fingerprints, no comparison, no history worked out, no lease, no retries, no deadline: what is left is what nobody
can save. Rows come from the mirror that was just written. Neither loading them nor the start of Python is counted.
"""

import gc
import json
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, Final

import msgspec

from tpmirror.tensorpix.models import Job

Rows = list[tuple[Any, ...]]

FRESH: Final = {
    "sync_runs": "id = (SELECT max(id) FROM sync_runs)",
    **dict.fromkeys(("input_videos", "output_videos", "ml_models", "jobs"), "changed_at >= {since}"),
    "job_ml_models": "job_id IN (SELECT id FROM jobs WHERE first_seen_at >= {since})",
    "job_status_history": "sync_run_id = (SELECT max(id) FROM sync_runs)",
    "field_changes": "sync_run_id = (SELECT max(id) FROM sync_runs)",
}
"""What the last run wrote, in the order of the foreign keys."""
SINCE: Final = "(SELECT max(started_at) FROM sync_runs)"


class Page(msgspec.Struct):
    """A page of the list."""

    count: int
    results: list[Job]


def main(origin: str, source: str, target: str, *, write: bool) -> None:
    """Fetch the targets named on stdin, decode them, write the rows; print what that cost."""
    targets, prepare = json.load(sys.stdin), _sqlite if source.startswith("sqlite") else _postgres
    store: Callable[[], None] = prepare(source, target) if write else lambda: None
    gc.collect()
    gc.freeze()
    cpu, wall = time.process_time(), time.monotonic()
    fetch(origin, targets)
    store()
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall}))


def fetch(origin: str, targets: Iterable[str]) -> None:
    """All the pages, one after the other over one connection: more at once cost more."""
    page, job = msgspec.json.Decoder(Page), msgspec.json.Decoder(Job)
    headers = {"authorization": "Token benchmark", "accept-encoding": "gzip"}
    with closing(HTTPConnection(origin.removeprefix("http://"))) as connection:
        for target in targets:
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as response:
                assert response.status == 200, target
                body, is_packed = response.read(), response.headers["content-encoding"] == "gzip"
            plain = zlib.decompress(body, zlib.MAX_WBITS | 16) if is_packed else body
            (page if "?" in target else job).decode(plain)


def _sqlite(source: str, target: str) -> Callable[[], None]:
    found: list[tuple[str, list[str], Rows]] = []
    with closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as conn:
        for name, fresh in FRESH.items():
            cursor = conn.execute(f"SELECT * FROM {name} WHERE {fresh.format(since=SINCE)}")
            found.append((name, [column[0] for column in cursor.description], cursor.fetchall()))

    def store() -> None:
        with closing(sqlite3.connect(target.removeprefix("sqlite:///"))) as conn, conn:
            conn.execute("BEGIN IMMEDIATE")
            for name, columns, rows in found:
                keys = [row[1] for row in conn.execute(f"PRAGMA table_info({name})") if row[5]]
                marks = ", ".join("?" * len(columns))
                insert = f"INSERT INTO {name} VALUES ({marks}) ON CONFLICT ({', '.join(keys)}) {_update(columns, keys)}"
                conn.executemany(insert, rows)

    return store


def _postgres(source: str, target: str) -> Callable[[], None]:
    import psycopg  # noqa: PLC0415 - only where it is needed, as in tpmirror

    found: list[tuple[str, list[str], Rows]] = []
    with psycopg.connect(_dsn(source)) as conn:
        for name, fresh in FRESH.items():
            cursor = conn.execute(f"SELECT * FROM {name} WHERE {fresh.format(since=SINCE)}")
            found.append((name, [column.name for column in cursor.description or ()], cursor.fetchall()))

    def store() -> None:
        with psycopg.connect(_dsn(target)) as conn:
            there = conn.execute("SELECT 1 FROM jobs LIMIT 1").fetchone()
            for name, columns, rows in found:
                place = f"new_{name}" if there else name
                if there:
                    conn.execute(f"CREATE TEMP TABLE {place} (LIKE {name}) ON COMMIT DROP")
                with conn.cursor() as cursor, cursor.copy(f"COPY {place} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                if there:
                    keys = ["job_id", "position"] if name == "job_ml_models" else ["id"]
                    keys = ["job_id", "seq"] if name == "job_status_history" else keys
                    names = ", ".join(columns)
                    insert = f"INSERT INTO {name} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {place}"
                    conn.execute(f"{insert} ON CONFLICT ({', '.join(keys)}) {_update(columns, keys)}")

    return store


def _update(columns: list[str], keys: list[str]) -> str:
    others = [name for name in columns if name not in keys]
    return "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in others)


def _dsn(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


if __name__ == "__main__":
    main(*sys.argv[1:4], write=sys.argv[4] == "write")
