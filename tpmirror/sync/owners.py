"""``tpmirror db hash-owners``: replaces the addresses that a mirror holds by the hashes that the next answers have."""

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from tpmirror.config import Settings, read_owners_key
from tpmirror.db import lease
from tpmirror.db.engine import compact
from tpmirror.errors import UsageError
from tpmirror.store import account
from tpmirror.store.owners import replace_owners
from tpmirror.sync.account import OWNERS_KEY, check_owners
from tpmirror.tensorpix.owners import Pseudonyms


def pseudonyms(settings: Settings) -> Pseudonyms | None:
    """The hashes of owners under these settings; None where their addresses are kept."""
    key = read_owners_key(settings)
    return Pseudonyms(key) if key else None


def hash_owners(engine: Engine, settings: Settings) -> int:
    """Hash the owners of a mirror, in one transaction under the lease; returns how many rows changed.

    A second call changes nothing. SQLite's file is written anew, so that none of its free pages has an address left.
    Raises UsageError unless the settings hash owners too, or if the key is another than the one used before.
    """
    owners = pseudonyms(settings)
    if owners is None:
        raise UsageError(
            "TPMIRROR_OWNERS is 'keep'; set it to 'hash', and TPMIRROR_OWNERS_KEY_FILE, for all commands: else the "
            "next sync would bring the addresses back"
        )

    def work(conn: Connection) -> int:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL statement_timeout = 0"))
        known = account.marks(conn)
        if any(kind == OWNERS_KEY for kind, _ in known):
            check_owners(known, owners)
        account.add(conn, {(OWNERS_KEY, owners.key_id)}, datetime.now(UTC))
        return replace_owners(conn, owners)

    changed = lease.under_lease(engine, work)
    compact(engine)
    return changed
