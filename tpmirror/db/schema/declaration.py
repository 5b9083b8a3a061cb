"""MetaData and column constructors for every table: ``api`` for upstream's values, ``own`` for the mirror's."""

from typing import Any, Final

from sqlalchemy import Column, Index, MetaData, Text, TextClause

from tpmirror.db.types import Id, Timestamp

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def api(name: str, type_: Any, comment: str, *args: Any, path: str | None = None, **flags: bool) -> Column[Any]:
    """A column of upstream's; ``path``: where in the table's API object, by default ``name``. Flags: volatile, url."""
    return Column(name, type_, *args, comment=comment, nullable=True, info={"api": path or name, **flags})


def own(name: str, type_: Any, comment: str, *args: Any, **options: Any) -> Column[Any]:
    """A column whose values the mirror makes itself."""
    return Column(name, type_, *args, comment=comment, **{"nullable": False, **options})


def key(comment: str, *args: Any) -> Column[Any]:
    """The column ``id`` with upstream's number."""
    return Column("id", Id, *args, primary_key=True, autoincrement=False, comment=comment, info={"api": "id"})


def seen() -> tuple[Column[Any], ...]:
    """The mirror's own columns in every table of upstream objects."""
    return (
        own("extra", Text, "JSON object of the keys upstream sent that have no column; null when none", nullable=True),
        own("first_seen_at", Timestamp, "when the mirror first saw this row (UTC)"),
        own("changed_at", Timestamp, "when the mirror last saw a column of this row change (UTC)"),
    )


def partial_index(name: str | None, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """A partial index, with its condition in ``info``; a migration creates it.

    ``postgresql_where`` would import the PostgreSQL dialect and its drivers at the start of each command on SQLite.
    """
    return Index(name, *columns, unique=unique, info={"where": where})
