"""Times and money are the same values on both databases, in Python and in plain SQL."""

import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text

from tpmirror.db.engine import open_engine
from tpmirror.db.types import Double, Id, Money, Timestamp

metadata = MetaData()
table = Table(
    "things",
    metadata,
    Column("id", Id, primary_key=True),
    Column("moment", Timestamp),
    Column("money", Money),
    Column("real", Double),
    Column("n", Integer),
)


@pytest.fixture
def conn(database_url):
    engine = open_engine(database_url)
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def stored(conn, name, value):
    """The value after a trip to the database and back."""
    conn.execute(insert(table), {name: value})
    return conn.execute(select(table.c[name]).order_by(table.c.id.desc()).limit(1)).scalar_one()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 9, 30, 0, 1, tzinfo=UTC),
        datetime(2200, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 11, 1, 2, 15, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_a_moment_comes_back_as_the_same_moment_in_utc(conn, moment):
    found = stored(conn, "moment", moment)
    assert found == moment
    assert found.utcoffset() == timedelta(0)
    assert found.tzinfo is UTC


def test_a_time_without_zone_is_refused(conn):
    with pytest.raises(Exception, match="without zone"):
        stored(conn, "moment", datetime(2026, 11, 1))  # noqa: DTZ001 - that it is naive is the point


def test_moments_sort_and_compare_as_moments(conn):
    start = datetime(2026, 11, 1, tzinfo=UTC)
    moments = [start + timedelta(microseconds=step) for step in (0, 1, 999_999, 1_000_000, 3_600_000_000)]
    conn.execute(insert(table), [{"moment": moment} for moment in reversed(moments)])
    assert list(conn.execute(select(table.c.moment).order_by(table.c.moment)).scalars()) == moments
    assert conn.execute(text("SELECT COUNT(*) FROM things WHERE moment > '2026-11-01 00:00:00.5+00:00'")).scalar() == 3


def test_dates_of_moments_are_right_in_plain_sql(conn, dialect):
    stored(conn, "moment", datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC))
    day = "date(moment)" if dialect == "sqlite" else "CAST(moment AT TIME ZONE 'UTC' AS date)"
    assert str(conn.execute(text(f"SELECT {day} FROM things")).scalar()) == "2026-11-01"
    past = "datetime('now', '+100 years')" if dialect == "sqlite" else "now() + interval '100 years'"
    assert conn.execute(text(f"SELECT COUNT(*) FROM things WHERE moment < {past}")).scalar() == 1


@pytest.mark.parametrize("amount", ["0.0000", "0.1000", "-0.0001", "999999.9999", "-999999.9999", "3.0000", "0.3000"])
def test_money_comes_back_to_the_last_digit(conn, amount):
    found = stored(conn, "money", Decimal(amount))
    assert (type(found), str(found)) == (Decimal, amount)


def test_any_amount_comes_back_and_adds_up_exactly(conn):
    chance = random.Random(1)
    amounts = [Decimal(chance.randrange(-(10**10) + 1, 10**10)) / 10000 for _ in range(2000)]
    conn.execute(insert(table), [{"n": number, "money": amount} for number, amount in enumerate(amounts)])
    assert list(conn.execute(select(table.c.money).order_by(table.c.n)).scalars()) == amounts
    total = conn.execute(text("SELECT SUM(money) FROM things")).scalar()
    assert Decimal(str(total)).quantize(Decimal("0.0001")) == sum(amounts)


def test_money_divides_and_compares_as_money(conn):
    stored(conn, "money", Decimal("3.0000"))
    assert float(conn.execute(text("SELECT money / 2 FROM things")).scalar()) == 1.5
    assert conn.execute(text("SELECT COUNT(*) FROM things WHERE money = 3 AND money < 10")).scalar() == 1


def test_null_stays_null(conn):
    assert [stored(conn, name, None) for name in ("moment", "money", "real")] == [None, None, None]


@pytest.mark.parametrize("number", [0.0, 0.1, 1e300, 5e-324, 23.976, 2.0])
def test_reals_come_back_bit_by_bit(conn, number):
    found = stored(conn, "real", number)
    assert (type(found), found) == (float, number)


def test_keys_hold_63_bits(conn):
    conn.execute(insert(table), {"id": 2**63 - 1})
    assert conn.execute(select(table.c.id)).scalar_one() == 2**63 - 1
