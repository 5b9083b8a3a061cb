"""The schema revision that a database has, and the one that this program needs.

Every command checks the revision, and nearly every time it is current: so this module does without Alembic, which takes
longer to load than most commands take to run.
"""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from tpmirror.db.engine import is_missing, read
from tpmirror.errors import MirrorError

_PACKAGE: Final = Path(__file__).parent
SCRIPTS: Final = next(
    folder for folder in (_PACKAGE / "_migrations", _PACKAGE.parents[1] / "migrations") if folder.is_dir()
)
"""Folder of the migrations: within the package in a wheel, beside it in a checkout."""

_OURS: Final = re.compile(r"[0-9a-z]{4}")
"""Names of tpmirror's revisions, those of newer versions too; Alembic generates names of twelve characters."""

FIRST_CONTACT: Final = 3.0
"""Seconds to retry a process's first connection: a wrong address must fail sooner than after ``RETRY_SECONDS``."""


def current(engine: Engine) -> str | None:
    """The database's revision; None before the first upgrade."""
    if is_missing(engine):
        return None
    return read(engine, current_of, FIRST_CONTACT)


def current_of(conn: Connection) -> str | None:
    """The database's revision, on a connection. Raises MirrorError if ``alembic_version`` is another program's."""
    there = inspect(conn)
    if not there.has_table("alembic_version"):
        return None
    found = conn.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    strange = [revision for revision in found if _OURS.fullmatch(revision) is None]
    # Other programs may name revisions in four characters too; only tpmirror has writer_lease, in every revision.
    if strange or (found and not there.has_table("writer_lease")):
        lite = conn.dialect.name == "sqlite"
        remedy = "a file of its own" if lite else "a schema of its own (TPMIRROR_DATABASE_SCHEMA), or a database"
        message = (
            f"alembic_version holds {(strange or found)[0]!r}, which is no revision of tpmirror: the table is another "
            f"program's; give tpmirror {remedy}"
        )
        raise MirrorError(message)
    return found[0] if found else None


def known() -> list[str]:
    """The revisions that this program knows, oldest first: their files are named after them."""
    return sorted(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))


def newest() -> str:
    """The revision that this program needs."""
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
