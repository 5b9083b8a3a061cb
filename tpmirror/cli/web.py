"""``tpmirror web``: the dashboard by itself."""

from threading import Event

import click

from tpmirror import signals
from tpmirror.cli.options import Command, mirror, with_settings
from tpmirror.config import Settings


@click.command(cls=Command)
@with_settings(
    "http_addr", "http_open", "http_hosts", "http_prefix", "budget_monthly", "credit_price", "log_format", "log_level"
)
def web(settings: Settings) -> None:
    """Serve the dashboard of a mirror. Reads only; needs no API key.

    Set TPMIRROR_HTTP_TOKEN to ask for a password; other machines are served only with one, or with --http-open yes.
    Wrong passwords are logged to stderr.
    """
    from tpmirror import log
    from tpmirror.web.app import create_app
    from tpmirror.web.server import Server

    with signals.until_signalled():
        signals.release()
        app = create_app(settings)
        with mirror(settings, read_only=True):
            pass  # a mirror that cannot be read is reported now, in one line, instead of on every page
        log.configure(settings.log_format, settings.log_level)
        server = Server(app, settings.http_addr)
        try:
            signals.hold()  # blocks signals in the server's threads: one delivered there would not wake this thread
            url = server.start()
            signals.release()
            click.echo(f"dashboard on {url}{settings.http_prefix or ''}/, stop with Ctrl-C", err=True)
            Event().wait()
        finally:
            server.stop()
    click.echo("stopped", err=True)
