"""Column types that hold the same values on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    Integer,
    Numeric,
    Text,
    cast,
    func,
    type_coerce,
)
from sqlalchemy import Double as _Double
from sqlalchemy.types import TypeDecorator, TypeEngine

Row: TypeAlias = dict[str, Any]
"""A row of a table or view: values by column name."""

Id: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key; INTEGER on SQLite, where only an INTEGER PRIMARY KEY is the table's rowid."""

Double: Final[TypeEngine[float]] = _Double().with_variant(Float(), "sqlite")
"""A double; FLOAT on SQLite."""

CENT_OF_CENT: Final = Decimal("0.0001")
"""The unit of money: upstream states ``cost_usd`` with four decimals."""


@lru_cache(maxsize=1000)  # the rows of a page share their timestamps
def _text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(" ", "microseconds")


class Timestamp(TypeDecorator[datetime]):
    """A moment in UTC: ``timestamptz``; on SQLite text of fixed width, ``2026-11-01 09:30:00.000000+00:00``.

    SQLAlchemy's own type drops the offset on SQLite. The space, not a T, keeps comparison with ``datetime('now')``
    right, and the fixed width makes order of text the order of time. Naive values are refused: they mean a bug.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC; ValueError for a time without zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"time without zone: {value!r}"
            raise ValueError(message)
        return _text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """As an aware datetime in UTC."""
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class Exact(TypeDecorator[Decimal]):
    """``numeric(precision, scale)``; on SQLite REAL. Values read are rounded to ``scale`` decimals on both.

    A double keeps fifteen digits, so sums of money up to a hundred billion Credits are read exactly.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision, self.scale = precision, scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """REAL on SQLite: NUMERIC would turn 3.0000 into a whole number, and dividing those truncates."""
        lite = dialect.name == "sqlite"
        return dialect.type_descriptor(Float(asdecimal=False) if lite else Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """To a double on SQLite."""
        return float(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """As a decimal of ``scale`` places, halves away from zero as PostgreSQL rounds."""
        if value is None:
            return None
        exact = Decimal(repr(value) if isinstance(value, float) else value)
        return exact.quantize(Decimal(1).scaleb(-self.scale), ROUND_HALF_UP)


class Money(Exact):
    """``numeric(10,4)``; on SQLite REAL.

    Ten digits fit a double's fifteen, so a value read back and rounded to four decimals equals the value sent. In SQL,
    comparison, order, division and SUM work as on numbers, which they would not on text or on integers of units.
    """

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(10, 4)


class Units(TypeDecorator[Decimal]):
    """Ten-thousandths of a Credit in the database, Credits when they are read."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """As Credits, exact."""
        return None if value is None else value * CENT_OF_CENT


def credits_of(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The exact sum of a column of money, as integers of ten-thousandths: SQLite's SUM of doubles rounds."""
    return from_units(func.coalesce(func.sum(cast(func.round(column * 10000), BigInteger)), 0))


def from_units(number: ColumnElement[Any]) -> ColumnElement[Any]:
    """Ten-thousandths, read as Credits."""
    return type_coerce(cast(number, BigInteger), Units())
