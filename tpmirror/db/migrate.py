"""Alembic migrations, from a checkout and from the installed package alike.

A migration is one transaction under a lock, so concurrent upgrades leave either the old schema or the new one. Views,
triggers, comments, labels and the data dictionary hold no data of their own: each upgrade rebuilds them instead of
migrating them.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.schema import CreateSchema

from tpmirror.db import lease, schema
from tpmirror.db.dependents import dependents, refuse_dependents
from tpmirror.db.dictionary import altered, describe
from tpmirror.db.engine import create_file, reading, schema_of, translated
from tpmirror.db.guards import guards
from tpmirror.db.revision import SCRIPTS, current, current_of, known, newest, refuse_newer
from tpmirror.db.server import refuse_encoding
from tpmirror.db.views import drop_views, sources
from tpmirror.errors import MirrorError, UsageError

LOCK: Final = 0x74706D6972726F72
"""Seed of PostgreSQL's advisory lock around migrations of a schema: "tpmirror" in ASCII."""
_VIEWS: Final = sources("postgresql")
_OURS: Final = (*_VIEWS, *schema.metadata.tables, "tpmirror_refuse_change")
"""The mirror's objects on PostgreSQL: views, tables, the triggers' function."""
_VIEWS_AND_TRIGGERS: Final = text(
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY type DESC, rowid"
)
"""SQLite's, the views first: a trigger on a view is created after it."""
_GRANTED = text("""
SELECT c.relname, t.attname, a.privilege_type, a.is_grantable,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
FROM pg_class AS c
JOIN (
  SELECT oid AS relid, NULL::name AS attname, relacl AS acl FROM pg_class
  UNION ALL SELECT attrelid, attname, attacl FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
) AS t ON t.relid = c.oid
CROSS JOIN aclexplode(t.acl) AS a
WHERE c.relkind = 'v' AND c.relname::text = ANY(:ours) AND c.relnamespace = quote_ident(current_schema())::regnamespace
  AND a.grantee <> c.relowner
""")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; create it if there is none.

    Raises MirrorError if the database is newer than this program, UsageError for an unknown revision.
    """
    create_file(engine)
    _run(engine, revision, down=False)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to ``revision``; ``base`` drops every table.

    Raises LeaseHeld if a writer is at work.
    """
    with reading(engine):
        pass
    _run(engine, revision, down=True)


def built_on_views(conn: Connection) -> list[str]:
    """Users' objects that depend on the mirror's views and block an upgrade that drops one; none on SQLite."""
    return dependents(conn, _VIEWS, _OURS)


