"""Whose account this mirror belongs to, checked on every page before anything of it is written.

A key may be replaced; an account may not. A page belongs here if it shows a job the mirror knows, or a video of an
owner it knows. If it shows neither, known jobs are asked for by id: the API answers only for the account's own.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection

from tpmirror.errors import ScopeError
from tpmirror.store import account
from tpmirror.store.account import Mark
from tpmirror.tensorpix.decode import ParsedJob
from tpmirror.tensorpix.redaction import clean, unsigned

PROBES: Final = 20
"""Known jobs asked for by id to see whether this is their account: most of them may have been deleted meanwhile."""
MAX_OWNER: Final = 320
"""Characters of an owner that is one, an e-mail address or a number; PostgreSQL has no index for very long texts."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def origin_of(api_url: str) -> str:
    """The origin a mirror is bound to; all of loopback is one, a simulator's port changes at every start."""
    return "loopback" if urlsplit(api_url).hostname in _LOOPBACK else api_url


def owners_of(items: Iterable[ParsedJob]) -> set[Mark]:
    """The owners whose videos these jobs use, as rows of ``mirror_scope``."""
    found: set[Mark] = set()
    for item in items:
        source, made = item.input_video, item.output_video
        if source is not None and source.owner:
            found.add(("input_owner", unsigned(clean(source.owner))))
        if made is not None and isinstance(made.owner, int):
            found.add(("output_owner", str(made.owner)))
    return {(kind, value) for kind, value in found if len(value) <= MAX_OWNER}


class Scope:
    """The account of a mirror, as far as known."""

    def __init__(self, conn: Connection, api_url: str) -> None:
        """Raises ScopeError if the mirror is bound to another origin."""
        self._known = account.marks(conn)
        self._new = set[Mark]()
        origin = origin_of(api_url)
        bound = {value for kind, value in self._known if kind == "origin"}
        if bound - {origin}:
            message = (
                f"this mirror belongs to {', '.join(sorted(bound))}, TPMIRROR_API_URL is {api_url}; "
                "nothing was written, use another TPMIRROR_DATABASE_URL for another account"
            )
            raise ScopeError(message)
        self.learn({("origin", origin)})

    def knows(self, owners: set[Mark]) -> bool:
        """Whether one of these owners is the account's."""
        return bool(self._known & owners)

    def learn(self, found: set[Mark]) -> None:
        """Take these for the account's from now on; ``store`` writes what is new."""
        self._new |= found - self._known
        self._known |= found

    def store(self, conn: Connection) -> None:
        """Write what was learnt, in the transaction of the batch that showed it."""
        if self._new:
            account.add(conn, self._new, datetime.now(UTC))

    @property
    def has_news(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._new)

    def stored(self) -> None:
        """What was written is known from now on."""
        self._new = set()


def foreign_account() -> ScopeError:
    """The error for a page of another account."""
    return ScopeError(
        "the key opens another account than the one this mirror belongs to (no known job, no known owner, and the "
        "known jobs do not answer); nothing was written, use another TPMIRROR_DATABASE_URL for another account"
    )
