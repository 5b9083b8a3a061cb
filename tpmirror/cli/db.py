"""``tpmirror db``: migrations, union views, owners."""

import sys
from collections.abc import Callable

import click

from tpmirror.cli.options import Group, announcing, mirror, summarize, with_settings
from tpmirror.config import Settings, schema_name
from tpmirror.errors import NeedsAttention, TpmirrorError, UsageError
from tpmirror.formatting import count


@click.group(cls=Group)
def db() -> None:
    """Create, migrate and check the mirror's database."""


@db.command()
@click.argument("revision", default="head")
@with_settings()
def upgrade(settings: Settings, *, revision: str) -> None:
    """Create the database, or bring it to REVISION (default: the newest)."""
    from tpmirror.db import migrate
    from tpmirror.db.engine import connected

    with announcing(settings), connected(settings.database) as engine:
        migrate.upgrade(engine, revision)
    _say_revision(settings, summarize)


@db.command()
@click.argument("revision")
@with_settings()
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
def downgrade(settings: Settings, *, revision: str, yes: bool) -> None:
    """Take the database back to REVISION; "base" drops every table, history included.

    Asks first. Refused while a writer is at work: exit status 5.
    """
    from tpmirror.db import migrate
    from tpmirror.db.engine import connected, display

    with connected(settings.database) as engine:
        if not yes:
            _ask(display(engine), revision)
        migrate.downgrade(engine, revision)
    _say_revision(settings, summarize)


@db.command()
@with_settings()
def current(settings: Settings) -> None:
    """Show the database's revision and the newest one."""
    _say_revision(settings, click.echo)


@db.command()
@with_settings()
def check(settings: Settings) -> None:
    """Check that tables, views and triggers are as this version declares them.

    Exit status 3: they are not. tpmirror db upgrade repairs views and triggers.
    """
    from tpmirror.db import migrate
    from tpmirror.db.engine import connected

    with connected(settings.database, read_only=True) as engine:
        found = migrate.differences(engine)
    for difference in found:
        click.echo(difference)
    if found:
        raise NeedsAttention
    click.echo("the database is as declared")


@db.command("union-views")
@click.option("--into", required=True, metavar="SCHEMA", help="Schema that gets the views; created if it is missing.")
@click.argument("accounts", nargs=-1, required=True, metavar="SCHEMA...")
@with_settings()
def union_views(settings: Settings, *, into: str, accounts: tuple[str, ...]) -> None:
    """Create views over the mirrors of several accounts in one PostgreSQL; run it again after each upgrade.

    Each SCHEMA holds the mirror of an account. Each table and view of theirs gets a view of its name, whose first
    column, "account", is the schema that a row comes from.
    """
    from tpmirror.db import union
    from tpmirror.db.engine import connected

    for name in (into, *accounts):
        _check_schema(name)
    with connected(settings.database) as engine:
        views = union.union_views(engine, into, accounts)
    summarize(f"{into} has {count(views, 'view')} over {', '.join(accounts)}")


def _check_schema(name: str) -> None:
    """Raises UsageError for a name that PostgreSQL would refuse or cut as a schema's."""
    try:
        schema_name(name)
    except ValueError as error:
        raise UsageError(f"{name!r} is no schema; a name is {error}") from None


@db.command("accept-owner")
@click.argument("value")
@with_settings()
def accept_owner(settings: Settings, *, value: str) -> None:
    """Accept an owner as one of this account: VALUE is an e-mail address or the number of a user.

    Needed where jobs are refused as another account's, because too few of the known jobs still answer.
    """
    from tpmirror.sync import account
    from tpmirror.sync.owners import pseudonyms

    with mirror(settings) as engine:
        account.accept_owner(engine, value, pseudonyms(settings))
    summarize("accepted; jobs of this owner belong to this account from the next sync on")


@db.command("hash-owners")
@with_settings()
def hash_owners(settings: Settings) -> None:
    """Replace the owners' e-mail addresses that the mirror holds by hashes, as TPMIRROR_OWNERS=hash does for new ones.

    Videos, field changes, scope, quarantine and unknown keys, all in one transaction: if interrupted, it has changed
    nothing. There is no way back. Backups and older exports keep the addresses.
    """
    from tpmirror.sync import owners

    with mirror(settings) as engine:
        changed = owners.hash_owners(engine, settings)
        dialect = engine.dialect.name
    again = "; the next full sync compares every job again" if changed else ""
    summarize(f"{count(changed, 'row')} held addresses{again}")
    if changed and dialect == "postgresql":
        click.echo(
            "The server keeps old rows in its files until VACUUM FULL, and its log and backups as long as they last"
        )


def _ask(database: str, revision: str) -> None:
    """Have an operator confirm a downgrade. Raises UsageError without a terminal, TpmirrorError after a no."""
    if sys.stdin is None or not sys.stdin.isatty():
        message = f"db downgrade {revision} drops what {database} holds, and nobody is there to be asked; give --yes"
        raise UsageError(message)
    lost = "every table, history included" if revision == "base" else f"what revisions after {revision} added"
    if not click.confirm(f"This drops from {database} {lost}. Go on?", err=True):
        raise TpmirrorError("not confirmed; nothing was changed")


def _say_revision(settings: Settings, say: Callable[[str], None]) -> None:
    from tpmirror.db import revision
    from tpmirror.db.engine import connected, display

    with connected(settings.database, read_only=True) as engine:
        found = revision.current(engine) or "none"
    say(f"{display(engine)} is at revision {found} (newest: {revision.newest()})")
