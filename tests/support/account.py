"""A simulated account and the mirror of it: settings, one sync, and what the database holds afterwards."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import inspect, select, text

from tpmirror.config import Settings, load
from tpmirror.db import schema
from tpmirror.db.engine import open_engine
from tpmirror.formatting import to_plain
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.sync.full import sync

KEY: Final = "tpx-0123456789abcdef"
BOOKKEEPING: Final = frozenset({"sync_runs", "writer_lease"})
"""The only tables that a run changes when nothing has changed upstream."""


def environ(url: str, key: str = KEY, **options: object) -> dict[str, str]:
    """Variables for a client in a hurry; ``options`` are settings by field name."""
    named = {f"TPMIRROR_{name.upper()}": str(value) for name, value in options.items()}
    fast = {"TPMIRROR_MAX_RPS": "0", "TPMIRROR_RETRY_BASE": "0.01"}
    return {"TPMIRROR_API_URL": url, "TPMIRROR_API_KEY": key, **fast, **named}


def settings(simulator: Simulator, database_url: str = "sqlite://", **options: object) -> Settings:
    """Settings for this simulator and database."""
    return load({**environ(simulator.url, simulator.token, **options), "TPMIRROR_DATABASE_URL": database_url})


def mirror(simulator: Simulator, database_url: str, *, certify: bool = True, **options: object) -> dict[str, Any]:
    """One sync; the row of the run."""
    return sync(settings(simulator, database_url, **options), certify=certify)


@contextmanager
def connected(database_url: str) -> Iterator[Any]:
    """A connection for looking; nothing stays open."""
    engine = open_engine(database_url)
    try:
        with engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()


def rows(database_url: str, table: str, **equal: object) -> list[dict[str, Any]]:
    """Rows of a table with these values, in the order of its key, typed as the package reads them."""
    known = schema.metadata.tables[table]
    wanted = select(known).order_by(*known.primary_key.columns)
    for name, value in equal.items():
        wanted = wanted.where(known.c[name] == value)
    with connected(database_url) as conn:
        return [dict(row) for row in conn.execute(wanted).mappings()]


def row(database_url: str, table: str, **equal: object) -> dict[str, Any]:
    """The one row with these values."""
    (found,) = rows(database_url, table, **equal)
    return found


def query(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    """What a plain SQL user gets."""
    with connected(database_url) as conn:
        return [tuple(found) for found in conn.execute(text(statement))]


def tamper(database_url: str, *statements: str) -> None:
    """Change rows behind the mirror's back; each statement must find some."""
    with connected(database_url) as conn:
        for statement in statements:
            assert conn.execute(text(statement)).rowcount, statement
        conn.commit()


def postdate(database_url: str, days: float, *, after: int = 0) -> None:
    """Date every run after one so many days later, its certificate too: as if the clock had been ahead."""
    runs, later = schema.sync_runs, timedelta(days=days)
    with connected(database_url) as conn:
        for run in conn.execute(select(runs).where(runs.c.id > after)).mappings().all():
            proof = json.loads(run["certificate"] or "{}")
            if counted_at := proof.get("counted_at"):
                proof["counted_at"] = to_plain(datetime.fromisoformat(counted_at) + later)
            moved = {name: run[name] and run[name] + later for name in ("started_at", "finished_at")}
            values = {**moved, "certificate": run["certificate"] and json.dumps(proof)}
            conn.execute(runs.update().where(runs.c.id == run["id"]).values(values))
        conn.commit()


def dump(database_url: str) -> dict[str, list[str]]:
    """Every row of every table but the bookkeeping, as the driver hands it over."""
    with connected(database_url) as conn:
        names = set(inspect(conn).get_table_names()) - BOOKKEEPING
        return {
            name: sorted(repr(tuple(found)) for found in conn.execute(text(f"SELECT * FROM {name}")))
            for name in sorted(names)
        }


def pages(change: Callable[[dict[str, Any], Request], object], simulator: Simulator) -> None:
    """Let ``change`` distort each page of the list before it leaves."""

    def respond(request: Request) -> Response | None:
        if request.path != "/api/jobs/":
            return None
        honest = simulator.answer(request)
        if honest.status != 200:
            return honest
        page = json.loads(honest.body)
        change(page, request)
        return Response.json(200, page)

    simulator.respond = respond
