"""Alembic's entry: runs on the connection that ``tpmirror.db.migrate`` hands over, or, for developers, on a new one."""

from alembic import context
from sqlalchemy import Connection

from tpmirror.config import load
from tpmirror.db.engine import open_engine
from tpmirror.db.schema import metadata


def run(connection: Connection) -> None:
    """Migrate within the caller's transaction. SQLite changes tables by copying them (batch)."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = open_engine(load().database)
    with engine.connect().execution_options(tpmirror_writes=True) as connection, connection.begin():
        run(connection)
