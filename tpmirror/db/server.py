"""What a PostgreSQL server has to be, and what may stand before it."""

from typing import Any

from sqlalchemy import Connection, text

from tpmirror.errors import MirrorError


def refuse_encoding(conn: Connection) -> None:
    """Raises MirrorError for a PostgreSQL database whose encoding does not hold every text."""
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
    """Whether a pooler such as PgBouncer stands between: it states a process of its own when a client connects."""
    if conn.dialect.name != "postgresql":
        return False
    driver: Any = conn.connection.dbapi_connection
    stated: int = driver.info.backend_pid
    return bool(conn.execute(text("SELECT pg_backend_pid()")).scalar_one() != stated)
