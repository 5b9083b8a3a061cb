"""Many rows at once arrive as they were, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from sqlalchemy import Engine, select

from tpmirror.db import bulk, schema
from tpmirror.db.engine import read, write
from tpmirror.db.types import Row

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def job(job_id: int, **fields: object) -> Row:
    """A row with a value of every type."""
    values = {"id": job_id, "status": 2, "preview": True, "description": 'a "b" \\ ü 🎬', "cost_usd": Decimal("0.1000")}
    values |= {"grain": 0.1, "start_frame": 2**62, "started": NOON.astimezone(timezone(timedelta(hours=2)))}
    own = {"presence": "listed", "fingerprint": "f", "first_seen_at": NOON, "changed_at": NOON, "finished": None}
    return {**values, **own, **fields}


def jobs(engine: Engine, *names: str) -> list[Row]:
    wanted = select(*(schema.jobs.c[name] for name in names)).order_by(schema.jobs.c.id)
    return [dict(row) for row in read(engine, lambda conn: conn.execute(wanted).mappings().all())]


def test_every_value_comes_back_as_it_went(engine):
    rows = [job(1), job(2, preview=False, started=None, cost_usd=None, grain=-1e-300, finished=NOON)]
    write(engine, lambda conn: bulk.insert(conn, schema.jobs, rows))
    assert jobs(engine, *rows[0]) == rows
    assert str(jobs(engine, "cost_usd")[0]["cost_usd"]) == "0.1000"


def test_upsert_overwrites_rows_with_the_same_key_and_adds_the_others(engine):
    write(engine, lambda conn: bulk.insert(conn, schema.jobs, [job(1), job(2)]))
    write(engine, lambda conn: bulk.upsert(conn, schema.jobs, [job(2, description="new"), job(3)]))
    assert [row["id"] for row in jobs(engine, "id")] == [1, 2, 3]
    assert [row["description"] == "new" for row in jobs(engine, "description")] == [False, True, False]


def test_a_look_up_takes_any_number_of_keys(engine):
    write(engine, lambda conn: bulk.insert(conn, schema.jobs, [job(number) for number in range(1, 2001)]))
    ids = schema.jobs.c.id

    def found(keys: range) -> int:
        return len(read(engine, lambda conn: bulk.find(conn, [ids], ids, keys).all()))

    assert found(range(5, 100_000)) == 1996
    assert found(range(0)) == 0
