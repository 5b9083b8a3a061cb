"""Checks of a PostgreSQL server: its encoding, a pooler before it, connections left, the right to migrate."""

from typing import Any, Final

from sqlalchemy import Connection, text

from tpmirror.db.engine import schema_of
from tpmirror.errors import MirrorError

_LEFT: Final = text("""
SELECT LEAST(
  CAST(current_setting('max_connections') AS int) - (SELECT SUM(numbackends) FROM pg_stat_database)
    - CASE WHEN r.rolsuper THEN 0 ELSE CAST(current_setting('superuser_reserved_connections') AS int) END,
  CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper
    THEN d.datconnlimit - (SELECT COUNT(*) FROM pg_stat_activity WHERE datid = d.oid) END,
  CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper
    THEN r.rolconnlimit - (SELECT COUNT(*) FROM pg_stat_activity WHERE usesysid = r.oid) END
)
FROM pg_roles AS r CROSS JOIN pg_database AS d
WHERE r.rolname = session_user AND d.datname = current_database()
""")
_MAY_MIGRATE: Final = text("""
SELECT COALESCE(
  (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('alembic_version')),
  has_schema_privilege(current_schema(), 'CREATE'),
  CAST(:schema AS text) IS NOT NULL AND has_database_privilege(current_database(), 'CREATE')
)
""")


def refuse_encoding(conn: Connection) -> None:
    """Raises MirrorError for a PostgreSQL database whose encoding is not UTF8: others cannot hold every text."""
    if conn.dialect.name != "postgresql":
        return
    encoding = conn.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        message = (
            f"the database {conn.engine.url.database!r} is encoded in {encoding}, which does not hold every name; "
            "make one that does: CREATE DATABASE tpmirror ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0"
        )
        raise MirrorError(message)


def is_pooled(conn: Connection) -> bool:
    """Whether a pooler such as PgBouncer stands between: at connect it states a pid that is not the backend's."""
    if conn.dialect.name != "postgresql":
        return False
    driver: Any = conn.connection.dbapi_connection
    stated: int = driver.info.backend_pid
    return bool(conn.execute(text("SELECT pg_backend_pid()")).scalar_one() != stated)


def connections_left(conn: Connection) -> int:
    """How many more connections PostgreSQL would give this role: by the limit of server, database or role."""
    return int(conn.execute(_LEFT).scalar_one())


def may_migrate(conn: Connection) -> bool:
    """Whether this role may make the mirror's tables on PostgreSQL, or change them if they are there."""
    return bool(conn.execute(_MAY_MIGRATE, {"schema": schema_of(conn)}).scalar_one())
