"""Which revision of the schema a database has, and which this program needs.

Every command checks it, and nearly every time nothing is to be migrated: so this does without Alembic, which takes
longer to load than most commands take to run.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from tpmirror.db.engine import is_missing, read
from tpmirror.errors import MirrorError

_PACKAGE: Final = Path(__file__).parent
SCRIPTS: Final = next(
    folder for folder in (_PACKAGE / "_migrations", _PACKAGE.parents[1] / "migrations") if folder.is_dir()
)
"""The migrations: they lie in the wheel, or beside the package in a checkout."""


FIRST_CONTACT: Final = 3.0
"""Seconds to try a database that nobody has reached yet: a wrong address has to fail soon, not to be waited for."""


def current(engine: Engine) -> str | None:
    """The database's revision; None before the first upgrade."""
    if is_missing(engine):
        return None
    return read(engine, current_of, FIRST_CONTACT)


def current_of(conn: Connection) -> str | None:
    """The same, on a connection."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    revision: str | None = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def known() -> list[str]:
    """The revisions that this program knows, oldest first: their files are named after them."""
    return sorted(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))


def newest() -> str:
    """The revision that this program works with."""
    return known()[-1]


def is_current(engine: Engine) -> bool:
    """Whether nothing needs to be migrated.

    Raises MirrorError if the database is newer than this program.
    """
    revision = current(engine)
    if revision is not None:
        refuse_newer(revision)
    return revision == newest()


def refuse_newer(revision: str) -> None:
    """Raises MirrorError for a revision that this program does not know."""
    if revision not in known():
        message = (
            f"the database is at revision {revision!r}, which this version of tpmirror does not know: "
            "it is newer than the program; install the newer tpmirror"
        )
        raise MirrorError(message)