def differences(engine: Engine) -> list[str]:
    """Differences between the database and the declared tables, views and triggers; empty without any."""
    revision = current(engine)
    if revision != newest():
        return [
            f"the database is at revision {revision or 'none'}, this program needs {newest()}: run tpmirror db upgrade"
        ]
    with reading(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        found = [str(difference) for difference in compare_metadata(context, schema.metadata)]
        if not any(schema.data_dictionary.name in difference for difference in found):  # altered() reads it
            found += [one.finding for one in altered(conn)]
        return found


def _run(engine: Engine, revision: str, *, down: bool) -> None:
    with (
        translated(engine),
        engine.connect().execution_options(tpmirror_writes=True) as conn,
        _unkeyed(conn),
        conn.begin(),
    ):
        refuse_encoding(conn)
        _lock(conn)
        if not down:
            _create_schema(conn)
        found = current_of(conn)
        if found is not None:
            refuse_newer(found)
            if down:
                _exclude_writers(conn)
        if down and revision == "base":
            refuse_dependents(conn, _OURS, _OURS)
        if found == newest() and revision in {"head", newest()}:
            describe(conn)  # drops no view that is as declared
        else:
            _move(conn, revision, down=down)
        _check_keys(conn)


def _move(conn: Connection, revision: str, *, down: bool) -> None:
    """Migrate to another revision, with the mirror's views dropped; an upgrade keeps them if users' views need them."""
    with preserve_grants(conn, _VIEWS), _set_aside(conn):
        if down or not built_on_views(conn):
            drop_views(conn)
        _migrate(conn, revision, down=down)
        if current_of(conn) == newest():
            describe(conn)


@contextmanager
def _set_aside(conn: Connection) -> Iterator[None]:
    """On SQLite, drop users' views and triggers for the block, and create them again after it.

    SQLite refuses ALTER TABLE while a view or trigger names a missing relation. A trigger is not created again if its
    table or view no longer exists.
    """
    if conn.dialect.name != "sqlite":
        yield
        return
    ours = {*_OURS, *(guard.name for guard in guards("sqlite"))}
    found = [row for row in conn.execute(_VIEWS_AND_TRIGGERS) if row.name not in ours]
    for kind, name, _, _ in reversed(found):
        conn.exec_driver_sql(f"DROP {kind} IF EXISTS {conn.dialect.identifier_preparer.quote(name)}")
    yield
    for kind, _, on, statement in found:
        if kind == "view" or inspect(conn).has_table(on):
            conn.exec_driver_sql(statement)


@contextmanager
def _unkeyed(conn: Connection) -> Iterator[None]:
    """Switch SQLite's foreign keys off: migrations copy and drop tables. In a transaction the PRAGMA has no effect."""
    driver: Any = conn.connection.dbapi_connection if conn.dialect.name == "sqlite" else None
    if driver is not None:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        if driver is not None:
            driver.execute("PRAGMA foreign_keys=ON")


def _migrate(conn: Connection, revision: str, *, down: bool) -> None:
    config = _config()
    config.attributes["connection"] = conn
    try:
        (command.downgrade if down else command.upgrade)(config, revision)
    except CommandError as error:
        message = f"cannot migrate to {revision!r}: {error}; revisions: {', '.join(known())}, base, head"
        raise UsageError(message) from error


def _lock(conn: Connection) -> None:
    """Take PostgreSQL's advisory lock on migrations; on SQLite BEGIN IMMEDIATE already excludes other writers."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL lock_timeout = '60s'"))
        # One lock for each schema, so that mirrors in one database do not wait for one another.
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(COALESCE(:schema, current_schema()), :key))")
        conn.execute(lock, {"schema": schema_of(conn), "key": LOCK})


def _create_schema(conn: Connection) -> None:
    """Create the configured schema if it is missing: IF NOT EXISTS needs the right to create even where it exists."""
    if (name := schema_of(conn)) and not inspect(conn).has_schema(name):
        conn.execute(CreateSchema(name))


def _exclude_writers(conn: Connection) -> None:
    """Raise LeaseHeld if a writer is at work. The lease's row stays locked until the commit, so none can begin."""
    with lease.holding() as holder:
        lease.acquire(conn, holder).release(conn)


def _check_keys(conn: Connection) -> None:
    if conn.dialect.name == "sqlite" and (broken := conn.execute(text("PRAGMA foreign_key_check")).first()):
        message = (
            f"the migration would leave rows of {broken[0]} without their rows of {broken[2]}; nothing was changed"
        )
        raise MirrorError(message)


def _config() -> Config:
    """Alembic's settings without a file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def preserve_grants(conn: Connection, ours: Collection[str]) -> Iterator[None]:
    """Restore the grants on the views ``ours`` and their columns, for those that still exist after the block.

    Other views are left alone: PostgreSQL lets only their owner grant on them.
    """
    if conn.dialect.name != "postgresql":
        yield
        return
    before = conn.execute(_GRANTED, {"ours": list(ours)}).all()
    yield
    kept = set(conn.execute(_GRANTED, {"ours": list(ours)}).all())
    granted = [grant for grant in before if grant not in kept]
    there = inspect(conn)
    names = set(there.get_view_names())
    columns = {name: {column["name"] for column in there.get_columns(name)} for name, *_ in granted if name in names}
    quote = conn.dialect.identifier_preparer.quote
    for view, column, privilege, grantable, grantee in granted:
        if view in columns and (column is None or column in columns[view]):
            which = f" ({quote(column)})" if column else ""
            more = " WITH GRANT OPTION" if grantable else ""
            conn.exec_driver_sql(f"GRANT {privilege}{which} ON {quote(view)} TO {grantee}{more}")
