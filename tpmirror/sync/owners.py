"""``tpmirror db hash-owners``: the addresses that a mirror holds become what the next answers show in their place."""

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
    """What stands for owners under these settings; None where their addresses are kept."""
    key = read_owners_key(settings)
    return Pseudonyms(key) if key else None


def hash_owners(engine: Engine, settings: Settings) -> int:
    """Hash the owners of a mirror, in one transaction under the lease; how many rows changed.

    Done again it changes nothing. On SQLite the file is written anew, so that no free page of it has an address left.
    Raises UsageError unless the settings say so too, or for another key than the one that was used before.
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
