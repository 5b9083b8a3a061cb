"""``tpmirror alert``: a test message to every alert service."""

import click

from tpmirror.cli.options import Group, as_json, print_json, with_settings
from tpmirror.config import Settings
from tpmirror.errors import TpmirrorError, UsageError


@click.group(cls=Group)
def alert() -> None:
    """Try the alerts that tpmirror run sends by mail, chat or webhook."""


@alert.command("test")
@with_settings()
@as_json
def test_alert(settings: Settings, *, as_json: bool) -> None:
    """Send a test message to every service of TPMIRROR_ALERT_URLS.

    Exit status 0: each service took it; 1: one did not. Of a URL only its scheme is shown, the rest is secret.
    """
    from tpmirror.service.notifier import Notifier

    if not settings.alert_urls:
        raise UsageError("TPMIRROR_ALERT_URLS is not set: give it URLs that apprise understands, separated by blanks")
    delivered_by = Notifier(settings.alert_urls).send("tpmirror: test", "This is a test; nothing is wrong.", good=True)
    if as_json:
        print_json({"delivered": delivered_by})
    else:
        for name, delivered in delivered_by.items():
            click.echo(f"{name}: {'delivered' if delivered else 'not delivered'}")
    if not all(delivered_by.values()):
        raise TpmirrorError("not every service took the message; check the URLs of TPMIRROR_ALERT_URLS")
