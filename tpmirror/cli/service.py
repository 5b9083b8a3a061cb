"""Commands around the service."""

import os
import sys
from typing import Final

import click

from tpmirror.cli.common import API_SETTINGS, EXIT_STATUS, as_json, with_settings
from tpmirror.config import Settings

RUN_SETTINGS: Final = (
    *API_SETTINGS,
    "sync_interval",
    "poll_interval",
    "vanish_limit",
    "http_addr",
    "http_open",
    "http_hosts",
    "budget_daily",
    "budget_monthly",
    "log_format",
    "log_level",
)


@click.command()
@with_settings(*RUN_SETTINGS)
def run(settings: Settings) -> None:
    """Run as a service: full walks and polls on schedule, dashboard, health and metrics over HTTP, until stopped.

    The log goes to stderr. SIGTERM and Ctrl-C end it within ten seconds, a second one at once; SIGHUP has the key file
    read again and tried. Several may run on one PostgreSQL: one works, the others stand by.
    """
    from tpmirror import log
    from tpmirror.service import daemon

    log.configure(settings.log_format, settings.log_level)
    code = daemon.run(settings)
    sys.stderr.flush()
    os._exit(code)  # a thread that waits for a database that is away would hold up a tidy end


@click.group()
def alert() -> None:
    """Alerts: what `tpmirror run` tells people, by mail, chat or webhook."""


@alert.command("test")
@with_settings()
@as_json
def test_alert(settings: Settings, *, as_json: bool) -> None:
    """Send a test message to every service of TPMIRROR_ALERT_URLS.

    Exit status 0: each took it; 1: one did not. Only the schemes of the URLs are shown, the rest is secret.
    """
    from tpmirror import formatting
    from tpmirror.errors import TpmirrorError, UsageError
    from tpmirror.service.notifier import Notifier

    if not settings.alert_urls:
        message = "TPMIRROR_ALERT_URLS is not set: give it URLs that apprise understands, separated by blanks"
        raise UsageError(message)
    told = Notifier(settings.alert_urls).send("tpmirror: test", "This is a test; nothing is wrong.", good=True)
    if as_json:
        click.echo(formatting.to_json({"delivered": told}))
    else:
        for name, delivered in told.items():
            click.echo(f"{name}: {'delivered' if delivered else 'not delivered'}")
    if not all(told.values()):
        message = "not every service took the message; check the URLs of TPMIRROR_ALERT_URLS"
        raise TpmirrorError(message)


@click.command(epilog=EXIT_STATUS)
@with_settings(*RUN_SETTINGS)
@as_json
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Check settings, key, API, database, clock, disk and the mirror; say what to do. Changes nothing.

    Exit status 0: works, though there may be something to look at; 4: the key is refused; else the first failure's.
    """
    from tpmirror import doctor as looking
    from tpmirror import formatting

    findings = looking.examine(settings)
    code = looking.exit_code(findings)
    if as_json:
        shown = [{"check": one.check, "state": one.state, "seen": one.seen, "remedy": one.remedy} for one in findings]
        click.echo(formatting.to_json({"healthy": code == 0, "findings": shown}))
    else:
        for one in findings:
            click.echo(formatting.hanging(f"{one.state:4}  {one.check:8}  ", one.seen))
            if one.remedy:
                click.echo(formatting.hanging(f"{'':16}-> ", one.remedy))
    sys.exit(code)


COMMANDS: Final = (run, doctor, alert)
