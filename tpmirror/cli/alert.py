"""``tpmirror alert``: a test message to every alert service."""

import click

from tpmirror.cli.options import as_json, with_settings
from tpmirror.config import Settings


@click.group()
def alert() -> None:
    """Alerts: what `tpmirror run` sends to people, by mail, chat or webhook."""


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
    delivered_by = Notifier(settings.alert_urls).send("tpmirror: test", "This is a test; nothing is wrong.", good=True)
    if as_json:
        click.echo(formatting.to_json({"delivered": delivered_by}))
    else:
        for name, delivered in delivered_by.items():
            click.echo(f"{name}: {'delivered' if delivered else 'not delivered'}")
    if not all(delivered_by.values()):
        message = "not every service took the message; check the URLs of TPMIRROR_ALERT_URLS"
        raise TpmirrorError(message)
