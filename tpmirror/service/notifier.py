"""Sends a message to the services that ``TPMIRROR_ALERT_URLS`` names, through apprise: mail, chat, webhooks.

The URLs hold passwords and tokens, so errors and log lines name a service by its URL's scheme and position alone.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

from tpmirror.credentials import Secret
from tpmirror.errors import UsageError
from tpmirror.log import logger

VARIABLE: Final = "TPMIRROR_ALERT_URLS"

log: Final = logger(__name__)


class Notifier:
    """The services, whose URLs the constructor checks."""

    def __init__(self, urls: Sequence[Secret]) -> None:
        """Raises UsageError for a URL that apprise does not understand, or if apprise is not installed."""
        try:
            import apprise  # noqa: PLC0415 - an extra, and slow to load
        except ModuleNotFoundError as error:
            message = f"{VARIABLE} is set, and apprise is not installed: pip install 'tpmirror[alerts]'"
            raise UsageError(message) from error
        for name in ("apprise", "urllib3"):  # their log lines would show URLs
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._targets: list[tuple[str, Any]] = []
        for place, url in enumerate(urls, 1):
            scheme, colon, _ = url.reveal().partition("://")
            name = f"{scheme[:20]} ({place})" if colon else f"({place})"
            target = apprise.Apprise.instantiate(url.reveal())
            if target is None:
                message = (
                    f"{VARIABLE}: entry {name} is not a URL that apprise understands; tpmirror shows no more of it"
                )
                raise UsageError(message)
            self._targets.append((name, target))

    def send(self, title: str, body: str, *, good: bool = False) -> dict[str, bool]:
        """Send to every service; returns by service whether it accepted the message. Never raises."""
        return {name: self._deliver(name, target, title, body, good=good) for name, target in self._targets}

    def _deliver(self, name: str, target: Any, title: str, body: str, *, good: bool) -> bool:
        try:
            done = bool(target.notify(title=title, body=body, notify_type="success" if good else "warning"))
        except Exception as error:  # noqa: BLE001 - a service's plugin may raise anything; the others still get the message
            log.warning("alert not delivered", service=name, error=type(error).__name__)
            return False
        if not done:
            log.warning("alert not delivered", service=name)
        return done
