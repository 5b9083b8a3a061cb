"""Checks that every page is of the mirror's own account, before any row of the page is written.

A key may be replaced; an account may not. An owner once seen belongs to the account. Before an unknown owner is learnt,
and before new jobs of no known owner are stored, known jobs that the page does not show are asked for by id: the API
answers only for the account's own jobs. One known job on the page is no proof: it may be shared.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine

from tpmirror.db import lease
from tpmirror.errors import ScopeError, UsageError
from tpmirror.store import account
from tpmirror.store.account import Mark
from tpmirror.tensorpix.decode import ParsedJob
from tpmirror.tensorpix.owners import Pseudonyms
from tpmirror.tensorpix.redaction import clean, unsigned

PROBES: Final = 20
"""Known jobs asked for by id to see whether this is their account: most of them may have been deleted meanwhile."""
MAX_OWNER: Final = 320
"""Most characters of an owner, an e-mail address or a number: PostgreSQL cannot index very long texts."""
INPUT: Final = "input_owner"
OUTPUT: Final = "output_owner"
OWNERS_KEY: Final = "owners_key"
"""Kind of the mark that identifies the key of the owners' hashes; a mirror that keeps addresses has none."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def origin_of(api_url: str) -> str:
    """The origin a mirror is bound to; all of loopback is one origin, as a simulator's port changes at every start."""
    return "loopback" if urlsplit(api_url).hostname in _LOOPBACK else api_url


@dataclass(frozen=True, slots=True)
class Claim:
    """The owner that an answer states for a video."""

    job_id: int
    video_id: int
    owner: Mark

    @property
    def video(self) -> tuple[str, int]:
        """The video: input and output videos have ids of their own."""
        return self.owner[0], self.video_id


def claims_of(items: Iterable[ParsedJob]) -> list[Claim]:
    """The owners of the videos that these jobs use, as rows of ``mirror_scope``."""
    found = list[Claim]()
    for item in items:
        source, made = item.input_video, item.output_video
        if source is not None and source.owner:
            found.append(Claim(item.id, source.id, (INPUT, _held(source.owner))))
        if made is not None and isinstance(made.owner, int):
            found.append(Claim(item.id, made.id, (OUTPUT, str(made.owner))))
    return [claim for claim in found if len(claim.owner[1]) <= MAX_OWNER]


@lru_cache(maxsize=1000)  # nearly all videos have the same owner
def _held(owner: str) -> str:
    """An owner's address as the mirror holds it."""
    return unsigned(clean(owner))


def news_of(claims: Iterable[Claim], known: Collection[Mark], held: Collection[tuple[str, int]]) -> set[Mark]:
    """Unknown owners that the account may have; ``held``: the videos of which the mirror holds an owner.

    An unknown owner that a held video shows does not count: a wrong owner, shown once, would open the mirror to another
    account for ever. New videos of that owner are better evidence.
    """
    return {claim.owner for claim in claims if claim.owner not in known and claim.video not in held}


def unvouched(claims: Collection[Claim], known: Collection[Mark], news: Collection[Mark]) -> set[Mark]:
    """New owners that known jobs have to vouch for: all but those in a job that shows a known address too.

    A known number does not vouch for an address: a wrong number may be that of another user.
    """
    ours = {claim.job_id for claim in claims if claim.owner in known and claim.owner[0] == INPUT}
    return {claim.owner for claim in claims if claim.owner in news and claim.job_id not in ours}


def check_owners(known: Collection[Mark], owners: Pseudonyms | None) -> set[Mark]:
    """The marks of how owners are held. Raises UsageError where the mirror holds them otherwise than the settings say.

    A sync would record each owner as a change, for ever in the history; and one omitted setting would bring all
    addresses back.
    """
    wanted = {(OWNERS_KEY, owners.key_id)} if owners else set[Mark]()
    held = {mark for mark in known if mark[0] == OWNERS_KEY}
    if held == wanted or not known:
        return wanted
    if not held:
        reason = "holds owners' e-mail addresses, TPMIRROR_OWNERS is 'hash': run tpmirror db hash-owners once"
    elif not wanted:
        reason = "holds owners hashed, TPMIRROR_OWNERS is 'keep': set it to 'hash', and TPMIRROR_OWNERS_KEY_FILE"
    else:
        reason = "holds owners hashed by another key: TPMIRROR_OWNERS_KEY_FILE has to name the file with that one"
    raise UsageError(f"this mirror {reason}; nothing was written")


def accept_owner(engine: Engine, value: str, owners: Pseudonyms | None = None) -> None:
    """Record an owner as the account's: an e-mail address or the number of a user. Raises UsageError for neither.

    ``owners``: the hashes, where the mirror holds owners hashed.
    """
    owner = value.strip()
    if not owner or len(owner) > MAX_OWNER or unsigned(clean(owner)) != owner:
        message = f"{value[:MAX_OWNER]!r} is no owner; give an e-mail address or a number as the API shows it"
        raise UsageError(message)
    held = owners.owner(owner) if owners else owner
    marks: set[Mark] = {(INPUT, held), *([(OUTPUT, owner)] if owner.isascii() and owner.isdigit() else [])}

    def work(conn: Connection) -> None:
        account.add(conn, marks | check_owners(account.marks(conn), owners), datetime.now(UTC))

    lease.under_lease(engine, work)


class Scope:
    """The account of a mirror, as far as known."""

    def __init__(self, conn: Connection, api_url: str, owners: Pseudonyms | None = None) -> None:
        """Raises ScopeError if the mirror is bound to another origin, UsageError if ``check_owners`` does."""
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
        self.learn({("origin", origin), *check_owners(self._known, owners)})

    @property
    def known(self) -> Collection[Mark]:
        """All marks known of the account."""
        return self._known

    def learn(self, found: set[Mark]) -> None:
        """Add these marks to the account's; ``store`` writes the new ones."""
        self._new |= found - self._known
        self._known |= found

    def store(self, conn: Connection) -> None:
        """Write the new marks, in the transaction of the batch that showed them."""
        if self._new:
            account.add(conn, self._new, datetime.now(UTC))

    @property
    def has_news(self) -> bool:
        """Whether there are new marks to write."""
        return bool(self._new)

    def stored(self) -> None:
        """Clear the new marks once they are committed."""
        self._new = set()


def foreign_account(owners: Iterable[Mark]) -> ScopeError:
    """The error for a page of another account; of its unknown owners it names no e-mail address."""
    numbers = sorted(value for kind, value in owners if kind == OUTPUT)
    named = f" (it shows the user {', '.join(numbers)})" if numbers else ""
    return ScopeError(
        f"the key opens another account than the one this mirror belongs to{named}: too few of the known jobs are "
        "shown or answer by id; nothing was written. If the owner of these jobs belongs to this account: tpmirror db "
        "accept-owner VALUE; else use another TPMIRROR_DATABASE_URL for another account"
    )
