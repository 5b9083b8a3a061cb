"""Commands around the service."""

import sys
from typing import Final

import click

from tpmirror.cli.common import API_SETTINGS, with_settings
from tpmirror.config import Settings

RUN_SETTINGS: Final = (
    *API_SETTINGS,
    "sync_interval",
    "poll_interval",
    "vanish_limit",
    "http_addr",
    "log_format",
    "log_level",
)


@click.command()
@with_settings(*RUN_SETTINGS)
def run(settings: Settings) -> None:
    """Run as a service: full walks and polls on schedule, health and metrics over HTTP, until stopped.

    The log goes to stderr. SIGTERM and Ctrl-C end it within ten seconds, a second one at once; SIGHUP has the key file
    read again and tried. Several may run on one PostgreSQL: one works, the others stand by.
    """
    from tpmirror import log, service

    log.configure(settings.log_format, settings.log_level)
    sys.exit(service.run(settings))


COMMANDS: Final = (run,)
