"""Commands that migrate the database."""

import click

from tpmirror.cli.options import mirror, with_settings
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention


@click.group()
def db() -> None:
    """Create, migrate and check the mirror's database."""


@db.command()
@click.argument("revision", default="head")
@with_settings()
def upgrade(settings: Settings, *, revision: str) -> None:
    """Create the database, or bring it to REVISION (default: the newest)."""
    from tpmirror.db import migrate
    from tpmirror.db.engine import connected

    with connected(settings.database_url) as engine:
        migrate.upgrade(engine, revision)
    _say_revision(settings)


@db.command()
@click.argument("revision")
@with_settings()
def downgrade(settings: Settings, *, revision: str) -> None:
    """Take the database back to REVISION; "base" drops every table, history included."""
    from tpmirror.db import migrate
    from tpmirror.db.engine import connected

    with connected(settings.database_url) as engine:
        migrate.downgrade(engine, revision)
    _say_revision(settings)


@db.command()
@with_settings()
def current(settings: Settings) -> None:
    """Show the database's revision and the newest one."""
    _say_revision(settings)


@db.command()
@with_settings()
def check(settings: Settings) -> None:
    """Check that the database is migrated and as declared; exit status 3 if it is not.

    Tables, views and triggers. What is wrong with views and triggers, "db upgrade" mends.
    """
    from tpmirror.db import migrate
    from tpmirror.db.engine import connected

    with connected(settings.database_url) as engine:
        found = migrate.differences(engine)
    for difference in found:
        click.echo(difference)
    if found:
        raise NeedsAttention
    click.echo("the database is as declared")


@db.command("accept-owner")
@click.argument("value")
@with_settings()
def accept_owner(settings: Settings, *, value: str) -> None:
    """Say that an owner belongs to this account: VALUE is an e-mail address or the number of a user.

    For jobs that were refused as those of another account, because too few of the known jobs answer any more.
    """
    from tpmirror.sync import account

    with mirror(settings) as engine:
        account.accept_owner(engine, value)
    click.echo("accepted; jobs of this owner belong to this account from the next sync on")


def _say_revision(settings: Settings) -> None:
    from tpmirror.db import revision
    from tpmirror.db.engine import connected, display

    with connected(settings.database_url) as engine:
        found = revision.current(engine) or "none"
    click.echo(f"{display(engine.url)} is at revision {found} (newest: {revision.newest()})")
