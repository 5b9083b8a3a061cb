"""Migrations, from a checkout and from the installed package alike.

One transaction under a lock: the old schema or the new one, never something between, however many start at once. What
holds no data of its own is not migrated but rebuilt at each upgrade: views, triggers, comments, labels, the data
dictionary.
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
"""What the mirror consists of on PostgreSQL: views, tables, the triggers' function."""
_VIEWS_AND_TRIGGERS: Final = text(
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY type DESC, rowid"
)
"""On SQLite, the views first: a trigger may be on one."""
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
    """What others built on our views, in the way of an upgrade that has to drop one; none on SQLite."""
    return dependents(conn, _VIEWS, _OURS)


def differences(engine: Engine) -> list[str]:
    """What in the database is not as declared; empty when all is."""
    revision = current(engine)
    if revision != newest():
        return [
            f"the database is at revision {revision or 'none'}, this program needs {newest()}: run tpmirror db upgrade"
        ]
    with reading(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        found = [str(difference) for difference in compare_metadata(context, schema.metadata)]
        if not any(schema.data_dictionary.name in difference for difference in found):  # it says how all was defined
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
            describe(conn)  # and nothing is dropped that is as it should be
        else:
            _move(conn, revision, down=down)
        _check_keys(conn)


def _move(conn: Connection, revision: str, *, down: bool) -> None:
    """Migrate to another revision. Our views are out of the way meanwhile, unless somebody built on them."""
    with preserve_grants(conn, _VIEWS), _set_aside(conn):
        if down or not built_on_views(conn):
            drop_views(conn)
        _migrate(conn, revision, down=down)
        if current_of(conn) == newest():
            describe(conn)


@contextmanager
def _set_aside(conn: Connection) -> Iterator[None]:
    """Have no views and triggers of others on SQLite meanwhile: it alters no table while one reads what is not there.

    A trigger on what is gone in the end is gone with it.
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
    """SQLite changes a table by copying it, which foreign keys forbid; they are put off outside the transaction."""
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
    """On SQLite, BEGIN IMMEDIATE is the lock already."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL lock_timeout = '60s'"))
        # One for each schema: mirrors in one database do not wait for one another.
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(COALESCE(:schema, current_schema()), :key))")
        conn.execute(lock, {"schema": schema_of(conn), "key": LOCK})


def _create_schema(conn: Connection) -> None:
    """Create the schema that is set, unless it is there: IF NOT EXISTS needs the right to create all the same."""
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
    """Grant again, on those of our views that there are in the end, what was granted on them and their columns before.

    Not on others: they stay as they are, and who does not own them may not grant on them.
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
