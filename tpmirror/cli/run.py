"""``tpmirror run``: the service."""

import os
import sys

import click

from tpmirror.cli.options import RUN_SETTINGS, Command, with_settings
from tpmirror.config import Settings


@click.command(cls=Command)
@with_settings(*RUN_SETTINGS)
def run(settings: Settings) -> None:
    """Run as a service: full syncs and polls on schedule, dashboard, health and metrics over HTTP, until stopped.

    The log goes to stderr. SIGTERM and Ctrl-C end it within ten seconds, a second one at once; SIGHUP reads the key
    file again and tries it. Several may run on one PostgreSQL: one works, the others stand by.
    """
    from tpmirror import log
    from tpmirror.db.engine import connected, refuse_missing_folder
    from tpmirror.service import daemon

    with connected(settings.database) as engine:
        refuse_missing_folder(engine)
    log.configure(settings.log_format, settings.log_level)
    code = daemon.run(settings)
    sys.stderr.flush()
    os._exit(code)  # a thread that waits for a database that is away would hold up a tidy end
